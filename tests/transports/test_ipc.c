/* SPDX-License-Identifier: MIT */
/* Unix domain sockets: paths and abstract names, the socket file's life and permissions, peers. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "socket_file.h"
#include "users.h"

/* Configuring says no at once: the message. */
static const char *fault_of(fixture *f, const char *endpoint)
{
    weir_endpoint *parsed = NULL;
    weir_error *error = NULL;
    const char *message;

    assert_code(weir_endpoint_parse(f->runtime, endpoint, WEIR_SERVER, NULL, &parsed, &error), WEIR_EINVALID_CONFIG);
    message = fixture_text(f, "%s", error->message);
    weir_error_release(error);
    return message;
}

static const char *url_of(fixture *f, const char *path)
{
    return fixture_text(f, "ipc:%s", path);
}

/* ---- paths and names ---- */

static void net_PATH_03_PATH_07_PATH_17_a_path(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *server = fixture_listen(f, url_of(f, path), NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_address address;
    char text[WEIR_ADDRESS_TEXT_SIZE];

    socket_file_mode(path);
    assert_code(weir_server_address(server, &address), 0);
    weir_address_format(&address, text, sizeof(text));
    assert_string_equal(text, path); /* SRV-18 */
    recorder_write(p.client, "hello", 5);
    recorder_wait_data(p.accepted, 5);
    recorder_expect(p.client, "resume connect ready w1"); /* no 'lookup', no attempts: A-35 */
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_false(socket_file_exists(path));                          /* in the call itself */
    assert_code(weir_server_address(server, &address), UV_ENOTCONN); /* */
}

static void net_PATH_03_a_relative_path(void **state)
{
    fixture *f = *state;
    weir_server *server;
    weir_address address;
    char text[WEIR_ADDRESS_TEXT_SIZE];
    char before[4096];

    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(f->folder), 0);
    server = fixture_listen(f, "ipc:here.sock", NULL);
    assert_int_equal(chdir(before), 0);
    assert_true(socket_file_exists(fixture_path(f, "here.sock")));
    assert_code(weir_server_address(server, &address), 0);
    weir_address_format(&address, text, sizeof(text));
    assert_string_equal(text, "here.sock");
    /* removed from where it is, not from where we are */
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_false(socket_file_exists(fixture_path(f, "here.sock")));
}

static void net_PATH_02_percent_signs_and_blanks_in_paths(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, fixture_text(f, "ipc:%s/a%%20b%%25c", f->folder), NULL);

    assert_true(socket_file_exists(fixture_path(f, "a b%c")));
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_non_null(strstr(fault_of(f, "{\"ipc\": {\"path\": \"/tmp/a%2\"}}"), "must follow a %"));
    assert_non_null(strstr(fault_of(f, "{\"ipc\": {\"path\": \"/tmp/a%00b\"}}"), "cannot have a NUL"));
}

static void net_PATH_11_PATH_12_PATH_14_BN_13_an_abstract_name(void **state)
{
    fixture *f = *state;
    const char *name = fixture_text(f, "weir%d", (int)getpid());
    const char *url = fixture_text(f, "ipc:@%s%%00x", name);
    weir_server *server = fixture_listen(f, url, NULL);
    struct sockaddr_un raw = {.sun_family = AF_UNIX};
    size_t length = strlen(name);
    weir_address address;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    fixture_connect(f, server, url, NULL);
    assert_code(weir_server_address(server, &address), 0);
    assert_int_equal(address.abstract, 1);
    assert_int_equal(address.length, length + 2);
    /* exactly that name: with the NUL inside, and nothing behind it */
    memcpy(raw.sun_path + 1, name, length);
    raw.sun_path[length + 2] = 'x';
    assert_int_equal(connect(fd, (struct sockaddr *)&raw, (socklen_t)(sizeof(sa_family_t) + length + 3)), 0);
    close(fd);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&raw, (socklen_t)(sizeof(sa_family_t) + length + 1)), -1);
    assert_int_equal(errno, ECONNREFUSED);
    close(fd);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    server = fixture_listen(f, url, NULL); /* at once */
    assert_int_equal(weir_server_listening(server), 1);
}

static void net_PATH_13_an_abstract_name_has_no_permissions(void **state)
{
    fixture *f = *state;

    assert_non_null(strstr(fault_of(f, "ipc:@x?readableAll=true"), "is no file"));
    assert_non_null(strstr(fault_of(f, "ipc:@x?mode=0600"), "is no file"));
    assert_non_null(strstr(fault_of(f, "{\"ipc\": {\"path\": \"@\"}}"), "a name must follow"));
}

static void net_BN_12_a_path_too_long_is_refused(void **state)
{
    fixture *f = *state;
    const char *path = fixture_text(f, "%s/%0*d", f->folder, (int)(108 - strlen(f->folder) - 1), 7);
    const char *fault = fault_of(f, url_of(f, path));

    assert_non_null(strstr(fault, "(ENAMETOOLONG); the path has 108 bytes, the name of a socket at most 107"));
    assert_false(socket_file_exists(path));
    fault = fault_of(f, fixture_text(f, "ipc:@%0*d", 108, 7));
    assert_non_null(strstr(fault, "(ENAMETOOLONG); the abstract name has 108 bytes"));
}

static void net_BN_12_the_longest_path(void **state)
{
    fixture *f = *state;
    const char *path = fixture_text(f, "%s/%0*d", f->folder, (int)(107 - strlen(f->folder) - 1), 7);
    weir_server *server = fixture_listen(f, url_of(f, path), NULL);

    assert_int_equal(strlen(path), 107);
    assert_true(socket_file_exists(path));
    fixture_connect(f, server, NULL, NULL);
}

static void net_PATH_05_A_01_truncatePath_cuts_at_107(void **state)
{
    fixture *f = *state;
    const char *path = fixture_text(f, "%s/%0*d", f->folder, (int)(120 - strlen(f->folder) - 1), 7);
    const char *url = fixture_text(f, "ipc:%s?truncatePath=true", path);
    weir_server *server = fixture_listen(f, url, NULL);

    assert_true(socket_file_exists(fixture_text(f, "%.107s", path)));
    fixture_connect(f, server, url, NULL);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_false(socket_file_exists(fixture_text(f, "%.107s", path)));
}

/* ---- refusals ---- */

static void net_PATH_15_SRV_42_what_listen_is_refused(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "taken");
    socket_file_refusal refused;

    close(creat(path, 0600));
    refused = socket_file_refused(f, url_of(f, path));
    assert_code(refused.code, UV_EADDRINUSE);
    refused = socket_file_refused(f, url_of(f, fixture_path(f, "none/sock")));
    assert_code(refused.code, UV_EACCES);
    assert_string_equal(refused.message, fixture_text(f,
                                                      "listen ipc:%s: permission denied (EACCES); the folder does "
                                                      "not exist",
                                                      fixture_path(f, "none/sock")));
}

static void net_PATH_16_what_connect_is_refused(void **state)
{
    fixture *f = *state;
    const char *file = fixture_path(f, "file");
    recorder *missing = fixture_client(f, url_of(f, fixture_path(f, "missing")), NULL);
    recorder *other;
    const weir_error *error;

    close(creat(file, 0600));
    other = fixture_client(f, url_of(f, file), NULL);
    recorder_wait(missing, WEIR_EVENT_CLOSE);
    recorder_wait(other, WEIR_EVENT_CLOSE);
    recorder_expect(missing, "resume error:ENOENT close:error");
    recorder_expect(other, "resume error:ECONNREFUSED close:error");
    error = weir_stream_errored(missing->stream);
    assert_string_equal(error->syscall, "connect");
    assert_string_equal(error->address, fixture_path(f, "missing"));
    assert_int_equal(error->port, -1);
}

/* ---- the file: who may, and when it goes ---- */

static void net_BN_10_SRV_56_SRV_57_permissions_of_the_file(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *options;
        mode_t umask;
        int mode;
    } rows[] = {
        {"", 022, 0755},
        {"?readableAll=true", 077, 0744},
        {"?writableAll=true", 077, 0722},
        {"?writableAll=true", 022, 0777},
        {"?readableAll=true&writableAll=true", 077, 0766},
        {"?mode=0660", 022, 0660},
        {"?mode=666", 077, 0666},
        {"?mode=0600", 0, 0600},
        {"?mode=0640&writableAll=true", 022, 0662},
    };
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *path = fixture_path(f, "sock");
        mode_t before = umask(rows[i].umask);
        weir_server *server = fixture_listen(f, fixture_text(f, "ipc:%s%s", path, rows[i].options), NULL);

        umask(before);
        assert_int_equal(socket_file_mode(path), rows[i].mode);
        assert_code(weir_server_close(server, NULL, NULL), 0);
    }
}

static void net_BN_10_owner_of_the_file(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    struct stat found;

    users_skip_without(12345, 54321);
    fixture_listen(f, fixture_text(f, "ipc:%s?user=12345&group=54321&mode=0660", path), NULL);
    assert_int_equal(lstat(path, &found), 0);
    assert_int_equal(found.st_uid, 12345);
    assert_int_equal(found.st_gid, 54321);
    assert_int_equal(found.st_mode & 07777, 0660);
    assert_non_null(strstr(fault_of(f, "ipc:/tmp/x?user=no-such-user"), "there is no user \"no-such-user\""));
}

/* Not the fixture's folder: it may lie below one that only root can enter. */
static void net_BN_10_an_owner_that_may_not_be_set_leaves_no_file(void **state)
{
    fixture *f = *state;
    char folder[] = "/tmp/weir-XXXXXX";
    weir_server *server;
    uid_t us = geteuid();
    const char *path;

    if (us == 0)
        users_skip_without(65534, 65534);
    server = weir_server_new(f->runtime, NULL);
    assert_non_null(mkdtemp(folder));
    path = fixture_text(f, "%s/sock", folder);
    /* While its file can be read: the build may lie where only root may look. */
    assert_code(weir_runtime_load_plugin(f->runtime, "ipc", NULL, NULL), 0);
    if (us == 0) {
        assert_int_equal(chown(folder, 65534, (gid_t)-1), 0);
        assert_int_equal(seteuid(65534), 0);
    }
    assert_code(weir_server_listen(server, fixture_text(f, "ipc:%s?user=0", path), NULL, NULL), 0);
    fixture_turns(f, 5);
    assert_int_equal(weir_server_listening(server), 0);
    assert_false(socket_file_exists(path));
    if (us == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_non_null(strstr(fixture_log(f), fixture_text(f, "chown ipc:%s: operation not permitted (EPERM)", path)));
    weir_server_release(server);
}

static void net_BN_11_a_file_that_was_replaced_stays(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *server = fixture_listen(f, url_of(f, path), NULL);
    int other;

    assert_int_equal(unlink(path), 0);
    other = raw_bind_path(path);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_true(socket_file_exists(path));
    close(other);
}

static void net_PATH_07_a_file_that_is_gone_is_no_error(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *server = fixture_listen(f, url_of(f, path), NULL);

    assert_int_equal(unlink(path), 0);
    assert_code(weir_server_close_wait(server), 0);
}

static void on_done(const weir_event *event, void *arg)
{
    (void)event;
    *(int *)arg = 1;
}

static void net_PATH_08_a_file_from_elsewhere_stays(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *server = weir_server_new(f->runtime, NULL);
    weir_endpoint *endpoint = NULL;
    int done = 0;

    assert_code(weir_endpoint_parse(f->runtime, url_of(f, path), WEIR_SERVER, NULL, &endpoint, NULL), 0);
    assert_code(weir_server_listen_fd(server, endpoint, raw_bind_path(path), on_done, &done), 0);
    weir_endpoint_release(endpoint);
    fixture_until(f, &done);
    close(raw_connect_path(path));
    assert_code(weir_server_close_wait(server), 0);
    assert_true(socket_file_exists(path));
    weir_server_release(server);
}

static void net_BN_11_PATH_09_a_stale_file(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    socket_file_refusal refused;

    close(raw_bind_path(path));
    refused = socket_file_refused(f, url_of(f, path));
    assert_code(refused.code, UV_EADDRINUSE);
    assert_non_null(strstr(refused.message, "unlinkStale"));
    fixture_listen(f, fixture_text(f, "ipc:%s?unlinkStale=true", path), NULL);
    close(raw_connect_path(path));
}

static void net_BN_11_unlinkStale_leaves_what_is_not_stale(void **state)
{
    fixture *f = *state;
    const char *live = fixture_path(f, "live");
    const char *file = fixture_path(f, "file");
    weir_server *server = fixture_listen(f, url_of(f, live), NULL);
    socket_file_refusal refused = socket_file_refused(f, fixture_text(f, "ipc:%s?unlinkStale=true", live));

    assert_code(refused.code, UV_EADDRINUSE);
    fixture_connect(f, server, NULL, NULL);
    close(creat(file, 0600));
    refused = socket_file_refused(f, fixture_text(f, "ipc:%s?unlinkStale=true", file));
    assert_code(refused.code, UV_EADDRINUSE);
    assert_true(socket_file_exists(file));
}

/* ---- peers ---- */

static int64_t number(weir_stream *stream, const char *name)
{
    weir_value value;

    assert_code(weir_stream_get(stream, name, &value), 0);
    return value.number;
}

static void net_BN_24_SOCP_13_facts_of_a_stream(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *server = fixture_listen(f, url_of(f, path), NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    weir_address address;
    weir_value value;

    assert_int_equal(number(p.accepted->stream, "peerPid"), getpid());
    assert_int_equal(number(p.accepted->stream, "peerUid"), geteuid());
    assert_int_equal(number(p.client->stream, "peerGid"), getegid());
    assert_code(weir_stream_get(p.client->stream, "remotePath", &value), 0);
    assert_int_equal(value.address.length, strlen(path));
    assert_memory_equal(value.address.bytes, path, strlen(path));
    assert_code(weir_stream_get(p.accepted->stream, "remotePath", &value), UV_ENOENT);
    assert_code(weir_stream_remote_address(p.client->stream, &address), UV_ENOENT);
    assert_code(weir_stream_local_address(p.client->stream, &address), UV_ENOENT);
}

static void net_SOCM_27_SOCM_36_SOCM_40_what_means_nothing_here(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, url_of(f, fixture_path(f, "sock")), NULL);
    pair p = fixture_connect(f, server, NULL, NULL);

    assert_code(weir_stream_set_no_delay(p.client->stream, 1), 0);
    assert_code(weir_stream_set_keep_alive(p.client->stream, 1, 1000), 0);
    assert_code(weir_stream_reset_and_destroy(p.client->stream), WEIR_EINVALIDHANDLETYPE);
    recorder_write(p.client, "still here", 10);
    recorder_wait_data(p.accepted, 10);
}

static void on_drop(const weir_event *event, void *arg)
{
    *(weir_drop *)arg = *event->drop;
}

static void net_BN_09_SRV_14_a_drop_says_who_it_was(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, url_of(f, fixture_path(f, "sock")), NULL);
    weir_drop drop = {.peer_pid = -1};
    recorder *client;

    weir_server_set_max_connections(server, 1);
    weir_server_on(server, WEIR_EVENT_DROP, on_drop, &drop);
    fixture_connect(f, server, NULL, NULL);
    client = fixture_client(f, fixture_url(f, server), NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_int_equal(drop.reason, WEIR_DROP_MAX_CONNECTIONS);
    assert_int_equal(drop.peer_pid, getpid());
    assert_int_equal(drop.peer_uid, geteuid());
}

static void net_BN_24_only_those_admitted_come_in(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *server = fixture_listen(
        f, fixture_text(f, "{\"ipc\": {\"path\": \"%s\", \"allowUsers\": [%d]}}", path, (int)geteuid() + 1), NULL);
    weir_drop drop = {.peer_pid = -1};
    recorder *client;

    weir_server_on(server, WEIR_EVENT_DROP, on_drop, &drop);
    client = fixture_client(f, url_of(f, path), NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "end"));
    assert_int_equal(drop.reason, WEIR_DROP_BLOCK_LIST);
    assert_int_equal(drop.peer_pid, getpid());
    assert_int_equal(weir_server_connections(server), 0);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    server =
        fixture_listen(f,
                       fixture_text(f, "{\"ipc\": {\"path\": \"%s\", \"allowUsers\": [%d], \"allowGroups\": [%d]}}",
                                    path, (int)geteuid() + 1, (int)getegid()),
                       NULL);
    fixture_connect(f, server, url_of(f, path), NULL);
    assert_non_null(strstr(fault_of(f, "{\"ipc\": {\"path\": \"/tmp/x\", \"allowGroups\": [\"no-such-group\"]}}"),
                           "there is no group \"no-such-group\""));
}

/* The kernel has no event for "there is room in the queue again". */
static void net_PATH_16_a_full_queue_is_waited_for(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    int listener = raw_bind_path(path);
    int accepted[3];
    recorder *clients[3];
    size_t i;

    assert_int_equal(listen(listener, 0), 0); /* one may wait */
    for (i = 0; i < 3; i++)
        clients[i] = fixture_client(f, url_of(f, path), NULL);
    recorder_wait(clients[0], WEIR_EVENT_CONNECT);
    fixture_turns(f, 20);
    assert_false(recorder_saw(clients[1], "connect"));
    for (i = 0; i < 3; i++) {
        recorder_wait(clients[i], WEIR_EVENT_CONNECT);
        accepted[i] = accept(listener, NULL, NULL);
        assert_true(accepted[i] >= 0);
    }
    for (i = 0; i < 3; i++) {
        close(accepted[i]);
        recorder_wait(clients[i], WEIR_EVENT_CLOSE);
    }
    close(listener);
}

static void net_BN_14_a_full_queue_and_a_connect_timeout(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    int listener = raw_bind_path(path);
    int first;
    recorder *client;

    assert_int_equal(listen(listener, 0), 0);
    first = raw_connect_path(path);
    client = fixture_client(f, fixture_text(f, "ipc:%s?connectTimeout=50", path), NULL);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    assert_true(recorder_saw(client, "error:ETIMEDOUT"));
    close(first);
    close(listener);
}

/* ---- bytes ---- */

#define MANY ((size_t)3 * 1024 * 1024)

static void net_WR_02_a_lot_of_bytes(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, url_of(f, fixture_path(f, "sock")), NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    char *bytes = malloc(MANY);
    size_t i;

    assert_non_null(bytes);
    fixture_fill(bytes, MANY, 7);
    for (i = 0; i < MANY; i += 4096)
        recorder_write(p.client, bytes + i, 4096);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(p.accepted, bytes, MANY);
    free(bytes);
}

static void net_BN_06_a_peer_that_closes_with_our_bytes_unread(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *server = fixture_listen(f, url_of(f, path), NULL);
    int peer = raw_connect_path(path);
    recorder *accepted = fixture_accepted(f, server, 0);

    recorder_write(accepted, "unread", 6);
    raw_send(peer, "hello");
    close(peer); /* with bytes of ours in its queue: a reset */
    recorder_wait(accepted, WEIR_EVENT_CLOSE);
    recorder_expect_data(accepted, "hello", 5);
    assert_true(recorder_saw(accepted, "error:ECONNRESET"));
    assert_false(recorder_saw(accepted, "end"));
    /* The client has no name; the message names the server's. */
    assert_string_equal(weir_stream_errored(accepted->stream)->message,
                        fixture_text(f, "read ipc:%s: connection reset by peer (ECONNRESET)", path));
}

static void net_BN_12_an_abstract_name_that_is_taken(void **state)
{
    fixture *f = *state;
    const char *url = fixture_text(f, "ipc:@weir-taken-%d", (int)getpid());
    weir_server *server = fixture_listen(f, url, NULL);
    socket_file_refusal refused = socket_file_refused(f, url);

    assert_code(refused.code, UV_EADDRINUSE);
    assert_non_null(strstr(refused.message, "(EADDRINUSE); another socket has this name already"));
    assert_null(strstr(refused.message, "unlinkStale"));
    assert_code(weir_server_close(server, NULL, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(net_PATH_03_PATH_07_PATH_17_a_path),
        FIXTURE_TEST(net_PATH_03_a_relative_path),
        FIXTURE_TEST(net_PATH_02_percent_signs_and_blanks_in_paths),
        FIXTURE_TEST(net_PATH_11_PATH_12_PATH_14_BN_13_an_abstract_name),
        FIXTURE_TEST(net_PATH_13_an_abstract_name_has_no_permissions),
        FIXTURE_TEST(net_BN_12_a_path_too_long_is_refused),
        FIXTURE_TEST(net_BN_12_an_abstract_name_that_is_taken),
        FIXTURE_TEST(net_BN_12_the_longest_path),
        FIXTURE_TEST(net_PATH_05_A_01_truncatePath_cuts_at_107),
        FIXTURE_TEST(net_PATH_15_SRV_42_what_listen_is_refused),
        FIXTURE_TEST(net_PATH_16_what_connect_is_refused),
        FIXTURE_TEST(net_BN_10_SRV_56_SRV_57_permissions_of_the_file),
        FIXTURE_TEST(net_BN_10_owner_of_the_file),
        FIXTURE_TEST(net_BN_10_an_owner_that_may_not_be_set_leaves_no_file),
        FIXTURE_TEST(net_BN_11_a_file_that_was_replaced_stays),
        FIXTURE_TEST(net_PATH_07_a_file_that_is_gone_is_no_error),
        FIXTURE_TEST(net_PATH_08_a_file_from_elsewhere_stays),
        FIXTURE_TEST(net_BN_11_PATH_09_a_stale_file),
        FIXTURE_TEST(net_BN_11_unlinkStale_leaves_what_is_not_stale),
        FIXTURE_TEST(net_BN_24_SOCP_13_facts_of_a_stream),
        FIXTURE_TEST(net_SOCM_27_SOCM_36_SOCM_40_what_means_nothing_here),
        FIXTURE_TEST(net_BN_09_SRV_14_a_drop_says_who_it_was),
        FIXTURE_TEST(net_BN_24_only_those_admitted_come_in),
        FIXTURE_TEST(net_PATH_16_a_full_queue_is_waited_for),
        FIXTURE_TEST(net_BN_14_a_full_queue_and_a_connect_timeout),
        FIXTURE_TEST(net_WR_02_a_lot_of_bytes),
        FIXTURE_TEST(net_BN_06_a_peer_that_closes_with_our_bytes_unread),
    };

    return cmocka_run_group_tests_name("ipc", tests, NULL, NULL);
}
