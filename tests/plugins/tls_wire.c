/* SPDX-License-Identifier: MIT */
/* Writing and reading the fake engine's protocol. */
#include "tls_wire.h"

#include <string.h>

#include <weir/runtime.h>

enum { EXTENSION_FIELDS = 0xffa5 };

/* ---- bytes ---- */

void wire_put(wire *to, const void *data, size_t size)
{
    if (to->failed || size == 0)
        return;
    if (to->size + size > to->room) {
        size_t room = 2 * (to->size + size);
        unsigned char *grown = weir_realloc(to->data, room);
        if (!grown) {
            to->failed = 1;
            return;
        }
        to->data = grown;
        to->room = room;
    }
    memcpy(to->data + to->size, data, size);
    to->size += size;
}

void wire_number(wire *to, size_t value, size_t bytes)
{
    while (bytes-- > 0) {
        unsigned char byte = (unsigned char)(value >> 8 * bytes);
        wire_put(to, &byte, 1);
    }
}

void wire_free(wire *of)
{
    weir_free(of->data);
    memset(of, 0, sizeof(*of));
}

/* ---- fields ---- */

void wire_field(wire *to, char letter, const void *data, size_t size)
{
    wire_number(to, (unsigned char)letter, 1);
    wire_number(to, size, 2);
    wire_put(to, data, size);
}

const unsigned char *wire_find(const unsigned char *fields, size_t size, char letter, size_t *found)
{
    while (size >= 3) {
        size_t length = (size_t)fields[1] << 8 | fields[2];
        if (length > size - 3)
            return NULL;
        if (fields[0] == (unsigned char)letter) {
            *found = length;
            return fields + 3;
        }
        fields += 3 + length;
        size -= 3 + length;
    }
    return NULL;
}

/* ---- records ---- */

void wire_record(wire *to, int type, const void *payload, size_t size)
{
    wire_number(to, (size_t)type, 1);
    wire_number(to, 0x0303, 2);
    wire_number(to, size, 2);
    wire_put(to, payload, size);
}

void wire_message(wire *to, int type, const void *fields, size_t size)
{
    wire message = {0};
    wire_number(&message, (size_t)type, 1);
    wire_number(&message, size, 3);
    wire_put(&message, fields, size);
    to->failed |= message.failed;
    wire_record(to, WIRE_HANDSHAKE, message.data, message.size);
    wire_free(&message);
}

void wire_data(wire *to, const void *data, size_t size)
{
    size_t begin = to->size + WIRE_HEADER;
    wire_record(to, WIRE_DATA, data, size);
    for (size_t i = begin; i < to->size && !to->failed; i++)
        to->data[i] ^= WIRE_TURN;
}

void wire_alert(wire *to, int level, int description)
{
    const unsigned char payload[] = {(unsigned char)level, (unsigned char)description};
    wire_record(to, WIRE_ALERT, payload, sizeof(payload));
}

/* ---- the ClientHello ---- */

static void extension(wire *to, size_t type, const wire *body)
{
    wire_number(to, type, 2);
    wire_number(to, body->size, 2);
    wire_put(to, body->data, body->size);
    to->failed |= body->failed;
}

static void put_name(wire *to, const char *name)
{
    size_t length = strlen(name);
    wire body = {0};
    wire_number(&body, length + 3, 2);
    wire_number(&body, 0, 1);
    wire_number(&body, length, 2);
    wire_put(&body, name, length);
    extension(to, 0, &body);
    wire_free(&body);
}

static void put_alpn(wire *to, const wire_hello *hello)
{
    wire names = {0}, body = {0};
    for (size_t i = 0; i < hello->alpn_count; i++) {
        wire_number(&names, strlen(hello->alpn[i]), 1);
        wire_put(&names, hello->alpn[i], strlen(hello->alpn[i]));
    }
    wire_number(&body, names.size, 2);
    wire_put(&body, names.data, names.size);
    body.failed |= names.failed;
    extension(to, 16, &body);
    wire_free(&names);
    wire_free(&body);
}

static void put_extensions(wire *to, const wire_hello *hello)
{
    static const unsigned char versions[] = {4, 0x03, 0x04, 0x03, 0x03};
    wire all = {0}, body = {0};
    if (hello->name)
        put_name(&all, hello->name);
    if (hello->alpn_count)
        put_alpn(&all, hello);
    wire_put(&body, versions, sizeof(versions));
    extension(&all, 43, &body);
    wire_free(&body);
    if (hello->fields)
        extension(&all, EXTENSION_FIELDS, hello->fields);
    wire_number(to, all.size, 2);
    wire_put(to, all.data, all.size);
    to->failed |= all.failed;
    wire_free(&all);
}

void wire_client_hello(wire *to, const wire_hello *hello, size_t cut)
{
    static const unsigned char ciphers[] = {0, 4, 0x13, 0x01, 0xc0, 0x2b, 1, 0};
    wire body = {0}, message = {0};
    wire_number(&body, 0x0303, 2);
    wire_put(&body, hello->random, WIRE_RANDOM);
    wire_number(&body, 0, 1);
    wire_put(&body, ciphers, sizeof(ciphers));
    put_extensions(&body, hello);
    wire_number(&message, WIRE_CLIENT_HELLO, 1);
    wire_number(&message, body.size, 3);
    wire_put(&message, body.data, body.size);
    to->failed |= body.failed | message.failed;
    for (size_t at = 0; at < message.size;) {
        size_t part = cut && cut < message.size - at ? cut : message.size - at;
        wire_record(to, WIRE_HANDSHAKE, message.data + at, part);
        at += part;
    }
    wire_free(&body);
    wire_free(&message);
}

/* The layer has read it before: its form is right. */
const unsigned char *wire_hello_fields(const unsigned char *message, size_t size, size_t *found)
{
    size_t at = 4 + 2 + WIRE_RANDOM + 1 + 8;
    if (size < at + 2)
        return NULL;
    for (at += 2; at + 4 <= size;) {
        size_t type = (size_t)message[at] << 8 | message[at + 1];
        size_t length = (size_t)message[at + 2] << 8 | message[at + 3];
        if (length > size - at - 4)
            return NULL;
        if (type == EXTENSION_FIELDS) {
            *found = length;
            return message + at + 4;
        }
        at += 4 + length;
    }
    return NULL;
}
