/* SPDX-License-Identifier: MIT */
/* Endpoints of tls-fake, and raw peers that speak its protocol. */
#include "tls_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static weir_stream_options half_open(void)
{
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    return options;
}

static unsigned port_of(const weir_server *server)
{
    weir_address address;
    if (!server)
        return 0;
    assert_int_equal(weir_server_address(server, &address), 0);
    return address.port;
}

const char *tls_endpoint(fixture *f, const weir_server *server, const char *options)
{
    return fixture_text(f, "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": %u}, \"layers\": [{\"tls-fake\": {%s}}]}",
                        port_of(server), options);
}

const char *plain_mem_endpoint(fixture *f, const char *name, unsigned pipe_size)
{
    return fixture_text(f, "{\"mem\": {\"path\": \"%s\", \"pipeSize\": %u}}", name, pipe_size);
}

const char *tls_mem_endpoint(fixture *f, const char *name, unsigned pipe_size, const char *options)
{
    return fixture_text(f, "{\"mem\": {\"path\": \"%s\", \"pipeSize\": %u}, \"layers\": [{\"tls-fake\": {%s}}]}", name,
                        pipe_size, options);
}

weir_server *tls_server(fixture *f, const char *options)
{
    weir_server_options server;
    weir_server_options_init(&server);
    server.stream = half_open();
    return fixture_listen(f, tls_endpoint(f, NULL, options), &server);
}

recorder *tls_client(fixture *f, const weir_server *server, const char *options)
{
    weir_stream_options stream = half_open();
    return fixture_client(f, tls_endpoint(f, server, options), &stream);
}

pair tls_pair(fixture *f, const char *server_options, const char *client_options)
{
    weir_stream_options stream = half_open();
    weir_server *server = tls_server(f, server_options);
    return fixture_connect(f, server, tls_endpoint(f, server, client_options), &stream);
}

const char *fact_of(fixture *f, const recorder *r, const char *name)
{
    weir_value value;
    if (weir_stream_get(r->stream, name, &value) != 0)
        return "-";
    if (value.type == WEIR_VALUE_BOOLEAN)
        return value.number ? "true" : "false";
    if (value.type == WEIR_VALUE_TEXT)
        return fixture_text(f, "%s", value.text);
    return fixture_text(f, "%lld", (long long)value.number);
}

/* ---- options ---- */

weir_error *tls_refusal(fixture *f, const char *options, weir_role role)
{
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    const char *text = fixture_text(f, "{\"tcp\": {\"port\": 1}, \"layers\": [{\"tls-fake\": {%s}}]}", options);
    int status = weir_endpoint_parse(f->runtime, text, role, f->folder, &endpoint, &error);
    weir_endpoint_release(endpoint);
    assert_true((status == 0) == (error == NULL));
    return error;
}

void expect_good(fixture *f, const char *options, weir_role role)
{
    weir_error *error = tls_refusal(f, options, role);
    if (error)
        fail_msg("%s", error->message);
}

void expect_fault(fixture *f, const char *options, weir_role role, const char *says)
{
    weir_error *error = tls_refusal(f, options, role);
    if (!error) {
        fail_msg("no fault in %s", options);
        return;
    }
    char *words = strdup(says), *rest = NULL;
    assert_non_null(words);
    assert_code(error->code, WEIR_EINVALID_CONFIG);
    for (const char *word = strtok_r(words, "|", &rest); word; word = strtok_r(NULL, "|", &rest)) {
        if (!strstr(error->message, word))
            fail_msg("'%s' is not in '%s'", word, error->message);
    }
    free(words);
    weir_error_release(error);
}

/* ---- raw peers ---- */

void raw_send(recorder *raw, wire *what)
{
    assert_false(what->failed);
    assert_true(recorder_write(raw, what->data, what->size) >= 0);
    wire_free(what);
}

void raw_hello(recorder *raw, const char *name, const char *protocol)
{
    wire fields = {0}, out = {0};
    wire_field(&fields, WIRE_VERSION, "\3", 1);
    wire_hello hello = {.name = name, .fields = &fields};
    if (protocol) {
        hello.alpn = &protocol;
        hello.alpn_count = 1;
    }
    wire_client_hello(&out, &hello, 0);
    wire_free(&fields);
    raw_send(raw, &out);
}

void raw_finished(wire *to)
{
    wire_message(to, WIRE_FINISHED, NULL, 0);
}

void raw_put_server_hello(wire *to, char version)
{
    static const char cert[] =
        "-----BEGIN FAKE CERTIFICATE-----\nsubject=server\nissuer=ca\nname=localhost\naddress=127.0.0.1\n";
    wire fields = {0};
    wire_field(&fields, WIRE_VERSION, &version, 1);
    wire_field(&fields, WIRE_CERT, cert, sizeof(cert) - 1);
    wire_message(to, WIRE_SERVER_HELLO, fields.data, fields.size);
    wire_free(&fields);
}

void raw_server_hello(recorder *raw)
{
    wire out = {0};
    raw_put_server_hello(&out, 3);
    raw_send(raw, &out);
}

void raw_wait_record(recorder *raw, size_t *at)
{
    while (raw_record(raw, at, NULL, NULL) == 0)
        recorder_wait_data(raw, raw->data_size + 1);
}

pair raw_client(fixture *f, weir_server *server, size_t *seen)
{
    weir_stream_options stream = half_open();
    wire out = {0};
    pair p = {.client = fixture_client(f, fixture_url(f, server), &stream)};
    *seen = 0;
    raw_hello(p.client, "localhost", NULL);
    raw_wait_record(p.client, seen); /* ServerHello */
    raw_finished(&out);
    raw_send(p.client, &out);
    p.accepted = fixture_accepted(f, server, 0);
    raw_wait_record(p.client, seen); /* Ticket */
    return p;
}

pair raw_server(fixture *f, const char *client_options, size_t *seen)
{
    weir_server_options options;
    weir_server_options_init(&options);
    options.stream = half_open();
    weir_server *server = fixture_listen(f, "tcp://127.0.0.1:0", &options);
    pair p = {.client = tls_client(f, server, client_options)};
    p.accepted = fixture_accepted(f, server, 0);
    *seen = 0;
    raw_wait_record(p.accepted, seen); /* ClientHello */
    raw_server_hello(p.accepted);
    recorder_wait(p.client, WEIR_EVENT_READY);
    raw_wait_record(p.accepted, seen); /* Finished */
    return p;
}

int raw_record(const recorder *raw, size_t *at, unsigned char *data, size_t *size)
{
    const unsigned char *bytes = (const unsigned char *)raw->data + *at;
    size_t left = raw->data_size - *at;
    if (left < WIRE_HEADER)
        return 0;
    size_t length = (size_t)bytes[3] << 8 | bytes[4];
    if (left < WIRE_HEADER + length)
        return 0;
    for (size_t i = 0; data && i < length; i++)
        data[i] = (unsigned char)(bytes[WIRE_HEADER + i] ^ (bytes[0] == WIRE_DATA ? WIRE_TURN : 0));
    if (size)
        *size = length;
    *at += WIRE_HEADER + length;
    return bytes[0];
}
