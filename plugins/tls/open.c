/* SPDX-License-Identifier: MIT */
/*
 * Opening: a client begins at once; a server reads the ClientHello, chooses the context by what stands in it, and only then
 * gives it to the engine. The link is open when the engine is done and its last flight has left.
 */
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "layer.h"
#include "material.h"
#include "watch.h"

/* What the layer itself tells a peer before there is an engine. */
enum { ALERT_FATAL = 2, ALERT_DECODE_ERROR = 50, ALERT_PROTOCOL_VERSION = 70, ALERT_NO_APPLICATION_PROTOCOL = 120 };

/* Turns of the loop in which what has arrived is looked for a peer's last word. The first one comes before the system is
 * asked, and a turn may take more than one read. */
#define LAST_LOOKS 4

static tls_link *of(weir_link *link)
{
    return (tls_link *)(void *)link;
}

/* ---- failing ---- */

static void send_alert(tls_link *self, unsigned char description)
{
    const unsigned char record[] = {21, 3, 3, 0, 2, ALERT_FATAL, description};

    weir__tls_out_put(&self->out, &self->holder->instance->pool, record, sizeof(record));
}

/* With what is known of the peer: nobody else will say it. */
static void fail_as(tls_link *self, const weir_error *like, const char *why)
{
    const char *about = self->role == WEIR_SERVER ? "; the client asked for " : "; connecting to ";

    weir__tls_fail(self, weir_error_newf(like->code, like->syscall, like->address, like->port, "%s: %s%s%s",
                                         weir__tls_name, why, self->name ? about : "", self->name ? self->name : ""));
}

static void fail_open(tls_link *self, int code, const char *why)
{
    const weir_error like = {.code = code, .syscall = "open", .port = -1};

    fail_as(self, &like, why);
}

/* How far it had come when its time was over. */
static const char *waited_for(const tls_link *self)
{
    if (self->state != TLS_HELLO)
        return "the TLS handshake was not over";
    return self->in.left ? "the client's ClientHello was not whole" : "the client had said nothing";
}

void weir__tls_open_failed(tls_link *self, const weir_error *error)
{
    char why[512];

    if (!self->began) { /* the link below has never been open: nothing of it is this layer's */
        weir__tls_fail(self, weir_error_retain(error));
        return;
    }
    if (error->code == UV_ETIMEDOUT)
        snprintf(why, sizeof(why), "%s; %s", error->message, waited_for(self));
    fail_as(self, error, error->code == UV_ETIMEDOUT ? why : error->message);
}

static void fail_with(tls_link *self, weir_error *error)
{
    weir_error *why = error ? error : weir_error_new(UV_EPROTO, NULL, NULL, -1);

    fail_open(self, why->code, why->message);
    weir_error_release(why);
}

static void fail_code(tls_link *self, int code)
{
    char why[160];

    snprintf(why, sizeof(why), "%s (%s)", weir_error_text(code), weir_error_name(code));
    fail_open(self, code, why);
}

/* An end that nobody has said by TLS, since there is none yet. */
void weir__tls_open_ended(tls_link *self)
{
    const char *peer = self->role == WEIR_SERVER ? "client" : "server";
    char why[160];

    if (self->state == TLS_UNSENT) {
        fail_code(self, self->write_error);
        return;
    }
    if (self->state == TLS_HELLO && self->in.left == 0)
        snprintf(why, sizeof(why), "ERR_TLS_EARLY_END: the client left without a word");
    else if (self->state == TLS_HELLO)
        snprintf(why, sizeof(why), "ERR_TLS_EARLY_END: the client left in the middle of its ClientHello, after %zu %s",
                 self->in.left, self->in.left == 1 ? "byte" : "bytes");
    else
        snprintf(why, sizeof(why), "ERR_TLS_EARLY_END: the %s left in the middle of the handshake", peer);
    fail_open(self, UV_ECONNRESET, why);
}

/* ---- the handshake ---- */

static void count(tls_link *self)
{
    weir_tls_counters *counters = &weir__tls_serving(self)->counters;
    weir_value resumed = {0};

    if (weir__tls_engine.fact(self->session, "tls.resumed", &resumed) == 0 && resumed.number)
        counters->handshakes_resumed++;
    else
        counters->handshakes_full++;
}

static void now_open(tls_link *self)
{
    self->state = TLS_OPEN;
    self->was_open = 1;
    self->dry = 0;
    count(self);
    weir_up_notify(&self->link, "secureConnect", NULL, 0);
    weir__tls_tell(self);
    if (!weir__tls_gone(self))
        weir_up_opened(&self->link);
}

/* Without a name anybody with a certificate would do, and there is no pin either: it goes by a pre-shared key alone. */
static int relies_on_key(const tls_link *self)
{
    const tls_settings *settings = self->context->settings;

    return self->role == WEIR_CLIENT && !self->name && settings->reject_unauthorized && settings->pin_count == 0;
}

/* Whatever the engine has let pass: a certificate does not stand in for the key. */
static int is_proven(tls_link *self)
{
    weir_value by_psk = {0};

    return !relies_on_key(self) ||
           (weir__tls_engine.fact(self->session, "tls.psk", &by_psk) == 0 && by_psk.number != 0);
}

/* Nothing of the last flight goes out: the peer is not to take it for a connection. */
static void refuse_peer(tls_link *self)
{
    self->refused = 1;
    weir__tls_latch(self, UV_EPROTO);
    fail_open(
        self, UV_EPROTO,
        "ERR_TLS_CERT_ALTNAME_INVALID: the server has not proven the pre-shared key, and there is no name to look "
        "for in its certificate (servername)");
}

/* 0: it has failed, or is gone. */
static int shake(tls_link *self)
{
    weir_error *error = NULL;
    tls_result result = weir__tls_engine.handshake(self->session, &error);

    if (weir__tls_gone(self)) { /* an application's callback was asked for a key */
        weir_error_release(error);
        return 0;
    }
    if (result == TLS_FAILED || result == TLS_CLOSED) {
        fail_with(self, error);
        return 0;
    }
    if (result == TLS_DONE && !is_proven(self)) {
        refuse_peer(self);
        return 0;
    }
    self->shaken = result == TLS_DONE;
    return 1;
}

/* Nobody is to have the data of a connection that does not come to be: what counts is what it ends by. */
static void hear_out(tls_link *self)
{
    unsigned char data[512];
    weir_error *error = NULL;
    tls_result result;
    size_t done;

    do
        result = weir__tls_engine.read(self->session, data, sizeof(data), &done, &error);
    while (result == TLS_DONE);
    weir__tls_wipe(data, sizeof(data));
    if (result == TLS_FAILED)
        fail_with(self, error);
}

static void look(tls_link *self)
{
    if ((self->shaken || shake(self)) && self->shaken)
        hear_out(self);
}

/*
 * A peer that gives up says why and leaves, and what is sent after that fails. Its word has arrived by then, and is the
 * cause: it is read before the failure is told. Of a peer that has said nothing no more is waited for than a few turns.
 */
static void give_up_sending(tls_link *self)
{
    self->state = TLS_UNSENT;
    self->looks = LAST_LOOKS;
    look(self);
    if (weir__tls_gone(self))
        return;
    weir__tls_ask_below(self);
    weir_runtime_next_turn(self->runtime, &self->turn);
}

void weir__tls_open_turn(tls_link *self)
{
    if (--self->looks > 0)
        weir_runtime_next_turn(self->runtime, &self->turn);
    else
        fail_code(self, self->write_error);
}

/* Nothing is read until it is open: an end that comes meanwhile is not one that came before. */
static void finish(tls_link *self)
{
    self->state = TLS_FINISHING;
    weir__tls_ask_below(self);
    if (weir__tls_sent_all(self))
        now_open(self);
}

static void step(tls_link *self)
{
    if (!shake(self))
        return;
    weir__tls_send(self);
    if (self->write_error) {
        give_up_sending(self);
    } else if (self->shaken) {
        finish(self);
    } else {
        weir__tls_tell(self);
        if (!weir__tls_gone(self))
            weir__tls_ask_below(self);
    }
}

static void start(tls_link *self, const tls_session_options *options)
{
    self->session = weir__tls_engine.session_new(self->context->credentials, options, &weir__tls_host, self);
    if (!self->session) {
        fail_code(self, UV_ENOMEM);
        return;
    }
    self->state = TLS_HANDSHAKE;
    step(self);
}

void weir__tls_open_written(tls_link *self)
{
    weir__tls_send(self);
    if (self->write_error)
        give_up_sending(self);
    else if (self->state == TLS_FINISHING && weir__tls_sent_all(self))
        now_open(self);
}

/* ---- clients ---- */

static int is_address(const char *name)
{
    unsigned char bytes[16];

    return uv_inet_pton(AF_INET, name, bytes) == 0 || uv_inet_pton(AF_INET6, name, bytes) == 0;
}

/* In lower case, without the last dot of a name and the zone of an address. */
static int take_name(tls_link *self, const char *name)
{
    size_t length;
    size_t i;

    self->name = weir__tls_text_copy(name);
    if (!self->name)
        return UV_ENOMEM;
    if (strchr(self->name, ':'))
        self->name[strcspn(self->name, "%")] = '\0';
    length = strlen(self->name);
    if (length > 1 && self->name[length - 1] == '.')
        self->name[length - 1] = '\0';
    self->name_is_address = is_address(self->name);
    for (i = 0; self->name[i]; i++)
        if (self->name[i] >= 'A' && self->name[i] <= 'Z')
            self->name[i] = (char)(self->name[i] - 'A' + 'a');
    return 0;
}

static int find_name(tls_link *self)
{
    weir_value host = {0};

    if (self->context->settings->servername)
        return take_name(self, self->context->settings->servername);
    if (weir_down_get(&self->link, "host", &host) == 0 && host.type == WEIR_VALUE_TEXT && host.text)
        return take_name(self, host.text);
    return 0;
}

/* Where a name alone does not say whom it is about: the port there, or the path. */
static void spell_place(tls_link *self, char *text, size_t size)
{
    weir_value value = {0};

    if (weir_down_get(&self->link, "remotePort", &value) == 0)
        snprintf(text, size, "%d", (int)value.number);
    else if (weir_down_get(&self->link, "remotePath", &value) == 0 && value.type == WEIR_VALUE_ADDRESS)
        weir_address_ip(&value.address, text, size);
    else
        snprintf(text, size, "0");
}

/* Sessions are kept by name and place, and by all that decides what they are worth. */
static int find_kept_name(tls_link *self)
{
    char place[WEIR_ADDRESS_TEXT_SIZE];
    size_t size;

    if (!self->context->settings->tickets)
        return 0;
    spell_place(self, place, sizeof(place));
    size = sizeof(self->context->client_name) + (self->name ? strlen(self->name) : 0) + strlen(place) + 2;
    self->kept_name = weir_malloc(size);
    if (!self->kept_name)
        return UV_ENOMEM;
    snprintf(self->kept_name, size, "%s/%s/%s", self->context->client_name, self->name ? self->name : "", place);
    return 0;
}

static int is_identified(const tls_link *self, const tls_session_options *options)
{
    return !relies_on_key(self) || self->context->settings->psk || options->psk;
}

/* A key that will not do is not passed over: what was to go by it would go by certificates. */
static int ask_for_psk(const tls_link *self, tls_session_options *options)
{
    const weir_tls_options *callbacks = &self->holder->callbacks;
    weir_tls_psk psk = {.size = sizeof(psk)};

    if (!callbacks->client_psk || !callbacks->client_psk(self->name, &psk, callbacks->arg))
        return 0;
    if (!psk.identity || !*psk.identity || !psk.key || psk.key_size < TLS_PSK_LEAST || psk.key_size > TLS_PSK_MOST)
        return UV_EINVAL;
    options->psk_identity = psk.identity;
    options->psk = psk.key;
    options->psk_size = psk.key_size;
    return 0;
}

static void find_session(tls_link *self, tls_session_options *options)
{
    if (!self->context->settings->tickets)
        return;
    if (self->offered_set) {
        options->resume = self->offered_size ? self->offered : NULL;
        options->resume_size = self->offered_size;
    } else if (self->kept_name) {
        options->resume =
            weir__tls_sessions_get(&self->holder->instance->sessions, self->kept_name, &options->resume_size);
    }
}

static void open_client(tls_link *self)
{
    tls_session_options options = {0};
    int status = find_name(self);

    if (status == 0)
        status = find_kept_name(self);
    if (status) {
        fail_code(self, status);
        return;
    }
    options.name = self->name;
    options.name_is_address = self->name_is_address;
    status = ask_for_psk(self, &options);
    if (weir__tls_gone(self)) /* the application's callback may do anything */
        return;
    if (status) {
        fail_open(self, status, "the callback client_psk gave a key that cannot be one: identity, and 16 to 64 bytes");
        return;
    }
    if (!is_identified(self, &options)) {
        fail_open(self, UV_EINVAL,
                  "there is no host whose name the certificate could bear: give \"servername\" (or \"pinSha256\")");
        return;
    }
    find_session(self, &options);
    start(self, &options);
}

/* ---- servers ---- */

/* The offered protocols as texts, for an application's callback. */
typedef struct offer {
    const char *names[512];
    char text[1025];
    size_t count;
} offer;

static void spell_offer(const tls_hello *hello, offer *offered)
{
    size_t at = 0;

    offered->count = 0;
    while (at < hello->alpn_size && offered->count < 512) {
        size_t length = hello->alpn[at];

        memcpy(offered->text + at, hello->alpn + at + 1, length);
        offered->text[at + length] = '\0';
        offered->names[offered->count++] = offered->text + at;
        at += length + 1;
    }
}

static weir_tls_context *ask_for_context(const tls_link *self, const tls_hello *hello)
{
    const weir_tls_options *callbacks = &self->holder->callbacks;
    weir_tls_hello said = {.size = sizeof(said)};
    weir_tls_context *chosen;
    offer offered;

    if (!callbacks->server_name)
        return NULL;
    spell_offer(hello, &offered);
    said.server_name = *hello->server_name ? hello->server_name : NULL;
    said.alpn = offered.names;
    said.alpn_count = offered.count;
    chosen = callbacks->server_name(&said, callbacks->arg);
    if (!chosen || chosen->role != WEIR_SERVER || chosen->instance != self->holder->instance)
        return NULL;
    return weir__tls_holder_retain(chosen);
}

static int choose_context(tls_link *self, const tls_hello *hello)
{
    tls_context *context;

    self->chosen = ask_for_context(self, hello);
    if (self->chosen) /* its files are nobody's who listens */
        weir__tls_watch_start(self->chosen);
    context =
        self->chosen ? self->chosen->current : weir__tls_context_of_name(self->holder->current, hello->server_name);
    self->context = weir__tls_context_retain(context);
    if (*hello->server_name)
        self->name = weir__tls_text_copy(hello->server_name);
    return *hello->server_name && !self->name ? UV_ENOMEM : 0;
}

/* 1: chosen, or nothing to choose; 0: what the client offers and what is spoken here have nothing in common. */
static int choose_protocol(tls_link *self, const tls_hello *hello)
{
    const tls_list *ours = &self->context->settings->alpn;
    int found;

    if (ours->count == 0 || hello->alpn_count == 0)
        return 1;
    found = weir__tls_hello_choose(hello, (const char *const *)ours->items, ours->count);
    self->alpn = found < 0 ? NULL : ours->items[found];
    return found >= 0;
}

static int newest_version(const tls_link *self)
{
    int most = self->context->settings->max_version;

    return most && most < weir__tls_engine.newest ? most : weir__tls_engine.newest;
}

/* An engine without TLS 1.3 does not know the list, and finds something else that is wrong. */
static int is_version_spoken(const tls_link *self, const tls_hello *hello)
{
    for (int version = self->context->settings->min_version; version <= newest_version(self); version++) {
        if (hello->versions & TLS_HELLO_VERSION(version))
            return 1;
    }
    return 0;
}

/* Scanners offer what nobody should speak any more, and some clients the newest alone. */
static void refuse_version(tls_link *self, const tls_hello *hello)
{
    static const char *const names[] = {"SSL 3", "TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"};
    int version = self->context->settings->min_version;
    char why[160];

    while (version > 0x0300 && !(hello->versions & TLS_HELLO_VERSION(version)))
        version--;
    if (hello->versions & TLS_HELLO_VERSION(version))
        snprintf(why, sizeof(why),
                 "ERR_SSL_UNSUPPORTED_PROTOCOL: the client speaks %s at most, and \"minVersion\" is higher",
                 names[version - 0x0300]);
    else
        snprintf(why, sizeof(why),
                 "ERR_SSL_UNSUPPORTED_PROTOCOL: the client speaks nothing as old as %s, the newest that is spoken here",
                 names[newest_version(self) - 0x0300]);
    send_alert(self, ALERT_PROTOCOL_VERSION);
    fail_open(self, UV_EPROTO, why);
}

static void serve(tls_link *self, const tls_hello *hello)
{
    tls_session_options options = {0};

    if (choose_context(self, hello)) {
        fail_code(self, UV_ENOMEM);
        return;
    }
    if (weir__tls_gone(self)) /* the application's callback may do anything */
        return;
    if (!is_version_spoken(self, hello)) {
        refuse_version(self, hello);
        return;
    }
    if (!choose_protocol(self, hello)) {
        send_alert(self, ALERT_NO_APPLICATION_PROTOCOL);
        fail_open(
            self, UV_EPROTO,
            "ERR_SSL_NO_APPLICATION_PROTOCOL: the client offers no application protocol (ALPN) that is spoken here");
        return;
    }
    options.alpn = self->alpn;
    options.early_data = hello->early_data;
    start(self, &options);
}

/* Not every engine reads a ClientHello of several records. 0 or UV_ENOMEM. */
static int join_hello(tls_link *self, const tls_hello *hello)
{
    const unsigned char *rest = self->in.at + hello->size;
    size_t left = self->in.left - hello->size;
    weir_buf *buf;
    size_t size;

    if (hello->records == 1 || hello->size == 0)
        return 0;
    buf = weir_buf_new(self->in.left);
    if (!buf)
        return UV_ENOMEM;
    size = weir__tls_hello_join(self->in.at, hello, (unsigned char *)buf->data);
    memcpy(buf->data + size, rest, left);
    buf->size = size + left;
    weir__tls_in_clear(&self->in);
    weir__tls_in_add(&self->in, buf);
    weir_buf_release(buf);
    return 0;
}

static void read_hello(tls_link *self)
{
    tls_hello hello;
    tls_hello_verdict verdict = weir__tls_hello_read(self->in.at, self->in.left, &hello);

    if (verdict == TLS_HELLO_DONE) {
        if (join_hello(self, &hello))
            fail_code(self, UV_ENOMEM);
        else
            serve(self, &hello);
        return;
    }
    if (verdict == TLS_HELLO_MORE)
        return;
    if (verdict >= TLS_HELLO_MALFORMED)
        send_alert(self, ALERT_DECODE_ERROR);
    fail_open(self, UV_EPROTO, weir__tls_hello_reason(verdict));
}

void weir__tls_open_data(tls_link *self)
{
    if (self->state == TLS_HELLO)
        read_hello(self);
    else if (self->state == TLS_HANDSHAKE)
        step(self);
    else if (self->state == TLS_UNSENT)
        look(self);
}

void weir__tls_open(weir_link *link)
{
    tls_link *self = of(link);

    self->began = 1;
    if (self->role == WEIR_SERVER) {
        self->state = TLS_HELLO;
        weir__tls_ask_below(self);
        return;
    }
    self->context = weir__tls_context_retain(self->holder->current);
    open_client(self);
}
