/* SPDX-License-Identifier: MIT */
/* Who is at the other end of a unix socket, and who is let in: other users, played by a child that root makes. */
#define _GNU_SOURCE

#include <errno.h>
#include <pwd.h>

#include "raw_peer.h"

#define USER     12345
#define GROUP    23456
#define OTHER    34567 /* a supplementary group */
#define STRANGER 45678

/* An abstract name: no file's permissions are in the way. */
static const char *name_of(fixture *f)
{
    return fixture_text(f, "weir-peers-%d", (int)getpid());
}

/* Its connections are open until the test reads them. */
static weir_server *listen_with(fixture *f, const char *options)
{
    f->record = 0;
    return fixture_listen(f, fixture_text(f, "{\"ipc\": {\"path\": \"@%s\"%s}}", name_of(f), options), NULL);
}

/* In the child: connects to the abstract name, and says its process id. 0, or errno. */
static int says_who(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t us = getpid();

    memcpy(address.sun_path + 1, name, length);
    if (connect(fd, (struct sockaddr *)&address, (socklen_t)(sizeof(sa_family_t) + 1 + length)) ||
        send(fd, &us, sizeof(us), MSG_NOSIGNAL) != sizeof(us))
        return errno;
    return 0;
}

static int64_t number(weir_stream *stream, const char *name)
{
    weir_value value;

    assert_code(weir_stream_get(stream, name, &value), 0);
    assert_int_equal(value.type, WEIR_VALUE_NUMBER);
    return value.number;
}

static void net_BN_24_credentials_are_the_peers_own(void **state)
{
    fixture *f = *state;
    weir_server *server = listen_with(f, "");
    recorder *accepted;
    int64_t noted;
    pid_t who;

    assert_int_equal(raw_as_user(USER, GROUP, 0, says_who, name_of(f)), 0);
    accepted = fixture_accepted(f, server, 0);
    assert_int_equal(number(accepted->stream, "peerUid"), USER);
    assert_int_equal(number(accepted->stream, "peerGid"), GROUP);
    noted = number(accepted->stream, "peerPid");
    recorder_add(accepted, RECORD_DATA);
    recorder_wait_data(accepted, sizeof(who));
    memcpy(&who, accepted->data, sizeof(who));
    assert_int_equal(noted, who);
    assert_int_not_equal(who, getpid());
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
}

/* They are not known any more when the stream has gone, nor of a socket of TCP. */
static void net_BN_24_without_a_socket_nobody_is_known(void **state)
{
    fixture *f = *state;
    weir_stream *fresh = weir_stream_new(f->runtime, NULL);
    pair tcp = fixture_connect(f, fixture_listen(f, "tcp://127.0.0.1:0", NULL), NULL, NULL);
    pair ipc = fixture_connect(f, listen_with(f, ""), NULL, NULL);
    weir_value value;

    assert_code(weir_stream_get(fresh, "peerUid", &value), UV_ENOTCONN);
    assert_code(weir_stream_get(tcp.accepted->stream, "peerUid", &value), UV_ENOENT);
    recorder_destroy(ipc.accepted, NULL);
    assert_code(weir_stream_get(ipc.accepted->stream, "peerUid", &value), UV_ENOTCONN);
    weir_stream_release(fresh);
}

typedef struct drops {
    int count;
    weir_drop last;
} drops;

static void on_drop(const weir_event *event, void *arg)
{
    drops *seen = arg;

    seen->count++;
    seen->last = *event->drop;
}

static void expect_admitted(fixture *f, const char *options, unsigned user, unsigned group, gid_t other)
{
    weir_server *server = listen_with(f, options);
    drops seen = {0};
    recorder *accepted;

    weir_server_on(server, WEIR_EVENT_DROP, on_drop, &seen);
    assert_int_equal(raw_as_user(user, group, other, says_who, name_of(f)), 0);
    accepted = fixture_accepted(f, server, 0);
    assert_int_equal(number(accepted->stream, "peerUid"), user);
    recorder_add(accepted, RECORD_DATA);
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    assert_code(weir_server_close_wait(server), 0);
    assert_int_equal(seen.count, 0);
}

static void expect_dropped(fixture *f, const char *options, unsigned user, unsigned group, gid_t other)
{
    weir_server *server = listen_with(f, options);
    drops seen = {0};

    weir_server_on(server, WEIR_EVENT_DROP, on_drop, &seen);
    assert_int_equal(raw_as_user(user, group, other, says_who, name_of(f)), 0);
    fixture_until(f, &seen.count);
    assert_int_equal(seen.last.reason, WEIR_DROP_BLOCK_LIST);
    assert_int_equal(seen.last.peer_uid, user);
    assert_int_equal(seen.last.peer_gid, group);
    assert_int_not_equal(seen.last.peer_pid, getpid());
    assert_int_equal(weir_server_connections(server), 0);
    assert_code(weir_server_close_wait(server), 0);
}

static void net_BN_24_allowUsers(void **state)
{
    fixture *f = *state;

    expect_admitted(f, ", \"allowUsers\": [1, 12345]", USER, GROUP, 0);
    expect_admitted(f, ", \"allowUsers\": [\"12345\"]", USER, GROUP, 0);
    expect_dropped(f, ", \"allowUsers\": [1, 12345]", STRANGER, GROUP, 0);
    expect_dropped(f, ", \"allowUsers\": [\"root\"]", USER, GROUP, 0);
}

static void net_BN_24_allowGroups(void **state)
{
    fixture *f = *state;

    expect_admitted(f, ", \"allowGroups\": [23456]", USER, GROUP, 0);
    expect_admitted(f, ", \"allowGroups\": [34567]", USER, GROUP, OTHER);
    expect_dropped(f, ", \"allowGroups\": [34567]", USER, GROUP, 0);
    expect_dropped(f, ", \"allowGroups\": [12345]", USER, GROUP, OTHER); /* a user is no group */
}

static void net_BN_24_either_of_both_lists_lets_in(void **state)
{
    fixture *f = *state;
    static const char lists[] = ", \"allowUsers\": [12345], \"allowGroups\": [34567]";

    expect_admitted(f, lists, USER, GROUP, 0);
    expect_admitted(f, lists, STRANGER, OTHER, 0);
    expect_admitted(f, lists, STRANGER, GROUP, OTHER);
    expect_dropped(f, lists, STRANGER, GROUP, 0);
}

/* Root is let in where root is named, and only there. */
static void net_BN_24_names_of_users(void **state)
{
    fixture *f = *state;
    const struct passwd *us = getpwuid(geteuid());
    weir_server *server;
    drops seen = {0};

    if (!us) {
        skip(); /* a user without a name */
        return;
    }
    server = listen_with(f, fixture_text(f, ", \"allowUsers\": [\"%s\"]", us->pw_name));
    fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    server = listen_with(f, fixture_text(f, ", \"allowUsers\": [%u]", (unsigned)us->pw_uid + 1));
    weir_server_on(server, WEIR_EVENT_DROP, on_drop, &seen);
    f->record = RECORD_DATA;
    recorder_wait(fixture_client(f, fixture_url(f, server), NULL), WEIR_EVENT_CLOSE);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.last.peer_uid, us->pw_uid);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(net_BN_24_credentials_are_the_peers_own),
        FIXTURE_TEST(net_BN_24_without_a_socket_nobody_is_known),
        FIXTURE_TEST(net_BN_24_allowUsers),
        FIXTURE_TEST(net_BN_24_allowGroups),
        FIXTURE_TEST(net_BN_24_either_of_both_lists_lets_in),
        FIXTURE_TEST(net_BN_24_names_of_users),
    };

    return cmocka_run_group_tests_name("ipc_peers", tests, NULL, NULL);
}
