/* SPDX-License-Identifier: MIT */
/* The fixture: a loop, a runtime, a folder, and the check that nothing is left of them. */
#define _GNU_SOURCE

#include <dirent.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "arrivals.h"
#include "fixture_private.h"

#define WATCHDOG_MS     60000
#define DESCRIPTORS     4096
#define TURNS_TO_ARRIVE 10 /* an answer to what has arrived may be another packet: so not only once */

typedef struct kept_text {
    struct kept_text *next;
    char text[];
} kept_text;

typedef struct kept_port {
    struct kept_port *next;
    int fd;
} kept_port;

typedef struct kept_server {
    struct kept_server *next;
    fixture *fixture;
    weir_server *server;
    recorder **accepted;
    size_t count;
    int listening;
    char error[256];
} kept_server;

struct fixture_state {
    uv_timer_t watchdog;
    uv_prepare_t prepare;
    int (*ready)(const void *arg); /* what fixture_wait waits for, or NULL */
    const void *ready_arg;
    char folder[96];
    kept_text *texts;
    kept_server *servers;
    kept_port *ports;
    arrivals arrivals;
    recorder *recorders;
    char *log;
    size_t log_size;
    FILE *log_file;
    int descriptors;
    size_t blocks;
    size_t handles; /* open ones, in count_handle */
};

static void *need(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* ---- the surroundings ---- */

int fixture_descriptors(void)
{
    int count = 0;
    DIR *folder = need(opendir("/proc/self/fd"));
    while (readdir(folder))
        count++;
    closedir(folder);
    return count - 3; /* ".", "..", and the folder's own */
}

const char *fixture_text(fixture *f, const char *format, ...)
{
    char *text;
    va_list values;
    va_start(values, format);
    if (vasprintf(&text, format, values) < 0)
        abort();
    va_end(values);
    kept_text *kept = need(malloc(sizeof(*kept) + strlen(text) + 1));
    strcpy(kept->text, text);
    free(text);
    kept->next = f->own->texts;
    f->own->texts = kept;
    return kept->text;
}

const char *fixture_path(fixture *f, const char *name)
{
    return fixture_text(f, "%s/%s", f->folder, name);
}

const char *fixture_log(const fixture *f)
{
    fflush(f->own->log_file);
    return f->own->log;
}

size_t fixture_times(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

size_t fixture_sum_more(const char *text)
{
    size_t sum = 0;
    for (const char *at = text; (at = strstr(at, " more ")) != NULL; at++) {
        const char *number = at;
        while (number > text && strchr("0123456789", number[-1]))
            number--;
        sum += strtoul(number, NULL, 10);
    }
    return sum;
}

static void on_log(weir_log_level level, const char *message, void *arg)
{
    fixture *f = arg;
    fprintf(f->own->log_file, "%s: %s\n", weir_log_level_name(level), message);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status;
    (void)type;
    (void)walk;
    return remove(path);
}

static void make_folder(fixture *f)
{
    const char *base = getenv("TMPDIR");
    snprintf(f->own->folder, sizeof(f->own->folder), "%s/XXXXXX", base && *base ? base : "/tmp");
    f->folder = need(mkdtemp(f->own->folder));
}

/* ---- once a process ---- */

weir_runtime *fixture_new_runtime(uv_loop_t *loop)
{
    weir_runtime *runtime = weir_runtime_new(loop);
    if (runtime) {
        weir_runtime_add_plugin_path(runtime, WEIR_TEST_PLUGINS);
        weir_runtime_add_plugin_path(runtime, WEIR_TEST_ODD_PLUGINS);
    }
    return runtime;
}

static void quiet(weir_log_level level, const char *message, void *arg)
{
    (void)level;
    (void)message;
    (void)arg;
}

/* What libuv and the loader make once for the process, they make here, and not in the middle of a test's counts. */
void fixture_preload(const char *plugin)
{
    uv_loop_t loop;
    allocator_install();
    if (uv_loop_init(&loop))
        abort();
    weir_runtime *runtime = need(fixture_new_runtime(&loop));
    weir_runtime_on_log(runtime, quiet, NULL);
    if (plugin)
        weir_runtime_load_plugin(runtime, plugin, NULL, NULL);
    weir_runtime_free(runtime);
    uv_loop_close(&loop);
}

/* Some tests have hundreds of connections, whatever the shell permits by default. */
static void permit_descriptors(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= DESCRIPTORS)
        return;
    limit.rlim_cur = limit.rlim_max < DESCRIPTORS ? limit.rlim_max : DESCRIPTORS;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static void prepare_process(void)
{
    static const char *const usual[] = {NULL, "tcp", "ipc", "mem", "chaos", "probe"};
    static int done;
    if (done)
        return;
    done = 1;
    permit_descriptors();
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
        fixture_preload(usual[i]);
}

/* ---- the loop ---- */

static void on_watchdog(uv_timer_t *timer)
{
    fixture *f = timer->data;
    f->expired = 1;
}

/* What a timer or a task has brought about, in the turn that is now going to wait, is not waited for any more. */
static void on_prepare(uv_prepare_t *handle)
{
    const fixture *f = handle->data;
    if (f->own->ready && f->own->ready(f->own->ready_arg))
        uv_stop(handle->loop);
}

int fixture_turn(fixture *f, int (*ready)(const void *arg), const void *arg)
{
    f->own->ready = ready;
    f->own->ready_arg = arg;
    int alive = uv_run(&f->loop, UV_RUN_ONCE);
    f->own->ready = NULL;
    return alive;
}

void fixture_wait(fixture *f, int (*ready)(const void *arg), const void *arg, const char *what,
                  const char *(*detail)(const void *arg))
{
    while (!ready(arg)) {
        int alive = fixture_turn(f, ready, arg);
        if (ready(arg))
            return;
        if (alive && !f->expired)
            continue;
        fail_msg("waited for %s, and %s; so far: %s\n%s", what,
                 f->expired ? "the watchdog ran out" : "the loop has nothing left to do", detail ? detail(arg) : "",
                 fixture_log(f));
    }
}

static int is_set(const void *arg)
{
    return *(const int *)arg;
}

void fixture_until(fixture *f, const int *done)
{
    fixture_wait(f, is_set, done, "the test's own condition", NULL);
}

void fixture_run(fixture *f)
{
    while (uv_run(&f->loop, UV_RUN_ONCE)) {
        if (f->expired)
            fail_msg("the watchdog ran out: the loop is still busy\n%s", fixture_log(f));
    }
}

void fixture_arrive(fixture *f)
{
    arrivals_wait(&f->own->arrivals);
}

void fixture_turns(fixture *f, int count)
{
    for (int i = 0; i < count; i++) {
        if (i % TURNS_TO_ARRIVE == 0)
            fixture_arrive(f);
        uv_run(&f->loop, UV_RUN_NOWAIT);
    }
}

/* ---- setup and teardown ---- */

int fixture_setup(void **state)
{
    prepare_process();
    fixture *f = need(calloc(1, sizeof(*f)));
    struct fixture_state *own = need(calloc(1, sizeof(*own)));
    f->own = own;
    f->record = RECORD_DATA;
    own->log_file = need(open_memstream(&own->log, &own->log_size));
    make_folder(f);
    arrivals_open(&own->arrivals);
    own->descriptors = fixture_descriptors();
    own->blocks = allocator_live();
    if (uv_loop_init(&f->loop))
        return -1;
    uv_timer_init(&f->loop, &own->watchdog);
    own->watchdog.data = f;
    uv_timer_start(&own->watchdog, on_watchdog, getenv("WEIR_TEST_VALGRIND") ? 10 * WATCHDOG_MS : WATCHDOG_MS, 0);
    uv_unref((uv_handle_t *)&own->watchdog);
    uv_prepare_init(&f->loop, &own->prepare);
    own->prepare.data = f;
    uv_prepare_start(&own->prepare, on_prepare);
    uv_unref((uv_handle_t *)&own->prepare);
    f->runtime = fixture_new_runtime(&f->loop);
    if (!f->runtime)
        return -1;
    weir_runtime_on_log(f->runtime, on_log, f);
    *state = f;
    return 0;
}

static void count_handle(uv_handle_t *handle, void *arg)
{
    fixture *f = arg;
    if (uv_is_closing(handle) || handle == (uv_handle_t *)&f->own->watchdog ||
        handle == (uv_handle_t *)&f->own->prepare)
        return;
    print_error("a handle of type %s is left in the loop\n", uv_handle_type_name(uv_handle_get_type(handle)));
    f->own->handles++;
}

static size_t handles_left(fixture *f)
{
    f->own->handles = 0;
    uv_walk(&f->loop, count_handle, f);
    return f->own->handles;
}

void fixture_end(fixture *f)
{
    assert_int_equal(weir_runtime_free(f->runtime), 0);
    f->runtime = NULL;
}

static void forget_ports(fixture *f)
{
    while (f->own->ports) {
        kept_port *kept = f->own->ports;
        f->own->ports = kept->next;
        close(kept->fd);
        free(kept);
    }
}

static void forget_servers(fixture *f)
{
    while (f->own->servers) {
        kept_server *kept = f->own->servers;
        f->own->servers = kept->next;
        weir_server_release(kept->server);
        free(kept->accepted);
        free(kept);
    }
}

/* The first fault of any recorder, or NULL; all are given back. */
static char *forget_recorders(fixture *f)
{
    char *fault = NULL;
    while (f->own->recorders) {
        recorder *r = f->own->recorders;
        f->own->recorders = recorder_next(r);
        const char *found = recorder_fault(r, 1);
        if (found && !fault && asprintf(&fault, "%s, in: %s", found, r->text) < 0)
            abort();
        recorder_free(r);
    }
    return fault;
}

/* Closes the loop; 1 if something of it was left. What is left would be written to after its memory is gone. */
static int close_loop(fixture *f)
{
    if (handles_left(f))
        return 1;
    /* Only requests can be left now: a resolver's late answer. */
    while (uv_loop_alive(&f->loop) && !f->expired)
        uv_run(&f->loop, UV_RUN_ONCE);
    uv_close((uv_handle_t *)&f->own->watchdog, NULL);
    uv_close((uv_handle_t *)&f->own->prepare, NULL);
    while (uv_run(&f->loop, UV_RUN_NOWAIT)) {
    }
    return uv_loop_close(&f->loop) != 0;
}

static void free_fixture(fixture *f)
{
    fclose(f->own->log_file);
    free(f->own->log);
    while (f->own->texts) {
        kept_text *next = f->own->texts->next;
        free(f->own->texts);
        f->own->texts = next;
    }
    free(f->own);
    free(f);
}

/* What a probe has complained of first, or NULL. */
static char *probe_fault(const fixture *f)
{
    const char *begin = strstr(fixture_log(f), "error: probe ");
    if (!begin)
        return NULL;
    return need(strndup(begin, strcspn(begin, "\n")));
}

int fixture_teardown(void **state)
{
    fixture *f = *state;
    allocator_fail(0, 0);
    if (f->runtime && weir_runtime_free(f->runtime)) {
        /* The test gave up inside a callback and has failed already: all of it stays as it is. */
        print_error("the test ended inside a callback of weir; nothing can be freed\n");
        return -1;
    }
    nftw(f->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    char *fault = forget_recorders(f);
    if (!fault)
        fault = probe_fault(f);
    forget_servers(f);
    forget_ports(f);
    if (close_loop(f)) {
        free(fault);
        fail_msg("something is left in the loop");
        return -1;
    }
    int descriptors = fixture_descriptors() - f->own->descriptors;
    arrivals_close(&f->own->arrivals);
    long blocks = (long)allocator_live() - (long)f->own->blocks;
    free_fixture(f);
    if (fault) {
        print_error("the rules were broken: %s\n", fault);
        free(fault);
        fail_msg("a stream or a link broke the rules");
    }
    if (descriptors)
        fail_msg("%d descriptors more than before the test", descriptors);
    if (blocks)
        fail_msg("%ld blocks of memory more than before the test", blocks);
    return 0;
}

void fixture_adopt(fixture *f, recorder *r)
{
    recorder_link(r, f->own->recorders);
    f->own->recorders = r;
}

/* ---- ports ---- */

/* At all addresses of both families, or of IPv4 where there is no IPv6. Returns the port, 0 when that failed. */
static uint16_t bind_everywhere(int family, int fd)
{
    const int off = 0;
    union {
        struct sockaddr plain;
        struct sockaddr_in four;
        struct sockaddr_in6 six;
    } any = {.six.sin6_port = 0};
    socklen_t size = family == AF_INET6 ? sizeof(any.six) : sizeof(any.four);

    any.plain.sa_family = (sa_family_t)family;
    if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)))
        return 0;
    if (bind(fd, &any.plain, size) || getsockname(fd, &any.plain, &size))
        return 0;
    return ntohs(family == AF_INET6 ? any.six.sin6_port : any.four.sin_port);
}

uint16_t fixture_port(fixture *f)
{
    static const int families[] = {AF_INET6, AF_INET};
    const int on = 1;

    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        int fd = socket(families[i], SOCK_STREAM | SOCK_CLOEXEC, 0);
        uint16_t port = fd < 0 ? 0 : bind_everywhere(families[i], fd);
        /* Only now, so that the system has chosen a port that was nobody's. */
        if (port > 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0) {
            kept_port *kept = need(malloc(sizeof(*kept)));
            *kept = (kept_port){f->own->ports, fd};
            f->own->ports = kept;
            return port;
        }
        if (fd >= 0)
            close(fd);
    }
    fail_msg("no port is free");
    return 0;
}

void fixture_skip_without_ipv6(void)
{
    const struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int there = fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;

    if (fd >= 0)
        close(fd);
    if (!there) {
        print_message("there is no IPv6 here: ::1 is no address of this machine\n");
        skip();
    }
}

/* ---- servers and connections ---- */

static void on_connection(const weir_event *event, void *arg)
{
    kept_server *kept = arg;
    kept->accepted = need(realloc(kept->accepted, (kept->count + 1) * sizeof(*kept->accepted)));
    kept->accepted[kept->count++] = record_stream(kept->fixture, event->stream, kept->fixture->record);
}

static void on_listening(const weir_event *event, void *arg)
{
    kept_server *kept = arg;
    (void)event;
    kept->listening = 1;
}

static void on_server_error(const weir_event *event, void *arg)
{
    kept_server *kept = arg;
    snprintf(kept->error, sizeof(kept->error), "%s", event->error->message);
}

static int is_settled(const void *arg)
{
    const kept_server *kept = arg;
    return kept->listening || kept->error[0];
}

weir_server *fixture_listen(fixture *f, const char *endpoint, const weir_server_options *options)
{
    kept_server *kept = need(calloc(1, sizeof(*kept)));
    kept->fixture = f;
    kept->next = f->own->servers;
    f->own->servers = kept;
    kept->server = need(weir_server_new(f->runtime, options));
    assert_code(weir_server_on(kept->server, WEIR_EVENT_CONNECTION, on_connection, kept), 0);
    assert_code(weir_server_on(kept->server, WEIR_EVENT_ERROR, on_server_error, kept), 0);
    assert_code(weir_server_listen(kept->server, endpoint, on_listening, kept), 0);
    fixture_wait(f, is_settled, kept, "'listening'", NULL);
    if (!kept->listening)
        fail_msg("%s", kept->error);
    weir_server_off(kept->server, WEIR_EVENT_ERROR, on_server_error, kept);
    return kept->server;
}

static kept_server *find_server(fixture *f, const weir_server *server)
{
    kept_server *kept = f->own->servers;
    while (kept && kept->server != server)
        kept = kept->next;
    if (!kept) {
        fail_msg("this server was not made by fixture_listen");
        abort(); /* cmocka does not say that fail_msg never returns */
    }
    return kept;
}

weir_server *fixture_listen_alone(fixture *f, const char *host)
{
    return fixture_listen(f, fixture_text(f, "tcp://%s:%d", host, fixture_port(f)), NULL);
}

const char *fixture_url(fixture *f, const weir_server *server)
{
    char text[WEIR_ADDRESS_TEXT_SIZE * 2];
    assert_true(weir_server_format(server, text, sizeof(text)) < sizeof(text));
    char *scheme = text;
    for (char *at = text; *at && *at != ':'; at++) {
        if (*at == '+')
            scheme = at + 1;
    }
    return fixture_text(f, "%s", scheme);
}

typedef struct arrival {
    const kept_server *server;
    size_t index;
    const recorder *client;
} arrival;

static int has_arrived(const void *arg)
{
    const arrival *wait = arg;
    return wait->server->count > wait->index && (!wait->client || wait->client->counts[WEIR_EVENT_READY]);
}

static const char *client_text(const void *arg)
{
    const arrival *wait = arg;
    return wait->client ? wait->client->text : "";
}

recorder *fixture_accepted(fixture *f, weir_server *server, size_t index)
{
    arrival wait = {.server = find_server(f, server), .index = index};
    fixture_wait(f, has_arrived, &wait, "a connection", client_text);
    return wait.server->accepted[index];
}

recorder *fixture_client(fixture *f, const char *endpoint, const weir_stream_options *options)
{
    weir_stream *stream = need(weir_stream_new(f->runtime, options));
    recorder *client = record_stream(f, stream, f->record);
    weir_stream_release(stream);
    int status = weir_stream_connect(client->stream, endpoint, NULL, NULL);
    if (status)
        fail_msg("connect %s: %s", endpoint, weir_error_name(status));
    return client;
}

pair fixture_connect(fixture *f, weir_server *server, const char *endpoint, const weir_stream_options *options)
{
    arrival wait = {.server = find_server(f, server)};
    wait.index = wait.server->count;
    recorder *client = fixture_client(f, endpoint ? endpoint : fixture_url(f, server), options);
    wait.client = client;
    fixture_wait(f, has_arrived, &wait, "both ends of a connection", client_text);
    return (pair){.client = client, .accepted = wait.server->accepted[wait.index]};
}

/* ---- small things ---- */

void fixture_assert_code(long actual, long expected, const char *what, const char *file, int line)
{
    if (actual == expected)
        return;
    print_error("%s is %ld (%s) and not %ld (%s)\n", what, actual, actual < 0 ? weir_error_name((int)actual) : "",
                expected, expected < 0 ? weir_error_name((int)expected) : "");
    _fail(file, line);
}

void fixture_count(const weir_event *event, void *arg)
{
    int *count = arg;
    (void)event;
    ++*count;
}

void fixture_fill(void *bytes, size_t size, unsigned seed)
{
    unsigned char *at = bytes;
    uint32_t value = seed * 2654435761u + 1;
    for (size_t i = 0; i < size; i++) {
        value ^= value << 13;
        value ^= value >> 17;
        value ^= value << 5;
        at[i] = (unsigned char)(value >> 8);
    }
}
