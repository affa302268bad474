/* SPDX-License-Identifier: MIT */
/*
 * What the engine is answered during its calls. No listener runs then, since it might come back into the engine: what
 * the engine tells is kept, and told when its call is over.
 */
#include <string.h>

#include <uv.h>

#include "keylog.h"
#include "layer.h"

#define KEYLOG_MOST 65536 /* bytes that wait to be told */
#define GIVEN_MOST  16    /* sessions that do */

/* ---- bytes ---- */

static size_t receive(void *arg, void *data, size_t size)
{
    tls_link *self = arg;

    return weir__tls_in_take(&self->in, data, size);
}

static int send_bytes(void *arg, const void *data, size_t size)
{
    tls_link *self = arg;

    return weir__tls_out_put(&self->out, &self->holder->instance->pool, data, size);
}

/* ---- sessions ---- */

void weir__tls_given_free(tls_given *given)
{
    while (given) {
        tls_given *next = given->next;

        weir__tls_free_secret(given, sizeof(*given) + given->size);
        given = next;
    }
}

/* Behind those that wait to be told; the oldest gives way where a peer cannot stop. */
static void add_given(tls_link *self, tls_given *given)
{
    tls_given **at = &self->given;
    size_t count = 0;

    for (; *at; at = &(*at)->next)
        count++;
    *at = given;
    if (count >= GIVEN_MOST) {
        tls_given *oldest = self->given;

        self->given = oldest->next;
        oldest->next = NULL;
        weir__tls_given_free(oldest);
    }
}

/* Without memory there is nothing to resume by, which is no fault. */
static void new_session(void *arg, const void *blob, size_t size)
{
    tls_link *self = arg;
    tls_given *given = weir_malloc(sizeof(*given) + size);

    if (self->kept_name)
        weir__tls_sessions_put(&self->holder->instance->sessions, self->kept_name, blob, size);
    if (!given)
        return;
    given->next = NULL;
    given->size = size;
    if (size)
        memcpy(given->bytes, blob, size);
    add_given(self, given);
}

static int random_bytes(void *arg, void *data, size_t size)
{
    const tls_link *self = arg;

    return weir__tls_engine.random(self->holder->instance->engine, data, size);
}

static int ticket_key(void *arg, const unsigned char *name, tls_ticket_key *key)
{
    tls_link *self = arg;
    tls_context *context = self->context;

    memcpy(key->binding, context->settings->binding, sizeof(key->binding));
    return weir__tls_tickets_key(context->tickets, name, weir__tls_tickets_now(), random_bytes, self, key);
}

/* ---- keys that are agreed on ---- */

static size_t psk(void *arg, const void *identity, size_t length, void *key, size_t room)
{
    tls_link *self = arg;
    const tls_settings *settings = self->context->settings;
    const weir_tls_options *callbacks = &weir__tls_serving(self)->callbacks;

    if (settings->psk && strlen(settings->psk_identity) == length &&
        memcmp(settings->psk_identity, identity, length) == 0 && settings->psk_size <= room) {
        memcpy(key, settings->psk, settings->psk_size);
        return settings->psk_size;
    }
    if (callbacks->psk) {
        size_t size = callbacks->psk(identity, length, key, room, callbacks->arg);

        return size <= room ? size : 0;
    }
    return 0;
}

/* ---- the key log ---- */

/* That it cannot be written is no reason to end a connection. It is told once, until it can. */
static void note_logged(tls_link *self, int status)
{
    if (status == 0)
        weir__tls_serving(self)->keylog_told = 0;
    else
        self->keylog_error = status;
}

static void keylog(void *arg, const char *line)
{
    tls_link *self = arg;
    size_t size = strlen(line) + 1;
    char *grown;

    if (self->context->settings->keylog_path)
        note_logged(self, weir__tls_keylog_append(self->context->settings->keylog_path, line));
    if (self->keylog_size + size > KEYLOG_MOST)
        return;
    grown = weir_malloc(self->keylog_size + size);
    if (!grown)
        return;
    if (self->keylog)
        memcpy(grown, self->keylog, self->keylog_size);
    memcpy(grown + self->keylog_size, line, size);
    weir__tls_free_secret(self->keylog, self->keylog_size);
    self->keylog = grown;
    self->keylog_size += size;
}

const tls_host weir__tls_host = {
    .receive = receive,
    .send = send_bytes,
    .new_session = new_session,
    .keylog = keylog,
    .psk = psk,
    .ticket_key = ticket_key,
};

/* ---- telling ---- */

static void tell_keylog(tls_link *self)
{
    char *lines = self->keylog;
    size_t size = self->keylog_size;
    size_t at;

    self->keylog = NULL;
    self->keylog_size = 0;
    for (at = 0; at < size && !weir__tls_gone(self); at += strlen(lines + at) + 1)
        weir_up_notify(&self->link, "keylog", lines + at, strlen(lines + at));
    weir__tls_free_secret(lines, size);
}

/* Each of them: a client that comes back several times at once needs several. */
static void tell_sessions(tls_link *self)
{
    while (self->given && !weir__tls_gone(self)) {
        tls_given *now = self->given;

        self->given = now->next;
        now->next = NULL;
        weir__tls_given_free(self->fresh);
        self->fresh = now;
        weir_up_notify(&self->link, "session", now->bytes, now->size);
    }
}

static void tell_unlogged(tls_link *self)
{
    weir_tls_context *holder = weir__tls_serving(self);
    int status = self->keylog_error;

    self->keylog_error = 0;
    if (holder->keylog_told)
        return;
    holder->keylog_told = 1;
    weir_log(self->runtime, WEIR_LOG_WARN, "%s: the key log %s cannot be written: %s (%s)", weir__tls_name,
             self->context->settings->keylog_path, weir_error_text(status), weir_error_name(status));
}

void weir__tls_tell(tls_link *self)
{
    if (self->keylog_error && !weir__tls_gone(self))
        tell_unlogged(self);
    if (self->keylog && !weir__tls_gone(self))
        tell_keylog(self);
    tell_sessions(self);
}
