/* SPDX-License-Identifier: MIT */
/*
 * Hosts without IPv6: first one whose interface has none while loopback has, then one that has no IPv6 address at all,
 * then one whose kernel knows no such sockets. Each takes away more than the one before, and nothing comes back.
 */
#define _GNU_SOURCE

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "peers.h"

/* Not ::1, which the C library's look-up in /etc/hosts takes for 127.0.0.1 too. */
#define OWN_IPV6 "fd88::1"

static void use_names(void)
{
    netns_hosts("127.0.0.1 both.test\n" OWN_IPV6 " both.test\n" OWN_IPV6 " six.test\n");
}

/* No interface has an IPv6 address but loopback's ::1, and yet the host answers to one. */
static void no_ipv6_on_the_cable(void)
{
    use_names();
    netns_set("ipv6/conf/near/disable_ipv6", "1");
    NETNS_IP("-6", "route", "replace", "local", OWN_IPV6, "dev", "lo");
}

static void no_ipv6_address(void)
{
    use_names();
    netns_set("ipv6/conf/all/disable_ipv6", "1");
}

/* From now on the system says of such sockets that it does not know the family. */
static void no_ipv6_sockets(void)
{
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof(program) / sizeof(program[0]), program};
    use_names();
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter))
        skip();
    assert_int_equal(socket(AF_INET6, SOCK_STREAM, 0), -1);
    assert_int_equal(errno, EAFNOSUPPORT);
}

/* The system looks for addresses that this host can use, finds none of this name, and is asked again for any. */
static void net_A_26_CONN_17_a_name_that_only_loopback_can_reach(void **state)
{
    fixture *f = *state;
    no_ipv6_on_the_cable();
    weir_server *server = fixture_listen(f, "tcp://[::]:0", NULL);
    uint16_t port = raw_port_of(server);
    pair p = fixture_connect(f, server, fixture_text(f, "tcp://six.test:%u", port), NULL);
    recorder_expect(p.client, "resume lookup:ok connectionAttempt connect ready");
    recorder *asked = fixture_client(f, fixture_text(f, "tcp://six.test:%u?hints=32", port), NULL);
    recorder_wait(asked, WEIR_EVENT_CLOSE);
    assert_int_equal(asked->counts[WEIR_EVENT_CONNECTION_ATTEMPT], 0);
}

static void net_A_26_addresses_that_the_host_cannot_use_are_not_tried(void **state)
{
    fixture *f = *state;
    no_ipv6_address();
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    uint16_t port = raw_port_of(server);
    pair p = fixture_connect(f, server, fixture_text(f, "tcp://both.test:%u", port), NULL);
    recorder_expect(p.client, "resume lookup:ok connectionAttempt connect ready");
}

/* Asked for all the same, an address of the other family fails at once, and the next one is tried. */
static void net_CONN_30_an_ipv6_address_on_a_host_without(void **state)
{
    fixture *f = *state;
    no_ipv6_address();
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    uint16_t port = raw_port_of(server);
    pair p = fixture_connect(f, server, fixture_text(f, "tcp://both.test:%u?hints=8", port), NULL);
    assert_int_equal(p.client->counts[WEIR_EVENT_CONNECTION_ATTEMPT], 2);
    assert_int_equal(p.client->counts[WEIR_EVENT_CONNECTION_ATTEMPT_FAILED], 1);
    recorder *alone = fixture_client(f, fixture_text(f, "tcp://[" OWN_IPV6 "]:%u", port), NULL);
    recorder_wait(alone, WEIR_EVENT_CLOSE);
    assert_code(weir_stream_errored(alone->stream)->code, UV_EADDRNOTAVAIL);
}

static void net_SRV_63_all_addresses_where_none_is_ipv6(void **state)
{
    fixture *f = *state;
    no_ipv6_address();
    weir_server *server = fixture_listen(f, "{\"tcp\": {}}", NULL);
    uint16_t port = raw_port_of(server);
    fixture_connect(f, server, fixture_text(f, "tcp://127.0.0.1:%u", port), NULL);
    fixture_connect(f, server, fixture_text(f, "tcp://both.test:%u", port), NULL);
}

static void net_SRV_63_A_06_a_kernel_without_ipv6(void **state)
{
    fixture *f = *state;
    weir_address address;
    char ip[WEIR_ADDRESS_TEXT_SIZE];
    no_ipv6_sockets();
    weir_server *server = fixture_listen(f, "{\"tcp\": {}}", NULL);
    assert_code(weir_server_address(server, &address), 0);
    weir_address_ip(&address, ip, sizeof(ip));
    assert_string_equal(ip, "0.0.0.0");
    pair p = fixture_connect(f, server, fixture_text(f, "tcp://both.test:%u", address.port), NULL);
    recorder_write(p.client, "hello", 5);
    recorder_wait_data(p.accepted, 5);
}

static void net_CONN_30_ipv6_attempts_fail_in_a_kernel_without(void **state)
{
    fixture *f = *state;
    no_ipv6_sockets();
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    uint16_t port = raw_port_of(server);
    pair p = fixture_connect(f, server, fixture_text(f, "tcp://both.test:%u?hints=8", port), NULL);
    assert_int_equal(p.client->counts[WEIR_EVENT_CONNECTION_ATTEMPT_FAILED], 1);
    recorder *alone = fixture_client(f, fixture_text(f, "tcp://[" OWN_IPV6 "]:%u", port), NULL);
    recorder_wait(alone, WEIR_EVENT_CLOSE);
    assert_code(weir_stream_errored(alone->stream)->code, UV_EAFNOSUPPORT);
    assert_string_equal(weir_stream_errored(alone->stream)->syscall, "socket");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        NETNS_TEST(net_A_26_CONN_17_a_name_that_only_loopback_can_reach),
        NETNS_TEST(net_A_26_addresses_that_the_host_cannot_use_are_not_tried),
        NETNS_TEST(net_CONN_30_an_ipv6_address_on_a_host_without),
        NETNS_TEST(net_SRV_63_all_addresses_where_none_is_ipv6),
        NETNS_TEST(net_SRV_63_A_06_a_kernel_without_ipv6),
        NETNS_TEST(net_CONN_30_ipv6_attempts_fail_in_a_kernel_without),
    };
    return NETNS_RUN_TESTS("no_ipv6", tests);
}
