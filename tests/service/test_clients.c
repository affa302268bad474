/* SPDX-License-Identifier: MIT */
/* Programs that know nothing of weir, as its clients: nc, socat, node's net, and redis-cli through a bridge. A test whose
 * program is not installed is skipped. */
#define _GNU_SOURCE

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "child.h"
#include "fixture.h"

/* More than what fits into the sockets and pipes on the way. */
#define PAYLOAD ((size_t)2 * 1024 * 1024)

typedef struct {
    child *weir;
    char *payload;
    int payload_file;
    char path[108]; /* of the unix socket */
    char name[64];  /* the abstract one, without the @ */
    char port[8];
} echo_service;

/* A path in the folder of the test program's; `at` holds it. */
static const char *in_folder(char *at, size_t size, const char *name)
{
    const char *folder = getenv("TMPDIR");
    int length =
        snprintf(at, size, "%s/%d-%s", folder != NULL && *folder != '\0' ? folder : "/tmp", (int)getpid(), name);
    assert_true(length > 0 && (size_t)length < size);
    return at;
}

/* Starts `weir run` with this text; the port of the tcp server is kept, and all servers listen when this returns. */
static child *serve(const char *json, char *port, size_t size)
{
    child *weir = CHILD(CHILD_PIPE, CHILD_PIPE, "run", child_file("clients.json", json));
    const char *line;
    while (strstr(line = child_line(weir), "\"event\":\"running\"") == NULL) {
        static const char before[] = "\"endpoint\":\"tcp://127.0.0.1:";
        const char *at = strstr(line, before);
        if (at != NULL)
            snprintf(port, size, "%d", atoi(at + strlen(before)));
    }
    return weir;
}

static void stop(child *weir)
{
    kill(weir->pid, SIGTERM);
    int code = child_finish(weir);
    if (code != 0)
        fail_msg("weir ended with %d: %s%s", code, weir->out_text, weir->err_text);
    child_free(weir);
}

/* Bytes of every value but for the line feed, which redis-cli cuts off at the end. */
static char *make_payload(int *file)
{
    char path[256];
    char *bytes = malloc(PAYLOAD);
    assert_non_null(bytes);
    for (size_t i = 0; i < PAYLOAD; i++)
        bytes[i] = (char)(i * 7 + i / 251);
    bytes[PAYLOAD - 1] = 'x';
    *file = open(in_folder(path, sizeof(path), "payload"), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(*file >= 0);
    assert_int_equal(write(*file, bytes, PAYLOAD), PAYLOAD);
    assert_int_equal(lseek(*file, 0, SEEK_SET), 0);
    return bytes;
}

static int echo_setup(void **state)
{
    char json[1024];
    child_setup(state);
    echo_service *self = calloc(1, sizeof(*self));
    if (self == NULL)
        return -1;
    self->payload = make_payload(&self->payload_file);
    snprintf(self->name, sizeof(self->name), "weir-test-clients-%d", (int)getpid());
    in_folder(self->path, sizeof(self->path), "echo");
    snprintf(json, sizeof(json),
             "{\"servers\": [{\"name\": \"tcp\", \"listen\": \"tcp://127.0.0.1:0\", \"handler\": \"echo\"},"
             "{\"name\": \"path\", \"listen\": \"ipc:%s\", \"handler\": \"echo\"},"
             "{\"name\": \"abstract\", \"listen\": \"ipc:@%s\", \"handler\": \"echo\"}]}",
             self->path, self->name);
    self->weir = serve(json, self->port, sizeof(self->port));
    *state = self;
    return 0;
}

static int echo_teardown(void **state)
{
    echo_service *self = *state;
    stop(self->weir);
    close(self->payload_file);
    free(self->payload);
    assert_int_not_equal(access(self->path, F_OK), 0);
    free(self);
    return 0;
}

/* The client was started with the payload as its input: it must print the same and end well. */
static void expect_echo(const echo_service *self, child *client)
{
    int code = child_finish(client);
    if (code != 0)
        fail_msg("ended with %d: %s", code, client->err_text);
    assert_int_equal(client->out_size, PAYLOAD);
    assert_memory_equal(client->out_text, self->payload, PAYLOAD);
    child_free(client);
}

static void net_nc_over_tcp(void **state)
{
    const echo_service *self = *state;
    expect_echo(self, OTHER(self->payload_file, CHILD_PIPE, "nc.openbsd", "-N", "127.0.0.1", self->port));
}

static void net_PATH_18_nc_over_a_unix_socket(void **state)
{
    const echo_service *self = *state;
    expect_echo(self, OTHER(self->payload_file, CHILD_PIPE, "nc.openbsd", "-N", "-U", self->path));
}

static void socat(const echo_service *self, const char *kind, const char *where)
{
    char address[256];
    snprintf(address, sizeof(address), "%s:%s", kind, where);
    /* -t: how long it waits for the other direction after one has ended; half a second without it. */
    expect_echo(self, OTHER(self->payload_file, CHILD_PIPE, "socat", "-t", "100", "-", address));
}

static void net_socat_over_tcp(void **state)
{
    const echo_service *self = *state;
    char where[32];
    snprintf(where, sizeof(where), "127.0.0.1:%s", self->port);
    socat(self, "TCP", where);
}

static void net_PATH_18_socat_over_a_unix_socket(void **state)
{
    const echo_service *self = *state;
    socat(self, "UNIX-CONNECT", self->path);
}

static void net_socat_over_an_abstract_socket(void **state)
{
    const echo_service *self = *state;
    socat(self, "ABSTRACT-CONNECT", self->name);
}

static const char node_client[] = "const socket = require('net').connect(process.argv[1]);"
                                  "process.stdin.pipe(socket);"
                                  "socket.pipe(process.stdout);";

static void net_node_over_tcp(void **state)
{
    const echo_service *self = *state;
    expect_echo(self, OTHER(self->payload_file, CHILD_PIPE, "node", "-e", node_client, self->port));
}

static void net_PATH_18_node_over_a_unix_socket(void **state)
{
    const echo_service *self = *state;
    expect_echo(self, OTHER(self->payload_file, CHILD_PIPE, "node", "-e", node_client, self->path));
}

#define ABSTRACT_MOST 107 /* bytes of a name that fills what there is room for */

/* A Node that fills up its names has to reach the name that is filled up here; one that does not says so with 77. */
static const char node_abstract_client[] =
    "const socket = require('net').connect({path: '\\0' + process.argv[1]});"
    "socket.on('error', () => process.exit(process.versions.uv.startsWith('1.46.') ? 1 : 77));"
    "process.stdin.pipe(socket);"
    "socket.pipe(process.stdout);";

static void net_PATH_11_node_over_an_abstract_socket_that_it_fills_up(void **state)
{
    const echo_service *self = *state;
    char json[1024], port[8] = "", name[64];
    int length = snprintf(name, sizeof(name), "weir-test-filled-%d", (int)getpid());
    size_t used = (size_t)snprintf(
        json, sizeof(json), "{\"servers\": [{\"name\": \"a\", \"handler\": \"echo\", \"listen\": \"ipc:@%s", name);
    for (int i = length; i < ABSTRACT_MOST; i++)
        used += (size_t)snprintf(json + used, sizeof(json) - used, "%%00");
    snprintf(json + used, sizeof(json) - used, "\"}]}");
    child *version = OTHER(CHILD_CLOSED, CHILD_PIPE, "node", "--version"); /* skips while nothing runs yet */
    child_finish(version);
    child_free(version);
    child *weir = serve(json, port, sizeof(port));
    child *client = OTHER(self->payload_file, CHILD_PIPE, "node", "-e", node_abstract_client, name);
    int code = child_finish(client);
    stop(weir);
    if (code == 77) {
        child_free(client);
        skip();
    }
    assert_int_equal(code, 0);
    assert_int_equal(client->out_size, PAYLOAD);
    assert_memory_equal(client->out_text, self->payload, PAYLOAD);
    child_free(client);
}

/* ---- Redis ---- */

/* A port that was free a moment ago. */
static int some_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    close(fd);
    return ntohs(address.sin_port);
}

/* Until it is ready: 1; or it has ended because somebody else took the port: 0. */
static int is_ready(child *redis)
{
    const char *line;
    do {
        line = child_line(redis);
        if (strcasestr(line, "address already in use") != NULL)
            return 0;
    } while (strcasestr(line, "ready to accept connections") == NULL);
    return 1;
}

static child *start_redis(char *port, size_t size)
{
    for (int attempt = 0; attempt < 5; attempt++) {
        snprintf(port, size, "%d", some_port());
        child *redis = OTHER(CHILD_PIPE, CHILD_PIPE, "redis-server", "--port", port, "--bind", "127.0.0.1", "--save",
                             "", "--appendonly", "no", "--daemonize", "no", "--dir",
                             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp", "--logfile", "");
        if (is_ready(redis))
            return redis;
        child_free(redis);
    }
    fail_msg("no port was free five times");
    return NULL;
}

/* The bridge of the examples, between other addresses. */
static char *bridge(const char *redis_port, const char *path)
{
    char text[256];
    json_t *service = json_load_file(WEIR_TEST_SOURCE "/examples/bridge.json", 0, NULL);
    json_t *servers = json_object_get(service, "servers");
    json_t *to_tcp = json_array_get(servers, 0);
    json_t *to_path = json_array_get(servers, 1);
    assert_int_equal(json_array_size(servers), 2);
    assert_int_equal(json_object_del(service, "$schema"), 0);

    json_t *ipc = json_object_get(json_object_get(to_tcp, "listen"), "ipc");
    assert_int_equal(json_object_set_new(ipc, "path", json_string(path)), 0);
    json_t *forward = json_object_get(json_object_get(to_tcp, "handler"), "forward");
    snprintf(text, sizeof(text), "tcp://127.0.0.1:%s", redis_port);
    assert_int_equal(json_object_set_new(forward, "to", json_string(text)), 0);

    assert_int_equal(json_object_set_new(to_path, "listen", json_string("tcp://127.0.0.1:0")), 0);
    forward = json_object_get(json_object_get(to_path, "handler"), "forward");
    snprintf(text, sizeof(text), "ipc:%s", path);
    assert_int_equal(json_object_set_new(forward, "to", json_string(text)), 0);

    char *json = json_dumps(service, 0);
    assert_non_null(json);
    json_decref(service);
    return json;
}

/* What redis-cli must print: a size of this, and a line feed of its own. */
static void expect_reply(child *client, const char *reply, size_t size)
{
    int code = child_finish(client);
    if (code != 0)
        fail_msg("redis-cli ended with %d: %s%s", code, client->out_text, client->err_text);
    assert_int_equal(client->out_size, size + 1);
    assert_memory_equal(client->out_text, reply, size);
    child_free(client);
}

static void main_job_redis_through_the_bridge(void **state)
{
    char redis_port[8], port[8] = "", path[108];
    int file;
    (void)state;
    child *redis = start_redis(redis_port, sizeof(redis_port));
    char *payload = make_payload(&file);
    char *json = bridge(redis_port, in_folder(path, sizeof(path), "redis"));
    child *weir = serve(json, port, sizeof(port));

    /* A unix socket to tcp, and tcp to that unix socket. */
    expect_reply(OTHER(CHILD_PIPE, CHILD_PIPE, "redis-cli", "-s", path, "SET", "greeting", "hello"), "OK", 2);
    expect_reply(OTHER(CHILD_PIPE, CHILD_PIPE, "redis-cli", "-p", port, "GET", "greeting"), "hello", 5);
    expect_reply(OTHER(file, CHILD_PIPE, "redis-cli", "-p", port, "-x", "SET", "large"), "OK", 2);
    expect_reply(OTHER(CHILD_PIPE, CHILD_PIPE, "redis-cli", "-s", path, "GET", "large"), payload, PAYLOAD);
    expect_reply(OTHER(CHILD_PIPE, CHILD_PIPE, "redis-cli", "-p", redis_port, "STRLEN", "large"), "2097152", 7);

    stop(weir);
    assert_int_not_equal(access(path, F_OK), 0);
    kill(redis->pid, SIGTERM);
    assert_int_equal(child_finish(redis), 0);
    child_free(redis);
    close(file);
    free(payload);
    free(json);
}

#define ECHO_TEST(function) cmocka_unit_test_setup_teardown(function, echo_setup, echo_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ECHO_TEST(net_nc_over_tcp),
        ECHO_TEST(net_PATH_18_nc_over_a_unix_socket),
        ECHO_TEST(net_socat_over_tcp),
        ECHO_TEST(net_PATH_18_socat_over_a_unix_socket),
        ECHO_TEST(net_socat_over_an_abstract_socket),
        ECHO_TEST(net_node_over_tcp),
        ECHO_TEST(net_PATH_18_node_over_a_unix_socket),
        ECHO_TEST(net_PATH_11_node_over_an_abstract_socket_that_it_fills_up),
        cmocka_unit_test_setup(main_job_redis_through_the_bridge, child_setup),
    };
    return cmocka_run_group_tests_name("clients", tests, NULL, NULL);
}
