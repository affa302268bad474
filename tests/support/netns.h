/* SPDX-License-Identifier: MIT */
/*
 * A network of a test program's own: two hosts, joined by a cable, that nobody else sees. The near one is the test's, with
 * its loopback interface; the far one is for peers that are to be lost, slow or silent. All sockets are of this process:
 * netns_go says on which host the next one is made. Packets are dropped and refused by nftables on either host.
 *
 *     near 10.77.0.1, fd77::1  ------  far 10.77.0.2, fd77::2
 *
 *     int main(void)
 *     {
 *         const struct CMUnitTest tests[] = {NETNS_TEST(net_BN_01_...)};
 *         return NETNS_RUN_TESTS("loss", tests);
 *     }
 *
 * It needs `ip` and `nft`, and namespaces: as root, or where everybody may make user namespaces. Where something is
 * missing, every test of the program is skipped, and the program says why.
 */
#ifndef WEIR_TEST_NETNS_H
#define WEIR_TEST_NETNS_H

#include "fixture.h"

#define NETNS_NEAR_IPV4 "10.77.0.1"
#define NETNS_NEAR_IPV6 "fd77::1"
#define NETNS_FAR_IPV4  "10.77.0.2"
#define NETNS_FAR_IPV6  "fd77::2"
#define NETNS_NOBODY    "10.77.0.9" /* of the same network, but no host has it */
#define NETNS_NO_ROUTE  "192.0.2.1" /* of no network that there is a way to */

typedef enum netns_host { NETNS_NEAR, NETNS_FAR } netns_host;

/* cmocka's main: makes the network, runs the tests in it. Before the first thread is made. */
#define NETNS_RUN_TESTS(name, tests) netns_run_tests((name), (tests), sizeof(tests) / sizeof((tests)[0]))
int netns_run_tests(const char *name, const struct CMUnitTest *tests, size_t count);

/* The fixture's, and: the network is whole again, sockets are made on the near host. */
#define NETNS_TEST(function) cmocka_unit_test_setup_teardown(function, netns_setup, netns_teardown)
int netns_setup(void **state);
int netns_teardown(void **state);

/* Sockets are made on this host from now on, and what follows is about this host. */
void netns_go(netns_host host);

/*
 * A rule of nftables for packets that leave the host ("out") or arrive at it ("in", loopback too): "tcp dport 80 drop".
 * Until the test's end, or netns_unfilter, which takes back all rules of this host.
 */
void netns_filter(const char *chain, const char *format, ...) WEIR_PRINTF(2, 3);
void netns_unfilter(void);

/* `ip ARGUMENTS...`, ended by NULL. What it changes stays so for the program. */
void netns_ip(const char *const *arguments);
#define NETNS_IP(...) netns_ip((const char *const[]){"ip", __VA_ARGS__, NULL})

/* Sets /proc/sys/net/NAME, where this kernel has such a setting. It stays so for the program. */
void netns_set(const char *name, const char *value);

/* What /etc/hosts says to this program from now on. */
void netns_hosts(const char *text);

/* Connections of the near host in this state (TCP_SYN_SENT ...), to an IPv4 or IPv6 address. */
size_t netns_count(int state, const char *address);

#endif
