/* SPDX-License-Identifier: MIT */
/* One connection of the fake engine: records in, messages, tickets, data. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "fake.h"

/* ---- life ---- */

static char *copy(const void *data, size_t size, int *failed)
{
    char *made = weir_malloc(size + 1);
    if (!made) {
        *failed = 1;
        return NULL;
    }
    memcpy(made, data, size);
    made[size] = '\0';
    return made;
}

static void prove(tls_session *session, const void *key, size_t size)
{
    const tls_bytes piece = {key, size};
    fake_digest(&piece, 1, session->proof);
}

static void take_psk(tls_session *session, const tls_session_options *options, int *failed)
{
    const char *identity = options->psk ? options->psk_identity : session->settings->psk_identity;
    if (session->role != WEIR_CLIENT || !identity)
        return;
    session->identity = copy(identity, strlen(identity), failed);
    if (options->psk)
        prove(session, options->psk, options->psk_size);
    else
        prove(session, session->settings->psk, session->settings->psk_size);
}

static const char *name_of(const tls_session *session)
{
    return session->name ? session->name : "";
}

static int is_field(const tls_session_options *options, char letter, const void *data, size_t size)
{
    size_t found;
    const unsigned char *at = wire_find(options->resume, options->resume_size, letter, &found);
    return at && found == size && memcmp(at, data, size) == 0;
}

/* It may be of another name, or of settings that let others in. */
static int may_resume(const tls_session *session, const tls_session_options *options)
{
    return options->resume && is_field(options, WIRE_WHOM, name_of(session), strlen(name_of(session))) &&
           is_field(options, WIRE_BOUND, session->settings->binding, sizeof(session->settings->binding));
}

tls_session *fake_session_new(tls_credentials *credentials, const tls_session_options *options, const tls_host *host,
                              void *arg)
{
    tls_session *session = weir_calloc(1, sizeof(*session));
    int failed = 0;
    if (!session)
        return NULL;
    session->credentials = credentials;
    session->settings = credentials->settings;
    session->host = host;
    session->arg = arg;
    session->role = session->settings->role;
    session->name_is_address = options->name_is_address;
    if (options->name)
        session->name = copy(options->name, strlen(options->name), &failed);
    if (options->alpn)
        session->alpn = copy(options->alpn, strlen(options->alpn), &failed);
    if (may_resume(session, options)) {
        session->resume = (unsigned char *)copy(options->resume, options->resume_size, &failed);
        session->resume_size = options->resume_size;
    }
    take_psk(session, options, &failed);
    if (failed) {
        fake_session_free(session);
        return NULL;
    }
    return session;
}

void fake_session_free(tls_session *session)
{
    if (!session)
        return;
    weir_free(session->name);
    weir_free(session->identity);
    weir_free(session->alpn);
    weir_free(session->resume);
    weir_free(session->peer);
    wire_free(&session->message);
    wire_free(&session->blob);
    weir_free(session);
}

/* ---- failing, sending ---- */

static tls_result fail(tls_session *session, weir_error **error, int code, const char *why)
{
    session->step = DEAD;
    *error = weir_error_newf(code, NULL, NULL, -1, "%s", why);
    return TLS_FAILED;
}

/* Gives up the bytes, in any case. */
static int send_wire(tls_session *session, wire *out)
{
    int status = out->failed ? UV_ENOMEM : session->host->send(session->arg, out->data, out->size);
    wire_free(out);
    return status;
}

static tls_result fail_with_alert(tls_session *session, weir_error **error, int description, const char *why)
{
    wire out = {0};
    wire_alert(&out, 2, description);
    send_wire(session, &out);
    return fail(session, error, UV_EPROTO, why);
}

static int send_message(tls_session *session, int type, wire *fields)
{
    wire out = {0};
    wire_message(&out, type, fields->data, fields->size);
    out.failed |= fields->failed;
    wire_free(fields);
    return send_wire(session, &out);
}

/* ---- records ---- */

static size_t record_size(const tls_session *session)
{
    return (size_t)session->record[3] << 8 | session->record[4];
}

/* The record is whole: TLS_DONE; all that came is taken in any case. */
static tls_result next_record(tls_session *session, weir_error **error)
{
    for (;;) {
        size_t wanted = session->have < WIRE_HEADER ? WIRE_HEADER : WIRE_HEADER + record_size(session);
        if (wanted > sizeof(session->record))
            return fail_with_alert(session, error, WIRE_UNEXPECTED, "the peer sent a record that is too long");
        if (session->have >= WIRE_HEADER && session->have == wanted)
            return TLS_DONE;
        size_t got = session->host->receive(session->arg, session->record + session->have, wanted - session->have);
        if (got == 0)
            return TLS_WANT_READ;
        session->have += got;
    }
}

static tls_result take_alert(tls_session *session, weir_error **error)
{
    int description = session->record[WIRE_HEADER + 1];
    session->have = 0;
    if (description == WIRE_CLOSE_NOTIFY) {
        session->closed = 1;
        return TLS_CLOSED;
    }
    char why[64];
    snprintf(why, sizeof(why), "the peer sent the alert %d", description);
    return fail(session, error, UV_EPROTO, why);
}

/* The message goes on with the record's payload. 1: it is whole. */
static int join_message(tls_session *session)
{
    wire *message = &session->message;
    wire_put(message, session->record + WIRE_HEADER, record_size(session));
    session->have = 0;
    return message->size >= 4 &&
           message->size - 4 >= ((size_t)message->data[1] << 16 | (size_t)message->data[2] << 8 | message->data[3]);
}

/* The next handshake message, whole, in session->message; any other record is a fault. */
static tls_result next_message(tls_session *session, weir_error **error)
{
    for (;;) {
        tls_result result = next_record(session, error);
        if (result != TLS_DONE)
            return result;
        if (session->record[0] == WIRE_ALERT)
            return take_alert(session, error);
        if (session->record[0] != WIRE_HANDSHAKE)
            return fail_with_alert(session, error, WIRE_UNEXPECTED, "the peer sent something else than a handshake");
        int whole = join_message(session);
        if (session->message.failed)
            return fail(session, error, UV_ENOMEM, "no memory");
        if (!whole)
            continue;
        if (session->message.data[0] != WIRE_PADDING)
            return TLS_DONE;
        session->message.size = 0;
    }
}

static const unsigned char *field(const tls_session *session, char letter, size_t *size)
{
    const unsigned char *fields = session->message.data + 4;
    size_t fields_size = session->message.size - 4;
    if (session->message.data[0] == WIRE_CLIENT_HELLO)
        fields = wire_hello_fields(session->message.data, session->message.size, &fields_size);
    return fields ? wire_find(fields, fields_size, letter, size) : NULL;
}

/* ---- what the peer is ---- */

static int take_peer(tls_session *session, const void *cert, size_t size)
{
    int failed = 0;
    if (!cert || size == 0)
        return 0;
    weir_free(session->peer);
    session->peer = copy(cert, size, &failed);
    session->peer_size = size;
    return failed ? UV_ENOMEM : 0;
}

/* 0, or the alert. */
static int judge_peer(tls_session *session)
{
    session->authorization_error =
        fake_verify(session->credentials, session->peer ? session->peer : "", session->peer_size,
                    session->role == WEIR_CLIENT ? session->name : NULL, session->name_is_address);
    session->authorized = session->authorization_error == NULL;
    if (session->authorized || !session->settings->reject_unauthorized)
        return 0;
    snprintf(session->text, sizeof(session->text), "%s: the peer's certificate is not accepted",
             session->authorization_error);
    return WIRE_BAD_CERTIFICATE;
}

/* ---- tickets ---- */

/* Name, state turned over by the key, and a sum of all of it and of what it is bound to. */
static void seal(const tls_ticket_key *key, const wire *state, wire *ticket)
{
    unsigned char sum[TLS_DIGEST_SIZE];
    wire_put(ticket, key->name, sizeof(key->name));
    for (size_t i = 0; i < state->size; i++)
        wire_number(ticket, state->data[i] ^ key->key[i % sizeof(key->key)], 1);
    const tls_bytes pieces[] = {
        {key->key, sizeof(key->key)}, {key->binding, sizeof(key->binding)}, {ticket->data, ticket->size}};
    fake_digest(pieces, 3, sum);
    wire_put(ticket, sum, sizeof(sum));
}

/* 1: the state is in `state`. */
static int unseal(tls_session *session, const unsigned char *ticket, size_t size, wire *state)
{
    tls_ticket_key key;
    unsigned char sum[TLS_DIGEST_SIZE];
    if (size < sizeof(key.name) + sizeof(sum) || session->host->ticket_key(session->arg, ticket, &key) != 0)
        return 0;
    size_t body = size - sizeof(sum);
    const tls_bytes pieces[] = {{key.key, sizeof(key.key)}, {key.binding, sizeof(key.binding)}, {ticket, body}};
    fake_digest(pieces, 3, sum);
    int good = memcmp(sum, ticket + body, sizeof(sum)) == 0;
    for (size_t i = sizeof(key.name); good && i < body; i++)
        wire_number(state, ticket[i] ^ key.key[(i - sizeof(key.name)) % sizeof(key.key)], 1);
    weir__tls_wipe(&key, sizeof(key));
    return good && !state->failed;
}

static int send_ticket(tls_session *session)
{
    tls_ticket_key key;
    wire state = {0}, ticket = {0}, fields = {0};
    if (session->by_psk || !session->settings->tickets || session->host->ticket_key(session->arg, NULL, &key) != 0)
        return 0;
    wire_number(&state, (size_t)session->version, 1);
    wire_number(&state, (size_t)session->authorized, 1);
    wire_put(&state, session->peer, session->peer_size);
    seal(&key, &state, &ticket);
    weir__tls_wipe(&key, sizeof(key));
    wire_field(&fields, WIRE_OLD, ticket.data, ticket.size);
    fields.failed |= ticket.failed | state.failed;
    wire_free(&state);
    wire_free(&ticket);
    return send_message(session, WIRE_TICKET, &fields);
}

/* Client: a ticket, with what it has to know of the server beside it. */
static void keep_ticket(tls_session *session, const unsigned char *ticket, size_t size)
{
    const char *judgement = session->authorization_error ? session->authorization_error : "";
    wire_free(&session->blob);
    wire_field(&session->blob, WIRE_OLD, ticket, size);
    wire_field(&session->blob, WIRE_STATE, judgement, strlen(judgement));
    wire_field(&session->blob, WIRE_CERT, session->peer, session->peer_size);
    wire_field(&session->blob, WIRE_WHOM, name_of(session), strlen(name_of(session)));
    wire_field(&session->blob, WIRE_BOUND, session->settings->binding, sizeof(session->settings->binding));
    if (!session->blob.failed)
        session->host->new_session(session->arg, session->blob.data, session->blob.size);
}

int fake_session_get(tls_session *session, void **blob, size_t *size)
{
    int failed = 0;
    if (session->blob.size == 0)
        return UV_ENOENT;
    *blob = copy(session->blob.data, session->blob.size, &failed);
    *size = session->blob.size;
    return failed ? UV_ENOMEM : 0;
}

/* ---- the handshake ---- */

static void done(tls_session *session)
{
    char line[96];
    session->step = READY;
    session->message.size = 0;
    if (!session->settings->keylog)
        return;
    snprintf(line, sizeof(line), "CLIENT_RANDOM %02x%02x%02x%02x 00", session->random[0], session->random[1],
             session->random[2], session->random[3]);
    session->host->keylog(session->arg, line);
}

static tls_result say_hello(tls_session *session, weir_error **error)
{
    const tls_settings *settings = session->settings;
    const char version = settings->max_version == TLS_VERSION_12 ? 2 : 3;
    wire fields = {0}, out = {0};
    size_t size;
    const unsigned char *old = wire_find(session->resume, session->resume_size, WIRE_OLD, &size);
    wire_field(&fields, WIRE_VERSION, &version, 1);
    if (old)
        wire_field(&fields, WIRE_OLD, old, size);
    if (session->identity) {
        wire_field(&fields, WIRE_IDENTITY, session->identity, strlen(session->identity));
        wire_field(&fields, WIRE_PROOF, session->proof, sizeof(session->proof));
    }
    wire_hello hello = {.alpn = (const char *const *)settings->alpn.items, .alpn_count = settings->alpn.count};
    uv_random(NULL, NULL, session->random, sizeof(session->random), 0, NULL);
    memcpy(hello.random, session->random, sizeof(hello.random));
    hello.name = session->name_is_address ? NULL : session->name;
    hello.fields = &fields;
    wire_client_hello(&out, &hello, 0);
    out.failed |= fields.failed;
    wire_free(&fields);
    if (send_wire(session, &out))
        return fail(session, error, UV_ENOMEM, "no memory");
    session->step = SAID_HELLO;
    return TLS_DONE;
}

/* 1: the identity is known, and its key is this one. */
static int knows(tls_session *session)
{
    unsigned char key[TLS_PSK_MOST], sum[TLS_DIGEST_SIZE];
    size_t size, proof_size;
    const unsigned char *identity = field(session, WIRE_IDENTITY, &size);
    const unsigned char *proof = field(session, WIRE_PROOF, &proof_size);
    size_t length = identity ? session->host->psk(session->arg, identity, size, key, sizeof(key)) : 0;
    const tls_bytes piece = {key, length};
    if (length == 0 || !proof || proof_size != sizeof(sum))
        return 0;
    fake_digest(&piece, 1, sum);
    return memcmp(sum, proof, sizeof(sum)) == 0;
}

static int resume(tls_session *session)
{
    size_t size;
    const unsigned char *ticket = field(session, WIRE_OLD, &size);
    wire state = {0};
    int good = ticket && session->settings->tickets && unseal(session, ticket, size, &state) && state.size >= 2;
    if (good) {
        session->resumed = 1;
        session->authorized = state.data[1];
        good = take_peer(session, state.data + 2, state.size - 2) == 0;
    }
    wire_free(&state);
    return good;
}

static int answer_hello(tls_session *session)
{
    const tls_settings *settings = session->settings;
    const char version = (char)session->version;
    wire fields = {0};
    wire_field(&fields, WIRE_VERSION, &version, 1);
    if (session->alpn)
        wire_field(&fields, WIRE_ALPN, session->alpn, strlen(session->alpn));
    if (session->resumed)
        wire_field(&fields, WIRE_RESUMED, NULL, 0);
    else if (settings->cert.data)
        wire_field(&fields, WIRE_CERT, settings->cert.data, settings->cert.size);
    if (settings->request_cert && !session->resumed)
        wire_field(&fields, WIRE_ASKS, NULL, 0);
    return send_message(session, WIRE_SERVER_HELLO, &fields);
}

static tls_result take_hello(tls_session *session, weir_error **error)
{
    size_t size;
    const unsigned char *version = field(session, WIRE_VERSION, &size);
    if (session->message.data[0] != WIRE_CLIENT_HELLO || !version || size != 1)
        return fail_with_alert(session, error, WIRE_UNEXPECTED, "the peer's ClientHello is not the fake's");
    if (session->credentials->faults.handshake_fails)
        return fail_with_alert(session, error, WIRE_HANDSHAKE_FAILURE, "the fake fails");
    memcpy(session->random, session->message.data + 6, sizeof(session->random));
    session->version = *version == 3 && session->settings->max_version != TLS_VERSION_12 ? 3 : 2;
    session->by_psk = !session->settings->cert.data;
    session->authorized = session->by_psk;
    if (session->by_psk && !knows(session))
        return fail_with_alert(session, error, WIRE_HANDSHAKE_FAILURE, "the identity of the client is not known");
    resume(session);
    if (answer_hello(session))
        return fail(session, error, UV_ENOMEM, "no memory");
    session->step = SAID_HELLO;
    return TLS_DONE;
}

static tls_result take_server_cert(tls_session *session, weir_error **error)
{
    size_t size;
    const unsigned char *cert;
    session->resumed = field(session, WIRE_RESUMED, &size) != NULL;
    if (session->resumed) {
        const unsigned char *state = wire_find(session->resume, session->resume_size, WIRE_STATE, &size);
        session->authorized = state && size == 0;
        if (state && size > 0) {
            snprintf(session->judgement, sizeof(session->judgement), "%.*s", (int)size, (const char *)state);
            session->authorization_error = session->judgement;
        }
        cert = wire_find(session->resume, session->resume_size, WIRE_CERT, &size);
        return take_peer(session, cert, size) ? fail(session, error, UV_ENOMEM, "no memory") : TLS_DONE;
    }
    cert = field(session, WIRE_CERT, &size);
    if (!cert && session->identity) {
        session->authorized = 1;
        session->by_psk = 1;
        return TLS_DONE;
    }
    if (take_peer(session, cert, cert ? size : 0))
        return fail(session, error, UV_ENOMEM, "no memory");
    int alert = judge_peer(session);
    return alert ? fail_with_alert(session, error, alert, session->text) : TLS_DONE;
}

static tls_result take_server_hello(tls_session *session, weir_error **error)
{
    size_t size;
    int failed = 0;
    const unsigned char *version = field(session, WIRE_VERSION, &size);
    if (session->message.data[0] != WIRE_SERVER_HELLO || !version || size != 1)
        return fail_with_alert(session, error, WIRE_UNEXPECTED, "the peer's ServerHello is not the fake's");
    if (session->credentials->faults.handshake_fails)
        return fail_with_alert(session, error, WIRE_HANDSHAKE_FAILURE, "the fake fails");
    session->version = *version;
    const unsigned char *alpn = field(session, WIRE_ALPN, &size);
    if (alpn)
        session->alpn = copy(alpn, size, &failed);
    tls_result result = failed ? fail(session, error, UV_ENOMEM, "no memory") : take_server_cert(session, error);
    if (result != TLS_DONE)
        return result;
    wire fields = {0};
    if (field(session, WIRE_ASKS, &size) && session->settings->cert.data)
        wire_field(&fields, WIRE_CERT, session->settings->cert.data, session->settings->cert.size);
    if (send_message(session, WIRE_FINISHED, &fields))
        return fail(session, error, UV_ENOMEM, "no memory");
    session->step = SAID_FINISHED;
    return TLS_DONE;
}

static int send_padding(tls_session *session)
{
    static const unsigned char nothing[16000];
    size_t left = session->credentials->faults.last_flight;
    int status = 0;
    while (left > 0 && status == 0) {
        size_t part = left < sizeof(nothing) ? left : sizeof(nothing);
        wire fields = {0};
        wire_put(&fields, nothing, part);
        status = send_message(session, WIRE_PADDING, &fields);
        left -= part;
    }
    return status;
}

static tls_result take_client_finished(tls_session *session, weir_error **error)
{
    size_t size = 0;
    const unsigned char *cert = field(session, WIRE_CERT, &size);
    wire nothing = {0};
    if (session->message.data[0] != WIRE_FINISHED)
        return fail_with_alert(session, error, WIRE_UNEXPECTED, "the peer sent no Finished");
    if (take_peer(session, cert, cert ? size : 0))
        return fail(session, error, UV_ENOMEM, "no memory");
    if (session->settings->request_cert && !session->resumed) {
        int alert = judge_peer(session);
        if (alert)
            return fail_with_alert(session, error, alert, session->text);
    }
    int status = send_padding(session);
    if (status == 0 && session->version == 2)
        status = send_message(session, WIRE_FINISHED, &nothing);
    if (status == 0)
        status = send_ticket(session);
    if (status)
        return fail(session, error, UV_ENOMEM, "no memory");
    done(session);
    return TLS_DONE;
}

static tls_result take_server_finished(tls_session *session, weir_error **error)
{
    if (session->message.data[0] != WIRE_FINISHED)
        return fail_with_alert(session, error, WIRE_UNEXPECTED, "the peer sent no Finished");
    done(session);
    return TLS_DONE;
}

/* What the message is answered with, by the step. */
static tls_result answer(tls_session *session, weir_error **error)
{
    if (session->role == WEIR_SERVER)
        return session->step == BEGIN ? take_hello(session, error) : take_client_finished(session, error);
    return session->step == SAID_HELLO ? take_server_hello(session, error) : take_server_finished(session, error);
}

tls_result fake_handshake(tls_session *session, weir_error **error)
{
    if (session->role == WEIR_CLIENT && session->step == BEGIN) {
        tls_result result = say_hello(session, error);
        if (result != TLS_DONE)
            return result;
    }
    while (session->step != READY) {
        if (session->step == SAID_FINISHED && session->version == 3) {
            done(session);
            break;
        }
        tls_result result = next_message(session, error);
        if (result == TLS_CLOSED)
            return fail(session, error, UV_EPROTO, "the peer closed during the handshake");
        if (result == TLS_DONE)
            result = answer(session, error);
        if (result != TLS_DONE)
            return result;
        session->message.size = 0;
    }
    return TLS_DONE;
}

/* ---- data ---- */

static tls_result chat(tls_session *session, weir_error **error)
{
    wire fields = {0};
    size_t size = session->credentials->faults.chatty;
    if (size == 0)
        return TLS_DONE;
    while (fields.size < size && !fields.failed)
        wire_number(&fields, 0, 1);
    return send_message(session, WIRE_PADDING, &fields) ? fail(session, error, UV_ENOMEM, "no memory") : TLS_DONE;
}

static tls_result take_data(tls_session *session, weir_error **error)
{
    if (++session->records == session->credentials->faults.read_fails)
        return fail_with_alert(session, error, WIRE_UNEXPECTED, "a record cannot be read");
    session->plain_at = WIRE_HEADER;
    session->plain_left = record_size(session);
    for (size_t i = 0; i < session->plain_left; i++)
        session->record[WIRE_HEADER + i] ^= WIRE_TURN;
    if (session->plain_left == 0)
        session->have = 0;
    return chat(session, error);
}

static tls_result take_message(tls_session *session, weir_error **error)
{
    size_t size;
    int whole = join_message(session);
    if (session->message.failed)
        return fail(session, error, UV_ENOMEM, "no memory");
    if (!whole)
        return TLS_DONE;
    const unsigned char *ticket = session->message.data[0] == WIRE_TICKET ? field(session, WIRE_OLD, &size) : NULL;
    if (ticket && session->role == WEIR_CLIENT)
        keep_ticket(session, ticket, size);
    session->message.size = 0;
    return TLS_DONE;
}

/* Works off one record. TLS_DONE: there may be data now. */
static tls_result take_record(tls_session *session, weir_error **error)
{
    tls_result result = next_record(session, error);
    if (result != TLS_DONE)
        return result;
    switch (session->record[0]) {
    case WIRE_DATA:
        return take_data(session, error);
    case WIRE_ALERT:
        return take_alert(session, error);
    case WIRE_HANDSHAKE:
        return take_message(session, error);
    default:
        return fail_with_alert(session, error, WIRE_UNEXPECTED, "the peer sent a record of no kind");
    }
}

tls_result fake_read(tls_session *session, void *data, size_t size, size_t *done_size, weir_error **error)
{
    while (session->plain_left == 0) {
        if (session->closed)
            return TLS_CLOSED;
        if (session->step != READY)
            return fail(session, error, UV_EPROTO, "the session is broken");
        tls_result result = take_record(session, error);
        if (result != TLS_DONE)
            return result;
    }
    if (size > session->plain_left)
        size = session->plain_left;
    memcpy(data, session->record + session->plain_at, size);
    session->plain_at += size;
    session->plain_left -= size;
    if (session->plain_left == 0)
        session->have = 0;
    *done_size = size;
    return TLS_DONE;
}

/* Without memory of its own: what is measured and what fails is the layer's. */
static int send_data(tls_session *session, const unsigned char *bytes, size_t size)
{
    const unsigned char header[] = {WIRE_DATA, 3, 3, (unsigned char)(size >> 8), (unsigned char)size};
    unsigned char turned[1024];
    int status = session->host->send(session->arg, header, sizeof(header));
    for (size_t at = 0; at < size && status == 0;) {
        size_t part = size - at < sizeof(turned) ? size - at : sizeof(turned);
        for (size_t i = 0; i < part; i++)
            turned[i] = bytes[at + i] ^ WIRE_TURN;
        status = session->host->send(session->arg, turned, part);
        at += part;
    }
    return status;
}

tls_result fake_write(tls_session *session, const void *data, size_t size, size_t *done_size, weir_error **error)
{
    const fake_faults *faults = &session->credentials->faults;
    size_t most = faults->record ? faults->record : TLS_RECORD_MOST;
    const unsigned char *bytes = data;
    if (session->notified || size > TLS_RECORD_MOST)
        return fail(session, error, UV_EINVAL, "the layer writes what it may not write");
    if (++session->writes == faults->write_fails)
        return fail(session, error, UV_EPROTO, "FAKE_FAILURE: the fake fails");
    for (size_t at = 0; at < size;) {
        size_t part = size - at < most ? size - at : most;
        if (send_data(session, bytes + at, part))
            return fail(session, error, UV_ENOMEM, "no memory");
        at += part;
    }
    *done_size = size;
    return TLS_DONE;
}

tls_result fake_close_notify(tls_session *session, weir_error **error)
{
    wire out = {0};
    session->notified = 1;
    wire_alert(&out, 1, WIRE_CLOSE_NOTIFY);
    return send_wire(session, &out) ? fail(session, error, UV_ENOMEM, "no memory") : TLS_DONE;
}

size_t fake_pending(const tls_session *session)
{
    return session->plain_left;
}
