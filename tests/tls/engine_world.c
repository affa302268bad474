/* SPDX-License-Identifier: MIT */
/* Two sessions of a TLS engine back to back. */
#define _GNU_SOURCE

#include "engine_world.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

/* ---- the world ---- */

world *world_of(void *state)
{
    return state;
}

static mbed_cert authority;

const mbed_cert *world_authority(void)
{
    return &authority;
}

/* Once a program, and not counted as a test's. */
static void make_authority(void)
{
    weir_error *error = NULL;
    mbed_cert made;
    int64_t now = (int64_t)time(NULL);
    const mbed_cert_request request = {
        .subject = "CN=test authority", .from = now - 86400 * 400, .until = now + 86400 * 400, .is_authority = 1};
    if (authority.cert)
        return;
    assert_code(weir__mbed_cert_make(&request, &made, &error), 0);
    authority.cert = strdup(made.cert);
    authority.key = strdup(made.key);
    weir__mbed_cert_clear(&made);
}

static void rotate(world *w, unsigned char name)
{
    tls_ticket_key *key = &w->keys[w->key_count++];
    memset(key->name, name, sizeof(key->name));
    assert_code(weir__tls_engine.random(w->instance, key->key, sizeof(key->key)), 0);
    key->lifetime = 3600;
}

int world_setup(void **state)
{
    void *inner = NULL;
    weir_error *error = NULL;
    allocator_install();
    make_authority();
    if (fixture_setup(&inner) != 0)
        return -1;
    world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->f = inner;
    *state = w;
    assert_code(weir__tls_engine.init(&w->instance, &error), 0);
    w->newest = strncmp(weir__tls_engine.name, "mbedtls 2", 9) == 0 ? TLS_VERSION_12 : TLS_VERSION_13;
    rotate(w, 1);
    return 0;
}

static void end_free(talk_end *end)
{
    weir__tls_engine.session_free(end->session);
    weir_error_release(end->error);
    free(end->in);
    free(end->blob);
}

int world_teardown(void **state)
{
    world *w = *state;
    for (size_t i = 0; i < w->talk_count; i++) {
        end_free(&w->talks[i]->client);
        end_free(&w->talks[i]->server);
        free(w->talks[i]);
    }
    for (size_t i = 0; i < w->credentials_count; i++)
        weir__tls_engine.credentials_free(w->credentials[i]);
    weir__tls_engine.exit(w->instance);
    for (size_t i = 0; i < w->kept_count; i++)
        free(w->kept[i]);
    void *inner = w->f;
    free(w);
    return fixture_teardown(&inner);
}

static void *keep(world *w, void *memory)
{
    assert_non_null(memory);
    assert_true(w->kept_count < sizeof(w->kept) / sizeof(w->kept[0]));
    w->kept[w->kept_count++] = memory;
    return memory;
}

/* ---- certificates ---- */

mbed_cert *world_issue(world *w, const wish *what)
{
    weir_error *error = NULL;
    mbed_cert made;
    char subject[1024];
    int64_t now = (int64_t)time(NULL);
    const char *const hosts[] = {what->host, what->second};
    const mbed_cert *issuer = what->issuer ? what->issuer : &authority;
    int dated = what->from != 0 || what->until != 0;
    snprintf(subject, sizeof(subject), "%s", what->subject ? what->subject : "CN=leaf");
    const mbed_cert_request request = {.subject = subject,
                                       .hosts = hosts,
                                       .host_count = what->host == NULL     ? 0
                                                     : what->second == NULL ? 1
                                                                            : 2,
                                       .from = now + (dated ? what->from : -3600),
                                       .until = now + (dated ? what->until : 86400),
                                       .is_authority = what->is_authority,
                                       .uses = what->uses,
                                       .issuer_cert = what->self_signed ? NULL : issuer->cert,
                                       .issuer_key = what->self_signed ? NULL : issuer->key};
    if (weir__mbed_cert_make(&request, &made, &error) != 0)
        fail_msg("%s", error->message);
    mbed_cert *kept = keep(w, calloc(1, sizeof(*kept)));
    kept->cert = keep(w, strdup(made.cert));
    kept->key = keep(w, strdup(made.key));
    weir__mbed_cert_clear(&made);
    return kept;
}

tls_material world_bytes(world *w, const void *data, size_t size, const char *pointer)
{
    char *copy = keep(w, malloc(size + 1));
    memcpy(copy, data, size);
    copy[size] = '\0';
    return (tls_material){.data = copy, .size = size, .pointer = keep(w, strdup(pointer))};
}

tls_material world_material(world *w, const char *text, const char *pointer)
{
    return world_bytes(w, text, strlen(text), pointer);
}

tls_material *world_materials(world *w, const char *text, const char *pointer)
{
    tls_material *one = keep(w, malloc(sizeof(*one)));
    *one = world_material(w, text, pointer);
    return one;
}

void world_run(world *w, const char *const *arguments)
{
    char before[4096];
    assert_non_null(getcwd(before, sizeof(before)));
    assert_int_equal(chdir(w->f->folder), 0);
    child *run = child_start_other(CHILD_CLOSED, CHILD_PIPE, arguments);
    assert_int_equal(chdir(before), 0);
    int code = child_finish(run);
    if (code != 0)
        fail_msg("%s %s: %s", arguments[0], arguments[1], run->err_text);
    child_free(run);
}

void world_write(world *w, const char *name, const char *text)
{
    FILE *file = fopen(fixture_path(w->f, name), "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

char *world_read(world *w, const char *name, size_t *size)
{
    FILE *file = fopen(fixture_path(w->f, name), "r");
    char *text = keep(w, calloc(1, WORLD_TEXT));
    assert_non_null(file);
    size_t got = fread(text, 1, WORLD_TEXT - 1, file);
    fclose(file);
    if (size)
        *size = got;
    return text;
}

/* ---- settings ---- */

static tls_settings common(world *w, weir_role role)
{
    return (tls_settings){.role = role,
                          .min_version = w->now_version ? w->now_version : TLS_VERSION_12,
                          .max_version = w->now_version,
                          .reject_unauthorized = 1,
                          .tickets = 1,
                          .ticket_lifetime = 3600,
                          .session_timeout = 300};
}

void world_identify(world *w, tls_settings *settings, const wish *what)
{
    const mbed_cert *made = world_issue(w, what);
    settings->cert = world_material(w, made->cert, "/cert");
    settings->key = world_material(w, made->key, "/key");
}

tls_settings world_server(world *w, const char *host)
{
    tls_settings settings = common(w, WEIR_SERVER);
    world_identify(w, &settings, &(wish){.host = host, .subject = "CN=server"});
    return settings;
}

tls_settings world_asking_server(world *w, int reject)
{
    tls_settings server = world_server(w, "localhost");
    server.request_cert = 1;
    server.reject_unauthorized = reject;
    server.ca = world_materials(w, authority.cert, "/ca");
    server.ca_count = 1;
    return server;
}

tls_settings world_client(world *w)
{
    tls_settings settings = common(w, WEIR_CLIENT);
    settings.ca = world_materials(w, authority.cert, "/ca");
    settings.ca_count = 1;
    return settings;
}

static void tell(const tls_report *report, int warning, const char *pointer, const char *message)
{
    world *w = report->arg;
    size_t at = strlen(w->told);
    if (warning)
        weir_log(w->f->runtime, WEIR_LOG_WARN, "tls: %s: %s", pointer, message);
    else
        snprintf(w->told + at, sizeof(w->told) - at, "%s%s%s%s", at ? "; " : "", pointer, *pointer ? ": " : "",
                 message);
}

tls_report world_report(world *w)
{
    w->told[0] = '\0';
    return (tls_report){.tell = tell, .arg = w};
}

tls_credentials *world_credentials(world *w, const tls_settings *settings)
{
    tls_report report = world_report(w);
    tls_credentials *made = NULL;
    int status = weir__tls_engine.credentials_new(w->instance, settings, &report, &made);
    if (status != 0)
        fail_msg("%s: %s", weir_error_name(status), w->told);
    weir__tls_report_end(&report);
    assert_true(w->credentials_count < sizeof(w->credentials) / sizeof(w->credentials[0]));
    w->credentials[w->credentials_count++] = made;
    return made;
}

const char *world_refusal(world *w, const tls_settings *settings)
{
    tls_report report = world_report(w);
    tls_credentials *made = NULL;
    assert_code(weir__tls_engine.credentials_new(w->instance, settings, &report, &made), WEIR_EINVALID_CONFIG);
    assert_null(made);
    assert_true(report.faults > 0);
    char *text = keep(w, strdup(w->told));
    weir__tls_report_end(&report);
    return text;
}

const char *world_warning(world *w, const tls_settings *settings)
{
    size_t before = strlen(fixture_log(w->f));
    world_credentials(w, settings);
    return keep(w, strdup(fixture_log(w->f) + before));
}

/* ---- a host ---- */

static size_t receive(void *arg, void *data, size_t size)
{
    talk_end *end = arg;
    size_t left = end->in_size - end->in_at;
    size_t part = size < left ? size : left;
    if (end->piece && part > end->piece)
        part = end->piece;
    if (part > 0)
        memcpy(data, end->in + end->in_at, part);
    end->in_at += part;
    end->received += part;
    return part;
}

static int send_bytes(void *arg, const void *data, size_t size)
{
    talk_end *end = arg;
    talk_end *to = end->other;
    if (end->send_fails)
        return UV_ENOMEM;
    if (to->in_at == to->in_size)
        to->in_at = to->in_size = 0;
    if (to->in_size + size > to->in_room) {
        to->in_room = 2 * (to->in_size + size);
        to->in = realloc(to->in, to->in_room);
        assert_non_null(to->in);
    }
    memcpy(to->in + to->in_size, data, size);
    to->in_size += size;
    end->sent += size;
    return 0;
}

static void new_session(void *arg, const void *blob, size_t size)
{
    talk_end *end = arg;
    free(end->blob);
    end->blob = malloc(size);
    assert_non_null(end->blob);
    memcpy(end->blob, blob, size);
    end->blob_size = size;
    end->blobs++;
}

static void keylog(void *arg, const char *line)
{
    talk_end *end = arg;
    size_t length = strlen(end->log);
    assert_true(length + strlen(line) + 2 < sizeof(end->log));
    snprintf(end->log + length, sizeof(end->log) - length, "%s\n", line);
}

static size_t psk(void *arg, const void *identity, size_t length, void *key, size_t room)
{
    talk_end *end = arg;
    const tls_settings *settings = end->settings;
    end->psk_asked++;
    if (!settings->psk_identity || strlen(settings->psk_identity) != length ||
        memcmp(settings->psk_identity, identity, length) != 0 || settings->psk_size > room)
        return 0;
    memcpy(key, settings->psk, settings->psk_size);
    return settings->psk_size;
}

static int ticket_key(void *arg, const unsigned char *name, tls_ticket_key *key)
{
    talk_end *end = arg;
    world *w = end->talk->w;
    end->keys_asked++;
    for (size_t i = w->key_count; i-- > 0;) {
        if (!name || memcmp(w->keys[i].name, name, sizeof(key->name)) == 0) {
            *key = w->keys[i];
            memcpy(key->binding, end->settings->binding, sizeof(key->binding));
            return 0;
        }
    }
    return UV_ENOENT;
}

const tls_host world_host = {.receive = receive,
                             .send = send_bytes,
                             .new_session = new_session,
                             .keylog = keylog,
                             .psk = psk,
                             .ticket_key = ticket_key};

/* ---- conversations ---- */

static void begin(talk *t, talk_end *end, talk_end *other, tls_credentials *credentials, const tls_settings *settings,
                  const tls_session_options *options)
{
    end->talk = t;
    end->other = other;
    end->settings = settings;
    end->result = TLS_WANT_READ;
    end->session = weir__tls_engine.session_new(credentials, options, &world_host, end);
    assert_non_null(end->session);
}

talk *world_talk_with(world *w, tls_credentials *client, const tls_settings *client_settings, tls_credentials *server,
                      const tls_settings *server_settings, const tls_session_options *for_client,
                      const tls_session_options *for_server)
{
    static const tls_session_options localhost = {.name = "localhost"};
    static const tls_session_options nothing = {.name = NULL};
    talk *t = calloc(1, sizeof(*t));
    assert_non_null(t);
    assert_true(w->talk_count < sizeof(w->talks) / sizeof(w->talks[0]));
    w->talks[w->talk_count++] = t;
    t->w = w;
    begin(t, &t->client, &t->server, client, client_settings, for_client ? for_client : &localhost);
    begin(t, &t->server, &t->client, server, server_settings, for_server ? for_server : &nothing);
    return t;
}

talk *world_talk(world *w, const tls_settings *client, const tls_settings *server,
                 const tls_session_options *for_client, const tls_session_options *for_server)
{
    tls_credentials *of_client = world_credentials(w, client);
    return world_talk_with(w, of_client, client, world_credentials(w, server), server, for_client, for_server);
}

static void step(talk_end *end)
{
    if (end->result != TLS_WANT_READ)
        return;
    weir_error *error = NULL;
    end->result = weir__tls_engine.handshake(end->session, &error);
    if (end->result == TLS_FAILED) {
        assert_non_null(error);
        weir_error_release(end->error);
        end->error = error;
    } else {
        assert_null(error);
    }
}

void talk_run(talk *t)
{
    size_t moved;
    do {
        moved = t->client.sent + t->server.sent + t->client.received + t->server.received;
        step(&t->client);
        step(&t->server);
    } while (moved != t->client.sent + t->server.sent + t->client.received + t->server.received);
}

void talk_handshake(talk *t)
{
    talk_run(t);
    if (t->client.result != TLS_DONE || t->server.result != TLS_DONE)
        fail_msg("client: %d %s, server: %d %s", t->client.result, end_error(&t->client), t->server.result,
                 end_error(&t->server));
}

/* One of them fails, and the other one is told: in the handshake, or when it reads. */
void talk_refused(talk *t)
{
    char byte;
    size_t done;
    talk_run(t);
    assert_true(t->client.result == TLS_FAILED || t->server.result == TLS_FAILED);
    talk_end *other = t->client.result == TLS_FAILED ? &t->server : &t->client;
    if (other->result == TLS_DONE)
        assert_int_equal(end_reads(other, &byte, 1, &done), TLS_FAILED);
    else
        assert_int_equal(other->result, TLS_FAILED);
}

const char *end_error(const talk_end *end)
{
    return end->error ? end->error->message : "";
}

tls_result end_reads(talk_end *end, void *data, size_t size, size_t *done)
{
    weir_error *error = NULL;
    tls_result result = weir__tls_engine.read(end->session, data, size, done, &error);
    if (result == TLS_FAILED) {
        assert_non_null(error);
        weir_error_release(end->error);
        end->error = error;
    } else {
        assert_null(error);
    }
    assert_true(*done <= size);
    assert_true((*done > 0) == (result == TLS_DONE));
    return result;
}

void end_says(talk_end *end, const void *data, size_t size)
{
    const char *bytes = data;
    char *got = malloc(size);
    size_t written = 0;
    size_t read = 0;
    weir_error *error = NULL;
    assert_non_null(got);
    while (read < size) {
        size_t part = size - written < TLS_RECORD_MOST ? size - written : TLS_RECORD_MOST;
        size_t done = 0;
        if (part > 0) {
            assert_int_equal(weir__tls_engine.write(end->session, bytes + written, part, &done, &error), TLS_DONE);
            assert_int_equal(done, part);
            written += part;
        }
        tls_result result;
        while ((result = end_reads(end->other, got + read, size - read, &done)) == TLS_DONE && (read += done) < size)
            ;
        assert_true(result == TLS_DONE || (result == TLS_WANT_READ && part > 0));
    }
    assert_memory_equal(got, data, size);
    free(got);
}

const char *end_text(talk_end *end, const char *name)
{
    weir_value value;
    int status = weir__tls_engine.fact(end->session, name, &value);
    if (status != 0) {
        assert_code(status, UV_ENOENT);
        return "";
    }
    assert_int_equal(value.type, WEIR_VALUE_TEXT);
    return fixture_text(end->talk->w->f, "%s", value.text);
}

int end_flag(talk_end *end, const char *name)
{
    weir_value value;
    int status = weir__tls_engine.fact(end->session, name, &value);
    if (status != 0) {
        assert_code(status, UV_ENOENT);
        return -1;
    }
    assert_int_equal(value.type, WEIR_VALUE_BOOLEAN);
    return (int)value.number;
}

tls_session_options end_resume(talk_end *end, const char *name)
{
    if (!end->blob) {
        fail_msg("there is nothing to resume by");
        return (tls_session_options){.name = name};
    }
    void *copy = keep(end->talk->w, malloc(end->blob_size));
    memcpy(copy, end->blob, end->blob_size);
    return (tls_session_options){.name = name, .resume = copy, .resume_size = end->blob_size};
}

/* ---- without memory ---- */

/* What fails is a session, a fact, or a ticket that is not given; never more. */
static int converse(const world_attempt *attempt, tls_credentials *client, tls_credentials *server)
{
    static const tls_session_options nothing = {.name = NULL};
    talk t = {.w = attempt->w};
    talk_end *ends[] = {&t.client, &t.server};
    int done = 0;
    for (size_t i = 0; i < 2; i++) {
        ends[i]->talk = &t;
        ends[i]->other = ends[1 - i];
        ends[i]->settings = i ? &attempt->server : &attempt->client;
        ends[i]->result = TLS_WANT_READ;
        ends[i]->session =
            weir__tls_engine.session_new(i ? server : client, i ? &nothing : &attempt->resume, &world_host, ends[i]);
    }
    if (t.client.session && t.server.session) {
        weir_value value;
        void *blob = NULL;
        size_t size = 0;
        talk_run(&t);
        done = t.client.result == TLS_DONE && t.server.result == TLS_DONE;
        weir__tls_engine.fact(t.client.session, "tls.peer.san", &value);
        weir__tls_engine.fact(t.server.session, "tls.peer.pem", &value);
        weir__tls_engine.fact(t.client.session, "tls.peer.fingerprint256", &value);
        if (weir__tls_engine.session_get(t.client.session, &blob, &size) == 0)
            weir_free(blob);
    }
    for (size_t i = 0; i < 2; i++) {
        weir__tls_engine.session_free(ends[i]->session);
        weir_error_release(ends[i]->error);
        free(ends[i]->in);
        free(ends[i]->blob);
    }
    return done;
}

int world_try(const world_attempt *attempt)
{
    world *w = attempt->w;
    tls_report report = world_report(w);
    tls_credentials *client = NULL;
    tls_credentials *server = NULL;
    int done = weir__tls_engine.credentials_new(w->instance, &attempt->client, &report, &client) == 0 &&
               weir__tls_engine.credentials_new(w->instance, &attempt->server, &report, &server) == 0 &&
               converse(attempt, client, server);
    weir__tls_engine.credentials_free(client);
    weir__tls_engine.credentials_free(server);
    weir__tls_report_end(&report);
    return done;
}
