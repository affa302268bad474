/* SPDX-License-Identifier: MIT */
/* Paths of unix sockets as the system sees them: who may make and reach them, how long they last, what they are. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/inotify.h>

#include "child.h"
#include "socket_file.h"
#include "users.h"

/* ---- what the tests share ---- */

static const char *url_of(fixture *f, const char *path)
{
    return fixture_text(f, "ipc:%s", path);
}

#define NOBODY 65534

/*
 * Acts as an ordinary user in a folder of its own, which lies where it can enter: to root no permission is refused. An
 * ordinary user stays what it is.
 */
typedef struct ordinary {
    char folder[32];
    uid_t before;
} ordinary;

static void ordinary_begin(fixture *f, ordinary *user)
{
    strcpy(user->folder, "/tmp/weir-XXXXXX");
    user->before = geteuid();
    if (user->before == 0)
        users_skip_without(NOBODY, NOBODY);
    assert_non_null(mkdtemp(user->folder));
    /* While its file can be read: the build may lie where only root may look. */
    assert_code(weir_runtime_load_plugin(f->runtime, "ipc", NULL, NULL), 0);
    if (user->before == 0) {
        assert_int_equal(chown(user->folder, NOBODY, (gid_t)-1), 0);
        assert_int_equal(seteuid(NOBODY), 0);
    }
}

static void ordinary_end(ordinary *user)
{
    if (user->before == 0)
        assert_int_equal(seteuid(0), 0);
    assert_int_equal(rmdir(user->folder), 0);
}

static void expect_connect_error(fixture *f, const char *path, const char *word)
{
    recorder *client = fixture_client(f, url_of(f, path), NULL);
    const weir_error *error;

    recorder_wait(client, WEIR_EVENT_CLOSE);
    recorder_expect(client, fixture_text(f, "resume error:%s close:error", word));
    error = weir_stream_errored(client->stream);
    assert_string_equal(error->syscall, "connect");
    assert_string_equal(error->address, path);
    assert_int_equal(error->port, -1);
}

/* ---- the transport ---- */

static void net_PATH_01_a_stream_socket_of_the_unix_domain(void **state)
{
    fixture *f = *state;
    weir_server *server = fixture_listen(f, url_of(f, fixture_path(f, "sock")), NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    recorder *const both[2] = {p.client, p.accepted};
    size_t i;

    for (i = 0; i < 2; i++) {
        assert_int_equal(raw_option(raw_fd_of(both[i]->stream), SOL_SOCKET, SO_DOMAIN), AF_UNIX);
        assert_int_equal(raw_option(raw_fd_of(both[i]->stream), SOL_SOCKET, SO_TYPE), SOCK_STREAM);
    }
    recorder_write(p.client, "there", 5);
    recorder_end(p.client);
    recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    recorder_wait(p.client, WEIR_EVENT_CLOSE);
    recorder_expect(p.accepted, "resume data:5 end finish close");
    recorder_expect(p.client, "resume connect ready w1 e1 finish end close");
}

/* The same words are a path for ipc and a port for tcp; it is the endpoint that says which. */
static void net_PATH_02_a_path_selects_ipc_a_port_tcp(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *servers[2];
    static const int domains[2] = {AF_UNIX, AF_INET};
    size_t i;

    servers[0] = fixture_listen(f, fixture_text(f, "{\"ipc\": {\"path\": \"%s\"}}", path), NULL);
    servers[1] = fixture_listen(f, "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}}", NULL);
    for (i = 0; i < 2; i++) {
        pair p = fixture_connect(f, servers[i], NULL, NULL);

        assert_int_equal(raw_option(raw_fd_of(p.client->stream), SOL_SOCKET, SO_DOMAIN), domains[i]);
    }
}

static void net_PATH_06_the_longest_path_is_the_systems(void **state)
{
    struct sockaddr_un address;

    (void)state;
    assert_int_equal(WEIR_PATH_MAX, sizeof(address.sun_path) - 1);
}

/* ---- permissions ---- */

static void net_PATH_04_PATH_15_where_nothing_may_be_made(void **state)
{
    fixture *f = *state;
    ordinary user;
    const char *path;
    socket_file_refusal refused;

    ordinary_begin(f, &user);
    path = fixture_text(f, "%s/sock", user.folder);
    assert_int_equal(chmod(user.folder, 0500), 0); /* to be searched, not to be written */
    refused = socket_file_refused(f, url_of(f, path));
    assert_code(refused.code, UV_EACCES);
    assert_non_null(strstr(refused.message, fixture_text(f, "listen ipc:%s: permission denied (EACCES)", path)));
    assert_int_equal(chmod(user.folder, 0600), 0); /* to be written, not to be searched */
    assert_code(socket_file_refused(f, url_of(f, path)).code, UV_EACCES);
    assert_int_equal(chmod(user.folder, 0700), 0);
    assert_false(socket_file_exists(path));
    ordinary_end(&user);
}

static void net_PATH_04_PATH_16_what_may_not_be_reached(void **state)
{
    fixture *f = *state;
    ordinary user;
    const char *path;
    weir_server *server;

    ordinary_begin(f, &user);
    path = fixture_text(f, "%s/sock", user.folder);
    server = fixture_listen(f, url_of(f, path), NULL);
    assert_int_equal(chmod(path, 0555), 0); /* connecting needs write permission */
    expect_connect_error(f, path, "EACCES");
    assert_int_equal(chmod(path, 0200), 0);
    assert_int_equal(chmod(user.folder, 0600), 0);
    expect_connect_error(f, path, "EACCES");
    assert_int_equal(chmod(user.folder, 0700), 0);
    fixture_connect(f, server, NULL, NULL);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    ordinary_end(&user);
}

/* What is no name of a file is none of a socket. */
static void net_PATH_04_PATH_15_PATH_16_names_that_lead_nowhere(void **state)
{
    fixture *f = *state;
    const char *file = fixture_path(f, "file");
    const char *below = fixture_path(f, "file/sock");
    const char *loop = fixture_path(f, "loop");

    close(creat(file, 0600));
    assert_int_equal(symlink(loop, loop), 0);
    assert_code(socket_file_refused(f, url_of(f, below)).code, UV_ENOTDIR);
    expect_connect_error(f, below, "ENOTDIR");
    expect_connect_error(f, loop, "ELOOP");
    assert_code(socket_file_refused(f, url_of(f, loop)).code, UV_EADDRINUSE);
    assert_code(socket_file_refused(f, url_of(f, f->folder)).code, UV_EADDRINUSE); /* a folder is there */
    assert_code(socket_file_refused(f, url_of(f, fixture_path(f, "none/sock"))).code, UV_EACCES);
}

static void net_PATH_15_PATH_16_what_is_at_the_path_already(void **state)
{
    fixture *f = *state;
    const char *live = fixture_path(f, "live");
    const char *stale = fixture_path(f, "stale");
    const char *file = fixture_path(f, "file");

    fixture_listen(f, url_of(f, live), NULL);
    close(raw_bind_path(stale));
    close(creat(file, 0600));
    assert_code(socket_file_refused(f, url_of(f, live)).code, UV_EADDRINUSE);
    assert_code(socket_file_refused(f, url_of(f, stale)).code, UV_EADDRINUSE);
    assert_code(socket_file_refused(f, url_of(f, file)).code, UV_EADDRINUSE);
    expect_connect_error(f, stale, "ECONNREFUSED");
    expect_connect_error(f, file, "ECONNREFUSED");
    expect_connect_error(f, fixture_path(f, "missing"), "ENOENT");
}

/* ---- the mode of the file ---- */

static int connects(const char *path)
{
    int fd = raw_connect_path(path);

    return fd >= 0 ? 0 : -fd;
}

static void net_SRV_58_readableAll_and_writableAll_let_everybody_in(void **state)
{
    fixture *f = *state;
    char folder[] = "/tmp/weir-XXXXXX";
    mode_t before;
    weir_server *server;
    const char *path;

    users_skip_without(NOBODY, NOBODY);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    path = fixture_text(f, "%s/sock", folder);
    before = umask(022);
    server = fixture_listen(f, url_of(f, path), NULL);
    assert_int_equal(raw_as_user(NOBODY, NOBODY, 0, connects, path), EACCES);
    assert_code(weir_server_close_wait(server), 0);
    server = fixture_listen(f, fixture_text(f, "ipc:%s?readableAll=true&writableAll=true", path), NULL);
    umask(before);
    assert_int_equal(socket_file_mode(path), 0777);
    assert_int_equal(raw_as_user(NOBODY, NOBODY, 0, connects, path), 0);
    fixture_accepted(f, server, 0);
    assert_code(weir_server_close(server, NULL, NULL), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* A mode narrower than the umask's is there from the first moment, not set afterwards. */
static void net_BN_10_the_file_is_never_wider_than_it_shall_be(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    mode_t before = umask(0);
    char events[1024];
    const struct inotify_event *first = (const void *)events;
    ssize_t size;

    assert_true(inotify_add_watch(watch, f->folder, IN_CREATE | IN_ATTRIB) >= 0);
    fixture_listen(f, fixture_text(f, "ipc:%s?mode=0600", path), NULL);
    umask(before);
    assert_int_equal(socket_file_mode(path), 0600);
    size = read(watch, events, sizeof(events));
    close(watch);
    assert_int_equal(size, sizeof(*first) + first->len); /* made, and never changed */
    assert_int_equal(first->mask, IN_CREATE);
}

/* Between bind(2) and listen(2) nobody can connect: a file that has to be widened is not open to anybody before. */
static void net_BN_10_SRV_56_SRV_57_bits_are_added_to_the_mode(void **state)
{
    fixture *f = *state;
    static const struct {
        const char *options;
        int mode;
    } rows[] = {
        {"mode=0600&readableAll=true", 0644},
        {"mode=0600&writableAll=true", 0622},
        {"mode=0770&readableAll=true&writableAll=true", 0776},
        {"readableAll=false&writableAll=false", 0700},
    };
    size_t i;

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *path = fixture_path(f, "sock");
        mode_t before = umask(077);
        weir_server *server = fixture_listen(f, fixture_text(f, "ipc:%s?%s", path, rows[i].options), NULL);

        umask(before);
        assert_int_equal(socket_file_mode(path), rows[i].mode);
        fixture_connect(f, server, url_of(f, path), NULL);
        assert_code(weir_server_close(server, NULL, NULL), 0);
    }
}

/* ---- how long it lasts ---- */

static void net_PATH_09_BN_11_a_killed_process_leaves_the_file(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    const char *service = fixture_path(f, "service.json");
    FILE *file = fopen(service, "w");
    weir_server *server;
    child *weir;

    assert_non_null(file);
    fprintf(file, "{\"servers\": [{\"name\": \"a\", \"listen\": \"ipc:%s\", \"handler\": \"echo\"}]}", path);
    assert_int_equal(fclose(file), 0);
    weir = CHILD(CHILD_CLOSED, CHILD_PIPE, "run", service);
    while (!strstr(child_line(weir), "\"event\":\"running\"")) {
    }
    close(raw_connect_path(path));
    assert_int_equal(kill(weir->pid, SIGKILL), 0);
    assert_int_equal(child_finish(weir), 256 + SIGKILL);
    child_free(weir);
    assert_true(socket_file_exists(path));
    assert_int_equal(raw_connect_path(path), -ECONNREFUSED);
    assert_code(socket_file_refused(f, url_of(f, path)).code, UV_EADDRINUSE); /* nobody probes and removes it ... */
    server = fixture_listen(f, fixture_text(f, "ipc:%s?unlinkStale=true", path), NULL); /* ... unless asked to */
    fixture_connect(f, server, url_of(f, path), NULL);
}

static void net_PATH_10_a_node_stays_until_it_is_unlinked(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "sock");
    weir_server *server = fixture_listen(f, fixture_text(f, "ipc:%s?unlinkOnClose=false", path), NULL);
    struct stat before;
    struct stat after;

    assert_int_equal(lstat(path, &before), 0);
    assert_code(weir_server_close_wait(server), 0);
    assert_int_equal(lstat(path, &after), 0);
    assert_int_equal(after.st_ino, before.st_ino);
    assert_int_equal(unlink(path), 0);
    fixture_listen(f, url_of(f, path), NULL);
}

/* What is another user's is not an ordinary one's to remove. */
static void net_BN_11_unlinkStale_of_what_is_another_users(void **state)
{
    fixture *f = *state;
    ordinary user;
    const char *path;

    users_skip_without(NOBODY, NOBODY);
    ordinary_begin(f, &user);
    path = fixture_text(f, "%s/sock", user.folder);
    assert_int_equal(seteuid(0), 0);
    close(raw_bind_path(path)); /* root's, in a folder of the user's */
    assert_int_equal(seteuid(NOBODY), 0);
    assert_code(socket_file_refused(f, fixture_text(f, "ipc:%s?unlinkStale=true", path)).code, UV_EADDRINUSE);
    assert_true(socket_file_exists(path));
    assert_int_equal(unlink(path), 0);
    close(raw_bind_path(path)); /* the user's, and root listens */
    assert_int_equal(seteuid(0), 0);
    assert_code(weir_server_close_wait(fixture_listen(f, fixture_text(f, "ipc:%s?unlinkStale=true", path), NULL)), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    assert_false(socket_file_exists(path));
    ordinary_end(&user);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(net_PATH_01_a_stream_socket_of_the_unix_domain),
        FIXTURE_TEST(net_PATH_02_a_path_selects_ipc_a_port_tcp),
        FIXTURE_TEST(net_PATH_06_the_longest_path_is_the_systems),
        FIXTURE_TEST(net_PATH_04_PATH_15_where_nothing_may_be_made),
        FIXTURE_TEST(net_PATH_04_PATH_16_what_may_not_be_reached),
        FIXTURE_TEST(net_PATH_04_PATH_15_PATH_16_names_that_lead_nowhere),
        FIXTURE_TEST(net_PATH_15_PATH_16_what_is_at_the_path_already),
        FIXTURE_TEST(net_SRV_58_readableAll_and_writableAll_let_everybody_in),
        FIXTURE_TEST(net_BN_10_the_file_is_never_wider_than_it_shall_be),
        FIXTURE_TEST(net_BN_10_SRV_56_SRV_57_bits_are_added_to_the_mode),
        FIXTURE_TEST(net_PATH_09_BN_11_a_killed_process_leaves_the_file),
        FIXTURE_TEST(net_PATH_10_a_node_stays_until_it_is_unlinked),
        FIXTURE_TEST(net_BN_11_unlinkStale_of_what_is_another_users),
    };

    return cmocka_run_group_tests_name("ipc_paths", tests, NULL, NULL);
}
