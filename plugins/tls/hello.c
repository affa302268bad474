/* SPDX-License-Identifier: MIT */
/* Reading a ClientHello: records to one message, the message to fields. Every length is checked against what is there. */
#include "hello.h"

#include <string.h>

enum {
    RECORD_HEADER = 5,
    RECORD_MOST = 16384,
    RECORD_ALERT = 21,
    RECORD_HANDSHAKE = 22,
    MESSAGE_HEADER = 4,
    MESSAGE_CLIENT_HELLO = 1,
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_ALPN = 16,
    EXTENSION_EARLY_DATA = 42,
    EXTENSION_VERSIONS = 43,
    NAME_IS_HOST = 0
};

/* ---- a window that is read from front to back; `failed` once something was not there ---- */

typedef struct window {
    const unsigned char *at;
    size_t left;
    int failed;
} window;

static unsigned take(window *from, size_t size)
{
    unsigned value = 0;

    if (from->left < size) {
        from->failed = 1;
        from->left = 0;
        return 0;
    }
    for (; size > 0; size--, from->left--)
        value = value << 8 | *from->at++;
    return value;
}

/* A field of its own behind a length of `length_size` bytes. */
static window take_field(window *from, size_t length_size)
{
    size_t size = take(from, length_size);
    window field = {from->at, size, from->failed};

    if (from->left < size || from->failed) {
        from->failed = 1;
        from->left = 0;
        field.failed = 1;
        field.left = 0;
        return field;
    }
    from->at += size;
    from->left -= size;
    return field;
}

/* ---- extensions ---- */

static int is_host_byte(unsigned char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_';
}

/* A name that no certificate could bear is a fault, not one that is silently served by the default. */
static void read_server_name(window field, tls_hello *hello, int *failed)
{
    window list = take_field(&field, 2);

    while (list.left > 0 && !list.failed) {
        unsigned type = take(&list, 1);
        window name = take_field(&list, 2);
        size_t i;

        if (type != NAME_IS_HOST || list.failed)
            continue;
        /* Some clients send the address they connect to, as they may not: one like 192.0.2.1 is a name that is not known. */
        if (name.left > 0 && memchr(name.at, ':', name.left))
            continue;
        if (name.left == 0 || name.left > TLS_NAME_MOST || hello->server_name[0]) {
            *failed = 1;
            return;
        }
        for (i = 0; i < name.left; i++) {
            unsigned char byte = name.at[i];

            if (byte >= 'A' && byte <= 'Z')
                byte = (unsigned char)(byte - 'A' + 'a');
            if (!is_host_byte(byte)) {
                hello->odd_name = 1;
                *failed = 1;
                return;
            }
            hello->server_name[i] = (char)byte;
        }
        hello->server_name[name.left] = '\0';
        if (hello->server_name[name.left - 1] == '.') /* a root's dot means nothing here */
            hello->server_name[name.left - 1] = '\0';
    }
    *failed |= field.failed || list.failed;
}

static void read_alpn(window field, tls_hello *hello, int *failed)
{
    window list = take_field(&field, 2);

    while (list.left > 0 && !list.failed) {
        window name = take_field(&list, 1);

        if (list.failed || name.left == 0) {
            *failed = 1;
            return;
        }
        if (name.left + 1 > sizeof(hello->alpn) - hello->alpn_size)
            continue;
        hello->alpn[hello->alpn_size] = (unsigned char)name.left;
        memcpy(hello->alpn + hello->alpn_size + 1, name.at, name.left);
        hello->alpn_size += name.left + 1;
        hello->alpn_count++;
    }
    *failed |= field.failed || list.failed;
}

static void read_versions(window field, tls_hello *hello, int *failed)
{
    window list = take_field(&field, 1);

    hello->versions = 0; /* the message's own number counts no more */
    while (list.left > 0 && !list.failed) {
        unsigned version = take(&list, 2);

        /* others are there to keep servers from choking on what they do not know */
        if (version >= 0x0300 && version <= 0x0304)
            hello->versions |= TLS_HELLO_VERSION(version);
    }
    *failed |= field.failed || list.failed;
}

static void read_early_data(window field, tls_hello *hello, int *failed)
{
    hello->early_data = 1;
    *failed |= field.left > 0;
}

static const struct extension {
    unsigned type;
    void (*read)(window field, tls_hello *hello, int *failed);
} extensions_read[] = {
    {EXTENSION_SERVER_NAME, read_server_name},
    {EXTENSION_ALPN, read_alpn},
    {EXTENSION_EARLY_DATA, read_early_data},
    {EXTENSION_VERSIONS, read_versions},
};

#define EXTENSIONS_READ (sizeof(extensions_read) / sizeof(extensions_read[0]))

/* 1: read; 0: malformed. One extension twice is malformed too. */
static int read_extensions(window list, tls_hello *hello)
{
    unsigned seen = 0;
    int failed = 0;
    size_t i;

    while (list.left > 0 && !list.failed && !failed) {
        unsigned type = take(&list, 2);
        window field = take_field(&list, 2);

        for (i = 0; i < EXTENSIONS_READ && !list.failed; i++) {
            if (extensions_read[i].type != type)
                continue;
            failed |= (seen & 1u << i) != 0;
            seen |= 1u << i;
            extensions_read[i].read(field, hello, &failed);
        }
    }
    return !list.failed && !failed;
}

/* ---- the message ---- */

/* Without a list of its own the message's number is the highest that is offered; TLS 1.3 is never offered so. */
static unsigned versions_up_to(unsigned version)
{
    if (version < 0x0300)
        return 0;
    return (TLS_HELLO_VERSION(version < 0x0303 ? version : 0x0303) << 1) - 1;
}

static int read_message(window message, tls_hello *hello)
{
    window session;
    window ciphers;
    window compressions;

    memset(hello, 0, sizeof(*hello));
    hello->versions = versions_up_to(take(&message, 2));
    if (message.left < 32)
        return 0;
    message.at += 32; /* the random */
    message.left -= 32;
    session = take_field(&message, 1);
    ciphers = take_field(&message, 2);
    compressions = take_field(&message, 1);
    if (message.failed || session.left > 32 || ciphers.left < 2 || ciphers.left % 2 != 0 || compressions.left < 1)
        return 0;
    if (message.left == 0)
        return 1; /* older than extensions */
    return read_extensions(take_field(&message, 2), hello) && !message.failed && message.left == 0;
}

/* ---- records ---- */

/* A length whose first bit is set, the message's number, a version: 0.2, or 3.x where it asks for more than SSL 2. */
static tls_hello_verdict read_ssl2(const unsigned char *data, size_t size)
{
    if (size >= 3 && data[2] != MESSAGE_CLIENT_HELLO)
        return TLS_HELLO_NOT_TLS;
    if (size >= 4 && data[3] != 0 && data[3] != 3)
        return TLS_HELLO_NOT_TLS;
    if (size < 5)
        return TLS_HELLO_MORE;
    return data[3] == 3 || data[4] == 2 ? TLS_HELLO_SSL2 : TLS_HELLO_NOT_TLS;
}

static tls_hello_verdict not_a_record(const unsigned char *data, size_t size)
{
    static const char *const methods[] = {"GET ",     "HEAD ",    "POST ",  "PUT ", "DELETE ",
                                          "OPTIONS ", "CONNECT ", "PATCH ", "PRI "};
    size_t i;

    if (data[0] & 0x80)
        return read_ssl2(data, size);
    for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        size_t length = strlen(methods[i]);

        if (memcmp(data, methods[i], size < length ? size : length) == 0)
            return size < length ? TLS_HELLO_MORE : TLS_HELLO_HTTP;
    }
    return TLS_HELLO_NOT_TLS;
}

/* Puts the payloads of the records one behind the other. Returns how much of the message is there. */
static tls_hello_verdict join(const unsigned char *data, size_t size, unsigned char *message, size_t *joined)
{
    *joined = 0;
    while (size >= RECORD_HEADER) {
        size_t length = (size_t)data[3] << 8 | data[4];
        size_t there;

        if (data[0] != RECORD_HANDSHAKE || data[1] != 3 || length == 0 || length > RECORD_MOST)
            return TLS_HELLO_MALFORMED;
        there = size - RECORD_HEADER < length ? size - RECORD_HEADER : length;
        memcpy(message + *joined, data + RECORD_HEADER, there);
        *joined += there;
        data += RECORD_HEADER + there;
        size -= RECORD_HEADER + there;
        if (*joined >= MESSAGE_HEADER &&
            *joined >= MESSAGE_HEADER + ((size_t)message[1] << 16 | (size_t)message[2] << 8 | message[3]))
            return TLS_HELLO_DONE;
    }
    return TLS_HELLO_MORE;
}

/* How many records the message has, and their size. */
static void measure(const unsigned char *data, size_t message, tls_hello *hello)
{
    size_t size = 0;
    size_t joined = 0;

    for (hello->records = 0; joined < message; hello->records++) {
        size_t length = (size_t)data[size + 3] << 8 | data[size + 4];

        joined += length;
        size += RECORD_HEADER + length;
    }
    hello->size = joined == message ? size : 0;
}

size_t weir__tls_hello_join(const unsigned char *data, const tls_hello *hello, unsigned char *record)
{
    size_t joined;

    join(data, hello->size, record + RECORD_HEADER, &joined);
    memcpy(record, data, 3);
    record[3] = (unsigned char)(joined >> 8);
    record[4] = (unsigned char)joined;
    return RECORD_HEADER + joined;
}

tls_hello_verdict weir__tls_hello_read(const unsigned char *data, size_t size, tls_hello *hello)
{
    unsigned char message[TLS_HELLO_MOST];
    tls_hello_verdict verdict;
    window whole = {message, 0, 0};
    size_t joined;

    if (size == 0)
        return TLS_HELLO_MORE;
    if (data[0] != RECORD_HANDSHAKE && data[0] != RECORD_ALERT)
        return not_a_record(data, size);
    if (size > 1 && data[1] != 3)
        return TLS_HELLO_NOT_TLS;
    if (data[0] == RECORD_ALERT)
        return size > 1 ? TLS_HELLO_ALERT : TLS_HELLO_MORE;
    verdict = join(data, size < TLS_HELLO_MOST ? size : TLS_HELLO_MOST, message, &joined);
    if (verdict == TLS_HELLO_MALFORMED)
        return verdict;
    if (joined > 0 && message[0] != MESSAGE_CLIENT_HELLO)
        return TLS_HELLO_MALFORMED;
    if (verdict == TLS_HELLO_MORE) {
        int too_long =
            joined >= MESSAGE_HEADER && (message[1] != 0 || (message[2] << 8 | message[3]) > TLS_HELLO_MOST - 64);

        return too_long || size >= TLS_HELLO_MOST ? TLS_HELLO_TOO_LONG : TLS_HELLO_MORE;
    }
    whole.at += MESSAGE_HEADER;
    whole.left = (size_t)message[1] << 16 | (size_t)message[2] << 8 | message[3];
    if (!read_message(whole, hello))
        return hello->odd_name ? TLS_HELLO_ODD_NAME : TLS_HELLO_MALFORMED;
    measure(data, MESSAGE_HEADER + whole.left, hello);
    return TLS_HELLO_DONE;
}

const char *weir__tls_hello_reason(tls_hello_verdict verdict)
{
    switch (verdict) {
    case TLS_HELLO_HTTP:
        return "ERR_SSL_HTTP_REQUEST: the client speaks plain HTTP";
    case TLS_HELLO_NOT_TLS:
        return "ERR_SSL_UNKNOWN_PROTOCOL: the client does not speak TLS";
    case TLS_HELLO_SSL2:
        return "ERR_SSL_UNSUPPORTED_PROTOCOL: the client speaks SSL 2, which is broken";
    case TLS_HELLO_MALFORMED:
        return "ERR_SSL_BAD_CLIENT_HELLO: the client's first message is no ClientHello that can be read";
    case TLS_HELLO_ALERT:
        return "ERR_SSL_BAD_CLIENT_HELLO: the client begins with an alert of TLS, as if it gave up something";
    case TLS_HELLO_ODD_NAME:
        return "ERR_SSL_BAD_CLIENT_HELLO: the client asks for a name (SNI) with characters that no name of a host has";
    case TLS_HELLO_TOO_LONG:
        return "ERR_SSL_EXCESSIVE_MESSAGE_SIZE: the client's ClientHello is longer than 16 KiB";
    case TLS_HELLO_MORE:
    case TLS_HELLO_DONE:
        break;
    }
    return "";
}

int weir__tls_hello_choose(const tls_hello *hello, const char *const *names, size_t count)
{
    size_t i;
    size_t at;

    for (i = 0; i < count; i++) {
        size_t length = strlen(names[i]);

        for (at = 0; at < hello->alpn_size; at += (size_t)hello->alpn[at] + 1)
            if (hello->alpn[at] == length && memcmp(hello->alpn + at + 1, names[i], length) == 0)
                return (int)i;
    }
    return -1;
}
