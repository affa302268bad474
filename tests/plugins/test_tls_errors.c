/* SPDX-License-Identifier: MIT */
/* The layer tls where the system, the link below, or who uses it does not do what it should. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <weir/layer.h>

#include "syscalls.h"
#include "tls_contexts.h"

static void write_file(fixture *f, const char *name, const char *text)
{
    const char *path = fixture_path(f, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    assert_int_equal(chmod(path, 0600), 0);
}

#define CERT_TEXT "-----BEGIN FAKE CERTIFICATE-----\nsubject=server\nissuer=ca\nname=localhost\naddress=127.0.0.1\n"
#define KEY_TEXT  "-----BEGIN FAKE KEY-----\nsubject=server\n"
#define FILES     "\"cert\": \"cert.pem\", \"key\": \"key.pem\""
#define KEY       "\"psk\": \"00112233445566778899aabbccddeeff\""

static void write_files(fixture *f)
{
    write_file(f, "cert.pem", CERT_TEXT);
    write_file(f, "key.pem", KEY_TEXT);
}

/* ---- files ---- */

static void TLS_14_files_that_fail_while_they_are_read(void **state)
{
    fixture *f = *state;
    const char *says = fixture_text(f, "/cert: cannot read %s: i/o error (EIO)", fixture_path(f, "cert.pem"));
    write_files(f);
    syscalls_fail_next("read", EIO);
    expect_fault(f, FILES, WEIR_SERVER, says);
    assert_int_equal(syscalls_failures(), 1);
    syscalls_restore();
    syscalls_fail_next("fstat", EIO);
    expect_fault(f, FILES, WEIR_SERVER, says);
    assert_int_equal(syscalls_failures(), 1);
    syscalls_restore();
    /* Interrupted, in pieces, shorter than it was: no failure of themselves. */
    syscalls_fail_next("read", EINTR);
    syscalls_fail(&(syscall_fault){.call = "read", .at_most = 5, .times = 3});
    expect_good(f, FILES, WEIR_SERVER);
    assert_int_equal(syscalls_failures(), 4);
    syscalls_restore();
    syscalls_fail(&(syscall_fault){.call = "read", .nothing = 1, .times = 1});
    expect_fault(f, FILES, WEIR_SERVER, "/cert: ");
    syscalls_restore();
}

/* The bundle of the system: gone, it is told what to do; changed, it is read again. */
static void TLS_07_a_system_without_trusted_certificates(void **state)
{
    static const char says[] = "the system has no bundle of trusted certificates (looked for ";
    fixture *f = *state;
    const syscall_fault gone = {.call = "open", .error = ENOENT, .path = "/etc/"};
    syscalls_fail(&gone);
    expect_fault(f, "", WEIR_CLIENT, says);
    expect_fault(f, "", WEIR_CLIENT, "install ca-certificates, or give \"ca\"");
    expect_good(f, "\"rejectUnauthorized\": false", WEIR_CLIENT);
    expect_good(f, "\"pskIdentity\": \"me\", " KEY, WEIR_CLIENT);
    syscalls_restore();
    weir_error *error = tls_refusal(f, "", WEIR_CLIENT);
    if (error) {
        assert_non_null(strstr(error->message, says));
        weir_error_release(error);
        return; /* this system has none */
    }
    syscalls_fail(&gone);
    expect_good(f, "", WEIR_CLIENT); /* by what was read before */
    syscalls_fail(&(syscall_fault){.call = "stat", .error = ENOENT, .path = "/etc/"});
    expect_fault(f, "", WEIR_CLIENT, says);
    syscalls_restore();
    expect_good(f, "", WEIR_CLIENT);
}

static const char *watching(fixture *f)
{
    return fixture_text(f, "\"cert\": \"%s/cert.pem\", \"key\": \"%s/key.pem\", \"watch\": true", f->folder, f->folder);
}

static void TLS_15_folders_that_cannot_be_watched(void **state)
{
    static const char *const calls[] = {"uv_fs_event_init", "uv_fs_event_start"};
    fixture *f = *state;
    write_files(f);
    for (size_t i = 0; i < 2; i++) {
        size_t before = strlen(fixture_log(f));
        weir_server *server = tls_server(f, watching(f));
        syscalls_fail_next(calls[i], UV_ENOSPC);
        pair p = fixture_connect(f, server, tls_endpoint(f, server, TRUSTS), NULL);
        assert_int_equal(syscalls_failures(), 1);
        syscalls_restore();
        assert_non_null(
            strstr(fixture_log(f) + before, fixture_text(f, "warning: tls-fake: %s cannot be watched: %s (ENOSPC)",
                                                         f->folder, weir_error_text(UV_ENOSPC))));
        recorder_write(p.client, "all the same", 12); /* it serves */
        recorder_wait_data(p.accepted, 12);
        recorder_destroy(p.client, NULL);
        recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    }
}

/* What is missing on the way to a folder, up to the root, is no failure: where it may appear is watched. */
static void TLS_15_where_a_missing_folder_may_appear_is_watched(void **state)
{
    fixture *f = *state;
    unsigned depth = 0;
    for (const char *at = f->folder; *at; at++)
        depth += at[0] == '/' && at[1] && at[1] != '/';
    write_files(f);
    for (int with_root = 1; with_root >= 0; with_root--) {
        size_t before = strlen(fixture_log(f));
        weir_server *server = tls_server(f, watching(f));
        syscalls_fail(
            &(syscall_fault){.call = "uv_fs_event_start", .error = UV_ENOENT, .times = with_root ? depth : 0});
        pair p = fixture_connect(f, server, tls_endpoint(f, server, TRUSTS), NULL);
        assert_true(syscalls_failures() >= depth);
        syscalls_restore();
        assert_int_equal(strstr(fixture_log(f) + before, "cannot be watched") == NULL, with_root);
        recorder_destroy(p.client, NULL);
        recorder_wait(p.accepted, WEIR_EVENT_CLOSE);
    }
}

/* Then new connections make one look, now and then. */
static void TLS_15_what_no_event_tells_is_seen_all_the_same(void **state)
{
    fixture *f = *state;
    write_files(f);
    weir_server *server = polite_server(f, watching(f));
    syscalls_fail(&(syscall_fault){.call = "uv_fs_event_start", .error = UV_ENOSPC});
    assert_string_equal(ask(f, server, TRUSTS, "tls.peer.subject"), "server");
    write_file(f, "cert.pem", "-----BEGIN FAKE CERTIFICATE-----\nsubject=second\nissuer=ca\naddress=127.0.0.1\n");
    write_file(f, "key.pem", "-----BEGIN FAKE KEY-----\nsubject=second\n");
    while (strcmp(ask(f, server, TRUSTS, "tls.peer.subject"), "second") != 0)
        assert_false(f->expired);
    syscalls_restore();
}

/* ---- options that contradict each other ---- */

static void TLS_10_a_context_under_SNI_takes_what_is_there(void **state)
{
    fixture *f = *state;
    expect_good(f, "\"pskIdentity\": \"me\", " KEY ", \"SNI\": {\"a.example\": {}}", WEIR_SERVER);
    expect_good(f, SERVES ", \"passphrase\": \"open sesame\", \"SNI\": {\"a.example\": {}}", WEIR_SERVER);
    expect_fault(f, SERVES ", \"SNI\": {\"a.example\": {" KEY "}}", WEIR_SERVER,
                 "/SNI/a.example/psk: \"psk\" and \"pskIdentity\" go together");
    expect_fault(f, SERVES ", \"SNI\": {\"a.example\": {\"pskIdentity\": \"me\"}}", WEIR_SERVER,
                 "/SNI/a.example/pskIdentity: \"psk\" and \"pskIdentity\" go together");
}

static void a_named_context_allows_no_other_option(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    const weir_tls_options options = options_of(WEIR_CLIENT, "{" TRUSTS "}");
    weir_tls_context *context = make_context(f, tls, &options);
    assert_code(tls->context_register(context, "mine"), 0);
    expect_good(f, "\"context\": \"mine\"", WEIR_CLIENT);
    expect_fault(f, "\"context\": \"mine\", " TRUSTS, WEIR_CLIENT,
                 "/context: a context has its own \"ca\": it cannot stand beside it");
    expect_fault(f, "\"context\": \"mine\", \"groups\": \"x25519\"", WEIR_CLIENT, "a context has its own \"groups\"");
    tls->context_release(context);
}

/* ---- the interface ---- */

static void the_interface_refuses_what_is_no_argument(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    const weir_tls_options options = {.size = sizeof(options), .role = WEIR_SERVER, .options = "{" SERVES "}"};
    weir_tls_context *context = NULL;
    weir_error *error = NULL;
    assert_code(tls->context_new(NULL, &options, &context, &error), UV_EINVAL);
    assert_code(error->code, UV_EINVAL);
    weir_error_release(error);
    assert_code(tls->context_reload(NULL, NULL, &error), UV_EINVAL);
    assert_code(error->code, UV_EINVAL);
    weir_error_release(error);
    assert_null(context);
    assert_null(tls->context_retain(NULL));
    assert_code(tls->context_register(NULL, "a"), UV_EINVAL);
    void *made = NULL;
    assert_code(weir_layer_configure(NULL, "tls-fake", "{}", NULL, WEIR_SERVER, NULL, &made, &error), UV_EINVAL);
    assert_code(error->code, UV_EINVAL);
    weir_error_release(error);
    assert_code(weir_layer_configure(f->runtime, NULL, "{}", NULL, WEIR_SERVER, NULL, &made, NULL), UV_EINVAL);
    assert_null(made);
}

/* Of a program that was compiled with other headers; what is behind the options of this one is of no use to the layer. */
static void the_interface_takes_options_of_any_size(void **state)
{
    typedef struct newer {
        weir_tls_options options;
        void *more;
    } newer;
    static const struct {
        size_t size;
        int more, expected;
    } cases[] = {{0, 0, UV_EINVAL},
                 {offsetof(weir_tls_options, server_name), 0, 0},
                 {sizeof(weir_tls_options), 1, 0},
                 {sizeof(newer), 0, 0},
                 {sizeof(newer), 1, UV_E2BIG}};
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
    weir_tls_context *context = make_context(f, tls, &options);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        newer given = {.options = options, .more = cases[i].more ? f : NULL};
        weir_tls_context *made = NULL;
        weir_error *error = NULL;
        given.options.size = cases[i].size;
        assert_code(tls->context_new(f->runtime, &given.options, &made, &error), cases[i].expected);
        assert_int_equal(made != NULL, cases[i].expected == 0);
        assert_code(error ? error->code : 0, cases[i].expected);
        weir_error_release(error);
        assert_code(tls->context_reload(context, &given.options, NULL), cases[i].expected);
        if (made)
            tls->context_release(made);
    }
    tls->context_release(context);
}

static void what_is_no_object_of_options_is_an_invalid_configuration(void **state)
{
    static const struct {
        const char *options, *says;
    } cases[] = {{"[]", "expected an object of options"},
                 {"nojson", "options:1:1: "},
                 {"", "options:1:1: "},
                 {"{" SERVES ", \"ky\": 1, \"ca\": \"nope.pem\"}", "/ca: cannot read "},
                 {"{" SERVES ", \"ky\": 1, \"ca\": \"nope.pem\"}", "/ky: unknown member"}};
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    weir_tls_options options = options_of(WEIR_SERVER, "{" SERVES "}");
    weir_tls_context *context = make_context(f, tls, &options);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        weir_tls_context *made = NULL;
        weir_error *errors[2] = {NULL, NULL};
        options.options = cases[i].options;
        assert_code(tls->context_new(f->runtime, &options, &made, &errors[0]), WEIR_EINVALID_CONFIG);
        assert_code(tls->context_reload(context, &options, &errors[1]), WEIR_EINVALID_CONFIG);
        for (size_t j = 0; j < 2; j++) {
            assert_code(errors[j]->code, WEIR_EINVALID_CONFIG);
            if (!strstr(errors[j]->message, cases[i].says))
                fail_msg("'%s' is not in '%s'", cases[i].says, errors[j]->message);
            weir_error_release(errors[j]);
        }
        assert_null(made);
    }
    tls->context_release(context);
}

static void TLS_12_sessions_that_are_none(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    void *session = NULL;
    size_t size = 0;
    weir_server *server = tls_server(f, SERVES);
    recorder *gone = tls_client(f, server, TRUSTS);
    recorder_destroy(gone, NULL);
    assert_code(tls->stream_set_session(gone->stream, "hello", 5), UV_ENOTCONN);
    recorder *client = tls_client(f, server, TRUSTS ", \"tickets\": false");
    assert_code(tls->stream_set_session(client->stream, NULL, 5), UV_EINVAL);
    allocator_fail(1, 0);
    assert_code(tls->stream_set_session(client->stream, "hello", 5), UV_ENOMEM);
    allocator_fail(0, 0);
    assert_code(tls->stream_session(client->stream, &session, &size), UV_ENOTCONN);
    recorder_wait(client, WEIR_EVENT_READY);
    while (tls->stream_session(client->stream, &session, &size) == UV_ENOENT) {
        assert_false(f->expired);
        fixture_turns(f, 1);
    }
    assert_true(size > 0);
    weir_free(session);
    session = NULL;
    allocator_fail(1, 0);
    assert_code(tls->stream_session(client->stream, &session, &size), UV_ENOMEM);
    allocator_fail(0, 0);
    assert_null(session);
    recorder_destroy(client, NULL);
}

static void TLS_16_facts_that_nobody_knows_yet(void **state)
{
    fixture *f = *state;
    weir_server *server = tls_server(f, SERVES);
    recorder *client = tls_client(f, server, TRUSTS);
    assert_string_equal(fact_of(f, client, "tls.version"), "-");
    assert_string_equal(fact_of(f, client, "tls.servername"), "-");
    assert_string_equal(fact_of(f, client, "tls.engine"), "fake");
    recorder_wait(client, WEIR_EVENT_READY);
    recorder *accepted = fixture_accepted(f, server, 0);
    assert_string_equal(fact_of(f, client, "tls.version"), "TLSv1.3");
    assert_string_equal(fact_of(f, client, "tls.servername"), "127.0.0.1");
    assert_string_equal(fact_of(f, accepted, "tls.servername"), "-"); /* an address is not sent */
    assert_string_equal(fact_of(f, accepted, "tls.other"), "-");
    assert_string_equal(fact_of(f, client, "host"), "127.0.0.1");
    assert_string_equal(fact_of(f, accepted, "host"), "-"); /* who listens has asked for none */
    recorder_destroy(client, NULL);
}

/* ---- the link below ---- */

/* A client (with `more` options) whose `nth` write to the link below fails: said by the call or afterwards, as the dice fall. */
static recorder *failing_client(fixture *f, const weir_server *server, unsigned nth, unsigned seed, const char *more)
{
    weir_address address;
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    assert_code(weir_server_address(server, &address), 0);
    return fixture_client(
        f,
        fixture_text(f,
                     "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %u}, \"layers\": [{\"chaos\": {\"seed\": %u, "
                     "\"cut\": false, \"again\": 0, \"failAt\": \"write:%u\", \"failCode\": \"EPIPE\"}}, "
                     "{\"tls-fake\": {" TRUSTS "%s}}]}",
                     address.port, seed * 2654435761u, nth, more),
        &options);
}

static void TLS_02_a_last_flight_that_cannot_be_sent_opens_nothing(void **state)
{
    fixture *f = *state;
    weir_server *server = tls_server(f, SERVES);
    pair other = fixture_connect(f, server, tls_endpoint(f, server, TRUSTS), NULL);
    for (unsigned seed = 1; seed <= 8; seed++) {
        for (unsigned nth = 1; nth <= 2; nth++) { /* the ClientHello; Finished */
            recorder *client = failing_client(f, server, nth, seed, "");
            recorder_wait(client, WEIR_EVENT_CLOSE);
            assert_true(recorder_saw(client, "error:EPIPE"));
            assert_int_equal(client->counts[WEIR_EVENT_READY], 0);
        }
    }
    recorder_write(other.client, "unharmed", 8);
    recorder_wait_data(other.accepted, 8);
    recorder_destroy(other.client, NULL);
}

typedef struct outcome {
    int connections;
    int refused;
    int code;
} outcome;

static void note_connection(const weir_event *event, void *arg)
{
    outcome *seen = arg;
    (void)event;
    seen->connections++;
}

static void note_refusal(const weir_event *event, void *arg)
{
    outcome *seen = arg;
    seen->refused++;
    seen->code = event->error->code;
}

/* A server has the client's word, and something more to say itself. */
static void TLS_01_TLS_05_a_servers_last_flight_that_cannot_be_sent_is_a_clientError(void **state)
{
    fixture *f = *state;
    for (unsigned seed = 1; seed <= 30; seed++) {
        outcome seen = {0};
        weir_server *server = fixture_listen(
            f,
            fixture_text(f,
                         "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}, \"layers\": [{\"chaos\": {\"seed\": %u, "
                         "\"cut\": false, \"again\": 50, \"delay\": 0, \"failAt\": \"write:%u\", \"failCode\": "
                         "\"EPIPE\"}}, {\"tls-fake\": {" SERVES ", \"ciphers\": [\"FAKE_LAST_FLIGHT=3000000\"]}}]}",
                         seed * 2654435761u, 2 + seed % 3),
            NULL);
        assert_code(weir_server_on(server, WEIR_EVENT_CONNECTION, note_connection, &seen), 0);
        assert_code(weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, note_refusal, &seen), 0);
        recorder *client = tls_client(f, server, TRUSTS);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        fixture_until(f, &seen.refused);
        fixture_turns(f, 10);
        assert_int_equal(seen.refused, 1);
        assert_code(seen.code, UV_EPIPE);
        assert_int_equal(seen.connections, 0);
        assert_int_equal(weir_server_connections(server), 0);
        assert_code(weir_server_close(server, NULL, NULL), 0);
    }
}

static void TLS_03_a_close_notify_that_cannot_be_sent_is_an_error(void **state)
{
    fixture *f = *state;
    weir_server *server = tls_server(f, SERVES);
    for (unsigned seed = 1; seed <= 8; seed++) {
        recorder *client = failing_client(f, server, 3, seed, "");
        recorder_wait(client, WEIR_EVENT_READY);
        recorder_end(client);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        assert_true(recorder_saw(client, "e1:EPIPE"));
        assert_true(recorder_saw(client, "error:EPIPE"));
        assert_int_equal(client->counts[WEIR_EVENT_FINISH], 0);
    }
}

/* All of it was encrypted, and nothing has left: a write that is not done, whichever way that was said. */
static void TLS_18_a_write_that_cannot_be_sent_is_not_done(void **state)
{
    fixture *f = *state;
    weir_server *server = tls_server(f, SERVES);
    for (unsigned seed = 1; seed <= 8; seed++) {
        recorder *client = failing_client(f, server, 3, seed, "");
        recorder_wait(client, WEIR_EVENT_READY);
        recorder_write(client, "hello", 5);
        recorder_wait(client, WEIR_EVENT_CLOSE);
        assert_true(recorder_saw(client, "w1:EPIPE"));
        assert_true(recorder_saw(client, "error:EPIPE"));
    }
}

/*
 * What the engine had to say by itself could not be sent: nobody waits for that, and the next who writes or ends is told
 * of it.
 */
static void TLS_18_an_answer_of_the_engine_that_cannot_be_sent_fails_what_follows(void **state)
{
    fixture *f = *state;
    for (int ends = 0; ends < 2; ends++) {
        weir_server *server = tls_server(f, SERVES ", \"tickets\": false");
        recorder *client = failing_client(f, server, 3, 1, ", \"ciphers\": [\"FAKE_CHATTY=100\"]");
        recorder_wait(client, WEIR_EVENT_READY);
        recorder *accepted = fixture_accepted(f, server, 0);
        recorder_write(accepted, "hello", 5);
        recorder_wait_data(client, 5);
        fixture_turns(f, TURNS);
        assert_int_equal(client->counts[WEIR_EVENT_ERROR], 0);
        if (ends)
            recorder_end(client);
        else
            recorder_write(client, "answer", 6);
        recorder_end(accepted); /* what may still be read is waited for */
        recorder_wait(client, WEIR_EVENT_CLOSE);
        assert_true(recorder_saw(client, ends ? "e1:EPIPE" : "w1:EPIPE"));
        assert_true(recorder_saw(client, "error:EPIPE"));
    }
}

/* Takes one byte at a time, and answers the first. */
typedef struct answering {
    recorder *client;
    char byte;
    size_t count;
} answering;

static weir_onread_result answer_once(weir_stream *stream, size_t count, void *buffer, void *arg)
{
    answering *self = arg;
    (void)stream;
    (void)buffer;
    if (self->count == 0)
        recorder_write(self->client, "answer", 6);
    self->count += count;
    return WEIR_ONREAD_CONTINUE;
}

/*
 * The answer has left when what the engine says to the records behind it fills the pipe: the write is done when that has
 * left too, and it does leave.
 */
static void TLS_18_a_write_before_answers_of_the_engine_is_told(void **state)
{
    enum { RECORDS = 60 };
    fixture *f = *state;
    size_t at = 0;
    wire out = {0};
    answering self = {.count = 0};
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.onread.callback = answer_once;
    options.onread.buffer = &self.byte;
    options.onread.size = 1;
    options.onread.arg = &self;
    weir_server *server = fixture_listen(f, plain_mem_endpoint(f, "answer", 8000), NULL);
    self.client =
        fixture_client(f,
                       tls_mem_endpoint(f, "answer", 8000,
                                        TRUSTS ", \"servername\": \"localhost\", \"ciphers\": [\"FAKE_CHATTY=3000\"]"),
                       &options);
    recorder *raw = fixture_accepted(f, server, 0);
    raw_wait_record(raw, &at);
    raw_server_hello(raw);
    recorder_wait(self.client, WEIR_EVENT_READY);
    fixture_turns(f, 20);
    recorder_pause(raw);
    for (int i = 0; i < RECORDS; i++)
        wire_data(&out, "?", 1);
    raw_send(raw, &out);
    fixture_turns(f, 20);
    recorder_resume(raw);
    recorder_wait_writes(self.client, 1);
    while (self.count < RECORDS) {
        fixture_turns(f, 1);
        assert_false(f->expired);
    }
    recorder_destroy(raw, NULL);
    recorder_destroy(self.client, NULL);
}

/* ---- more than a turn may take ---- */

static void added(weir_stream *stream, int status, void *arg)
{
    int *done = arg;
    (void)stream;
    *done = status == 0 ? 1 : -1;
}

/* All that a client has to say lies there in one piece when the layer comes: the others have their turns between. */
static void TLS_18_TLS_19_much_that_has_arrived_is_decoded_in_several_turns(void **state)
{
    enum { ALL = 600000, PART = 16000 };
    static char bytes[ALL];
    fixture *f = *state;
    int done = 0;
    wire said = {0}, hello = {0};
    weir_endpoint *endpoint = NULL;
    fixture_fill(bytes, ALL, 9);
    f->record = 0;
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", NULL);
    pair p = fixture_connect(f, server, NULL, NULL);
    assert_code(weir_endpoint_parse(f->runtime, tls_endpoint(f, NULL, SERVES), WEIR_SERVER, NULL, &endpoint, NULL), 0);
    wire_field(&hello, WIRE_VERSION, "\3", 1);
    wire_client_hello(&said, &(wire_hello){.fields = &hello}, 0);
    raw_finished(&said);
    for (size_t at = 0; at < ALL; at += PART)
        wire_data(&said, bytes + at, ALL - at < PART ? ALL - at : PART);
    assert_false(said.failed);
    assert_code(weir_stream_unshift(p.accepted->stream, said.data, said.size), 0);
    wire_free(&said);
    wire_free(&hello);
    assert_code(weir_stream_add_layer(p.accepted->stream, endpoint, added, &done), 0);
    fixture_until(f, &done);
    assert_int_equal(done, 1);
    recorder_add(p.accepted, RECORD_DATA);
    size_t turns = 0;
    for (size_t before = 0; p.accepted->data_size < ALL; before = p.accepted->data_size) {
        fixture_turns(f, 1);
        turns += p.accepted->data_size > before;
        assert_true(p.accepted->data_size - before < 400000);
        assert_false(f->expired);
    }
    assert_true(turns > 1);
    recorder_expect_data(p.accepted, bytes, ALL);
    recorder_destroy(p.accepted, NULL);
    recorder_destroy(p.client, NULL);
    weir_endpoint_release(endpoint);
}

static int tear_down(void **state)
{
    syscalls_restore();
    allocator_fail(0, 0);
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(TLS_14_files_that_fail_while_they_are_read),
        TEST(TLS_07_a_system_without_trusted_certificates),
        TEST(TLS_15_folders_that_cannot_be_watched),
        TEST(TLS_15_what_no_event_tells_is_seen_all_the_same),
        TEST(TLS_15_where_a_missing_folder_may_appear_is_watched),
        TEST(TLS_10_a_context_under_SNI_takes_what_is_there),
        TEST(a_named_context_allows_no_other_option),
        TEST(the_interface_refuses_what_is_no_argument),
        TEST(the_interface_takes_options_of_any_size),
        TEST(what_is_no_object_of_options_is_an_invalid_configuration),
        TEST(TLS_12_sessions_that_are_none),
        TEST(TLS_16_facts_that_nobody_knows_yet),
        TEST(TLS_02_a_last_flight_that_cannot_be_sent_opens_nothing),
        TEST(TLS_01_TLS_05_a_servers_last_flight_that_cannot_be_sent_is_a_clientError),
        TEST(TLS_03_a_close_notify_that_cannot_be_sent_is_an_error),
        TEST(TLS_18_a_write_that_cannot_be_sent_is_not_done),
        TEST(TLS_18_a_write_before_answers_of_the_engine_is_told),
        TEST(TLS_18_an_answer_of_the_engine_that_cannot_be_sent_fails_what_follows),
        TEST(TLS_18_TLS_19_much_that_has_arrived_is_decoded_in_several_turns),
    };
    fixture_preload("tls-fake");
    return cmocka_run_group_tests_name("tls_errors", tests, NULL, NULL);
}
