/* SPDX-License-Identifier: MIT */
/* Streams over TLS with openssl at the other end, and among themselves: what only the program's own side can see. */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "fixture.h"
#include "served.h"
#include "tls_service.h"

#include "plugins/tls/include/weir/tls.h"

static const weir_tls *interface_of(fixture *f)
{
    const weir_plugin *plugin = NULL;
    tls_need();
    assert_code(weir_runtime_load_plugin(f->runtime, "tls", &plugin, NULL), 0);
    const weir_tls *tls = weir_tls_of(plugin);
    assert_non_null(tls);
    return tls;
}

/* A server with server.pem on a port of its own; `more`: further options of the layer. */
static weir_server *listen_to(fixture *f, int version, const char *more)
{
    return fixture_listen(f,
                          fixture_text(f,
                                       "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}, \"layers\": [{\"tls\": {"
                                       "\"cert\": \"%s\", \"key\": \"%s\", \"maxVersion\": \"%s\"%s%s}}]}",
                                       tls_cert("server.pem"), tls_cert("server.key"), tls_versions[version],
                                       *more ? ", " : "", more),
                          NULL);
}

static unsigned port_of(const weir_server *server)
{
    weir_address address;
    assert_int_equal(weir_server_address(server, &address), 0);
    return address.port;
}

/* `more`: further parameters of the URL, each behind "&". */
static const char *url_to(fixture *f, unsigned port, const char *more)
{
    return fixture_text(f, "tls+tcp://127.0.0.1:%u?servername=localhost&ca=%s%s", port, tls_cert("ca.pem"), more);
}

static const char *fact_of(fixture *f, const recorder *r, const char *name)
{
    weir_value value;
    if (weir_stream_get(r->stream, name, &value) != 0)
        return "-";
    if (value.type == WEIR_VALUE_BOOLEAN)
        return value.number ? "true" : "false";
    return fixture_text(f, "%s", value.text);
}

static void end_both(recorder *client, recorder *accepted)
{
    recorder_end(client);
    if (accepted)
        recorder_wait(accepted, WEIR_EVENT_CLOSE);
    recorder_wait(client, WEIR_EVENT_CLOSE);
}

/* ---- who is refused ---- */

static void TLS_09_a_refused_client_sees_the_error_where_its_version_tells_it(void **state)
{
    static const char *const lives[] = {"connect error:EPROTO close:error",
                                        "connect layer:tls.secureConnect ready error:EPROTO close:error"};
    fixture *f = *state;
    char strangers[512];
    tls_need();
    snprintf(strangers, sizeof(strangers), "&cert=%s&key=%s", tls_cert("stranger.pem"), tls_cert("stranger.key"));
    TLS_EACH_VERSION
    {
        const char *options = fixture_text(f, "\"requestCert\": true, \"ca\": \"%s\"", tls_cert("ca.pem"));
        unsigned port = port_of(listen_to(f, i, options));
        for (int k = 0; k < 2; k++) {
            recorder *client = fixture_client(f, url_to(f, port, k == 0 ? "" : strangers), NULL);
            recorder_wait(client, WEIR_EVENT_CLOSE);
            const char *life = strstr(client->text, " connect ");
            assert_non_null(life);
            assert_string_equal(life + 1, lives[i]);
        }
    }
}

/* ---- resumption ---- */

enum { TICKETS = 5 };

typedef struct keepsakes {
    char *sessions[TICKETS + 1];
    size_t sizes[TICKETS + 1];
    size_t count;
} keepsakes;

static void keep_session(const weir_event *event, void *arg)
{
    keepsakes *self = arg;
    const weir_layer_event *said = event->layer;
    if (strcmp(said->name, "session") != 0)
        return;
    assert_true(self->count <= TICKETS);
    self->sessions[self->count] = malloc(said->size);
    assert_non_null(self->sessions[self->count]);
    memcpy(self->sessions[self->count], said->payload, said->size);
    self->sizes[self->count++] = said->size;
}

/* Until it has sent a line there and back: s_server turns lines around. All that it said before has come then. */
static void turn_around(recorder *client, const char *line, const char *expected)
{
    size_t before = client->data_size, size = strlen(expected);
    assert_true(recorder_write(client, line, strlen(line)) >= 0);
    recorder_wait_data(client, before + size);
    assert_memory_equal(client->data + before, expected, size);
}

static void TLS_12_TLS_22_each_ticket_of_s_server_resumes(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    char port[8];
    TLS_EACH_VERSION
    {
        size_t expected = i == 0 ? 1 : TICKETS;
        keepsakes kept = {0};
        child *server = tls_s_server(tls_openssl_versions[i], "-rev -num_tickets 5", port, sizeof(port));
        const char *url = url_to(f, (unsigned)atoi(port), "");
        recorder *client = fixture_client(f, url, NULL);
        assert_code(weir_stream_on(client->stream, WEIR_EVENT_LAYER, keep_session, &kept), 0);
        recorder_wait(client, WEIR_EVENT_READY);
        assert_string_equal(fact_of(f, client, "tls.resumed"), "false");
        /* They come among the data, and nothing of that is lost. */
        turn_around(client, "hello\n", "olleh\n");
        assert_int_equal(kept.count, expected);
        end_both(client, NULL);
        for (size_t k = 0; k < expected; k++) {
            client = fixture_client(f, url, NULL);
            assert_code(tls->stream_set_session(client->stream, kept.sessions[k], kept.sizes[k]), 0);
            recorder_wait(client, WEIR_EVENT_READY);
            assert_string_equal(fact_of(f, client, "tls.resumed"), "true");
            assert_string_equal(fact_of(f, client, "tls.authorized"), "true");
            assert_string_equal(fact_of(f, client, "tls.peer.subject"), "CN=localhost");
            turn_around(client, "hello\n", "olleh\n");
            end_both(client, NULL);
            free(kept.sessions[k]);
        }
        child_free(server);
    }
}

/* mbedTLS itself says of an untrusted client that came back on TLS 1.3 that it was verified. */
static void TLS_12_who_was_not_verified_at_first_is_not_so_after_a_resumption(void **state)
{
    fixture *f = *state;
    tls_need();
    const char *options =
        fixture_text(f, "\"requestCert\": true, \"rejectUnauthorized\": false, \"ca\": \"%s\"", tls_cert("ca.pem"));
    const char *identity = fixture_text(f, "&cert=%s&key=%s", tls_cert("stranger.pem"), tls_cert("stranger.key"));
    TLS_EACH_VERSION
    {
        weir_server *server = listen_to(f, i, options);
        const char *url = url_to(f, port_of(server), identity);
        for (size_t k = 0; k < 3; k++) {
            recorder *client = fixture_client(f, url, NULL);
            recorder *accepted = fixture_accepted(f, server, k);
            assert_true(recorder_write(accepted, "hello", 5) >= 0); /* behind the ticket */
            recorder_wait_data(client, 5);
            assert_string_equal(fact_of(f, accepted, "tls.version"), tls_versions[i]);
            assert_string_equal(fact_of(f, accepted, "tls.resumed"), k == 0 ? "false" : "true");
            assert_string_equal(fact_of(f, accepted, "tls.authorized"), "false");
            assert_string_equal(fact_of(f, accepted, "tls.authorizationError"), "UNABLE_TO_VERIFY_LEAF_SIGNATURE");
            assert_string_equal(fact_of(f, accepted, "tls.peer.subject"), "CN=stranger");
            end_both(client, accepted);
        }
    }
}

/* ---- exported keys ---- */

#define LABEL "EXPORTER-Channel-Binding" /* RFC 9266: with an empty context */

/* What openssl has exported, without a context, is what the stream exports. */
static void expect_same_keys(const weir_tls *tls, const recorder *r, child *openssl, int version)
{
    static const char before[] = "Keying material: ";
    unsigned char key[32];
    char text[65];
    const char *line = tls_line_with(openssl, before);
    assert_code(tls->stream_export(r->stream, LABEL, NULL, 0, key, sizeof(key)), 0);
    for (size_t i = 0; i < sizeof(key); i++)
        snprintf(text + 2 * i, 3, "%02X", key[i]);
    assert_string_equal(strstr(line, before) + strlen(before), text);
    /* TLS 1.3 makes no difference between an empty one and none. */
    unsigned char other[32];
    assert_code(tls->stream_export(r->stream, LABEL, "", 0, other, sizeof(other)), 0);
    assert_int_equal(memcmp(key, other, sizeof(key)) == 0, version == 1);
}

static void TLS_16_TLS_22_openssl_exports_the_same_keys(void **state)
{
    fixture *f = *state;
    const weir_tls *tls = interface_of(f);
    char port[8], where[32];
    TLS_EACH_VERSION
    {
        weir_server *server = listen_to(f, i, "");
        snprintf(where, sizeof(where), "127.0.0.1:%u", port_of(server));
        child *openssl =
            OTHER(CHILD_PIPE, CHILD_PIPE, "openssl", "s_client", "-connect", where, "-CAfile", tls_cert("ca.pem"),
                  "-keymatexport", LABEL, "-keymatexportlen", "32", tls_openssl_versions[i]);
        recorder *accepted = fixture_accepted(f, server, 0);
        expect_same_keys(tls, accepted, openssl, i);
        child_close_in(openssl);
        recorder_wait(accepted, WEIR_EVENT_CLOSE);
        child_free(openssl);

        openssl =
            tls_s_server(tls_openssl_versions[i], "-keymatexport " LABEL " -keymatexportlen 32", port, sizeof(port));
        recorder *client = fixture_client(f, url_to(f, (unsigned)atoi(port), ""), NULL);
        recorder_wait(client, WEIR_EVENT_READY);
        expect_same_keys(tls, client, openssl, i);
        end_both(client, NULL);
        child_free(openssl);
    }
}

/* ---- threads ---- */

enum { WORKERS = 4, AT_ONCE = 40, ROUNDS = 3 };

/* Under valgrind a handshake takes a second. */
static int at_once(void)
{
    return getenv("WEIR_TEST_VALGRIND") ? AT_ONCE / 10 : AT_ONCE;
}

/* One round: all of them shake hands at the same time. Gives how many came back by a ticket. */
static int talk_to_workers(fixture *f, const char *url, int version)
{
    recorder *clients[AT_ONCE];
    int resumed = 0;
    for (int k = 0; k < at_once(); k++)
        clients[k] = fixture_client(f, url, NULL);
    for (int k = 0; k < at_once(); k++)
        assert_true(recorder_write(clients[k], "hello", 5) >= 0);
    for (int k = 0; k < at_once(); k++) {
        recorder_wait_data(clients[k], 5);
        assert_memory_equal(clients[k]->data, "hello", 5);
        assert_string_equal(fact_of(f, clients[k], "tls.version"), tls_versions[version]);
        resumed += strcmp(fact_of(f, clients[k], "tls.resumed"), "true") == 0;
    }
    for (int k = 0; k < at_once(); k++)
        end_both(clients[k], NULL);
    return resumed;
}

/* All have one library in common, and on TLS 1.3 its store of keys; and the tickets of any are good for all. */
static void TLS_12_TLS_22_workers_shake_hands_in_parallel(void **state)
{
    fixture *f = *state;
    tls_need();
    TLS_EACH_VERSION
    {
        served *service = served_start(
            f, fixture_text(
                   f,
                   "{\"workers\": %d, \"servers\": [{\"name\": \"tls\", \"handler\": \"echo\", \"listen\": {\"tcp\": "
                   "{\"host\": \"127.0.0.1\", \"port\": 0}, \"layers\": [{\"tls\": {\"cert\": \"%s\", \"key\": "
                   "\"%s\", \"maxVersion\": \"%s\"}}]}}]}",
                   WORKERS, tls_cert("server.pem"), tls_cert("server.key"), tls_versions[i]));
        unsigned port = (unsigned)atoi(strrchr(served_url(service, "tls"), ':') + 1);
        for (int k = 0; k < ROUNDS; k++) {
            assert_int_equal(talk_to_workers(f, url_to(f, port, "&tickets=false"), i), 0);
            assert_int_equal(talk_to_workers(f, url_to(f, port, ""), i), k == 0 ? 0 : at_once());
        }
        served_stop(service, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_09_a_refused_client_sees_the_error_where_its_version_tells_it),
        FIXTURE_TEST(TLS_12_TLS_22_each_ticket_of_s_server_resumes),
        FIXTURE_TEST(TLS_12_who_was_not_verified_at_first_is_not_so_after_a_resumption),
        FIXTURE_TEST(TLS_16_TLS_22_openssl_exports_the_same_keys),
        FIXTURE_TEST(TLS_12_TLS_22_workers_shake_hands_in_parallel),
    };
    return cmocka_run_group_tests_name("service.tls_streams", tests, tls_group_setup, NULL);
}
