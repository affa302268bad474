/* SPDX-License-Identifier: MIT */
/* TLS over the reload of a service: new certificates without a failed handshake, and sessions that outlive it. */
#define _GNU_SOURCE

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "fixture.h"
#include "served.h"
#include "tls_load.h"
#include "tls_service.h"

typedef struct pair_files {
    char folder[256], cert[300], key[300], ca[300];
} pair_files;

/* A pair for localhost that was just made, in place of the one that was there. */
static void make_pair(pair_files *files)
{
    int code;
    child_free(CHILD_RUN(&code, "cert", "--host", "localhost", "--out", files->folder));
    assert_int_equal(code, 0);
}

static void first_pair(pair_files *files, const char *name)
{
    tls_need();
    tls_folder(files->folder, sizeof(files->folder), name);
    make_pair(files);
    snprintf(files->cert, sizeof(files->cert), "%s/server.pem", files->folder);
    snprintf(files->key, sizeof(files->key), "%s/server.key", files->folder);
    snprintf(files->ca, sizeof(files->ca), "%s/ca.pem", files->folder);
}

static const char *service_text(fixture *f, const pair_files *files, int workers, const char *more)
{
    return fixture_text(
        f,
        "{\"workers\": %d, \"servers\": [{\"name\": \"tls\", \"handler\": \"echo\", \"listen\": {\"tcp\": "
        "{\"host\": \"127.0.0.1\", \"port\": 0}, \"layers\": [{\"tls\": {\"cert\": \"%s\", \"key\": "
        "\"%s\"%s}}]}}]}",
        workers, files->cert, files->key, more);
}

static unsigned port_of(served *s)
{
    return (unsigned)atoi(strrchr(served_url(s, "tls"), ':') + 1);
}

static void a_certificate_is_replaced(fixture *f, int workers, const char *wrong_key)
{
    static tls_load load;
    pair_files files;
    char before[sizeof(load.now)];
    f->record = 0;
    first_pair(&files, workers == 1 ? "reloaded" : "reloaded-workers");
    size_t reloads = tls_fewer(5, 1), few = tls_fewer(10, 2);
    served *s = served_start(f, service_text(f, &files, workers, ""));
    tls_load_start(&load, f, port_of(s), files.ca);
    tls_load_turns(&load, few);
    /* Clients go on coming all the time. */
    for (size_t i = 0; i < reloads; i++) {
        memcpy(before, load.now, sizeof(before));
        make_pair(&files);
        tls_load_turns(&load, few); /* a file that has changed means nothing by itself */
        assert_string_equal(load.now, before);
        served_reload(s, NULL);
        load.mark++;
        tls_load_turns(&load, few);
        assert_string_not_equal(load.now, before);
    }
    /* A key that is none of this certificate's is refused, and what was good serves on. */
    memcpy(before, load.now, sizeof(before));
    assert_int_equal(rename(tls_cert(wrong_key), files.key), 0);
    assert_code(served_reload_begin(s, NULL), WEIR_EINVALID_CONFIG);
    assert_non_null(strstr(s->faults, "/servers/0/listen/layers/0/tls"));
    tls_load_turns(&load, few);
    assert_string_equal(load.now, before);
    make_pair(&files);
    served_reload(s, NULL);
    load.mark++;
    tls_load_turns(&load, few);
    assert_string_not_equal(load.now, before);
    tls_load_end(&load);
    assert_null(strstr(fixture_log(f), "error: "));
    served_stop(s, 1);
}

static void TLS_15_a_certificate_is_replaced_by_the_service_s_reload(void **state)
{
    a_certificate_is_replaced(*state, 1, "other.key");
}

static void TLS_15_a_certificate_is_replaced_in_all_workers(void **state)
{
    a_certificate_is_replaced(*state, 3, "client.key");
}

/* ---- sessions ---- */

/* A client that has exchanged something, so that a ticket has come; whether it resumed a session. */
static int exchange(fixture *f, const char *url, recorder **kept)
{
    weir_value value;
    recorder *client = fixture_client(f, url, NULL);
    recorder_wait(client, WEIR_EVENT_READY);
    recorder_write(client, "hello", 5);
    recorder_wait_data(client, 5);
    assert_int_equal(weir_stream_get(client->stream, "tls.resumed", &value), 0);
    int resumed = value.number != 0;
    if (kept) {
        *kept = client;
        return resumed;
    }
    recorder_end(client);
    recorder_wait(client, WEIR_EVENT_CLOSE);
    return resumed;
}

static void TLS_15_TLS_12_a_ticket_outlives_the_reload(void **state)
{
    fixture *f = *state;
    pair_files files;
    recorder *open;
    first_pair(&files, "tickets");
    for (int workers = 1; workers <= 2; workers++) {
        served *s = served_start(f, service_text(f, &files, workers, ""));
        const char *url = fixture_text(f, "tls+tcp://127.0.0.1:%u?servername=localhost&ca=%s", port_of(s), files.ca);
        assert_int_equal(exchange(f, url, NULL), 0);
        assert_int_equal(exchange(f, url, &open), 1);
        served_reload(s, NULL);
        assert_int_equal(exchange(f, url, NULL), 1);
        served_reload(s, service_text(f, &files, workers, ", \"ALPNProtocols\": [\"a\"]"));
        assert_int_equal(exchange(f, url, NULL), 1);
        /* What was opened before goes on with the keys it has. */
        recorder_write(open, "hello", 5);
        recorder_wait_data(open, 10);
        recorder_end(open);
        recorder_wait(open, WEIR_EVENT_CLOSE);
        assert_false(recorder_saw(open, "close:error"));
        /* Another certificate, other keys. */
        make_pair(&files);
        served_reload(s, NULL);
        assert_int_equal(exchange(f, url, NULL), 0);
        assert_int_equal(exchange(f, url, NULL), 1);
        served_stop(s, 0);
    }
}

static int group_setup(void **state)
{
    (void)state;
    if (access(WEIR_TEST_PLUGINS "/tls.so", R_OK) == 0)
        fixture_preload("tls");
    fixture_preload("echo");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_15_a_certificate_is_replaced_by_the_service_s_reload),
        FIXTURE_TEST(TLS_15_a_certificate_is_replaced_in_all_workers),
        FIXTURE_TEST(TLS_15_TLS_12_a_ticket_outlives_the_reload),
    };
    return cmocka_run_group_tests_name("service.tls_reload", tests, group_setup, NULL);
}
