/* SPDX-License-Identifier: MIT */
/* Error codes with their names and texts, and the object that an 'error' event carries. */
#define _GNU_SOURCE

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/address.h>
#include <weir/error.h>

#include "error_private.h"
#include "memory.h"

typedef struct code_row {
    int code;
    const char *name;
    const char *text;
} code_row;

/*
 * libuv's codes stand here once more because its own functions give memory that nobody can free for codes they do not
 * know. Node calls the resolver's two ways of saying "no such name" by one name (rows SRV-11, SRV-66, SOCK-37).
 */
static const code_row codes[] = {
#define WEIR_ROW(id, value, name, text) {(value), name, text},
#define UV_ROW(id, text)                {UV_##id, #id, text},
    {UV_EAI_NONAME, "ENOTFOUND", "no such host name"},
    {UV_EAI_NODATA, "ENOTFOUND", "the host name has no address"},
    WEIR_ERROR_MAP(WEIR_ROW) UV_ERRNO_MAP(UV_ROW)
#undef WEIR_ROW
#undef UV_ROW
};

static const code_row unknown = {UV_UNKNOWN, "UNKNOWN", "unknown error"};

static const code_row *row_of(int code)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (codes[i].code == code)
            return &codes[i];
    }
    return &unknown;
}

const char *weir_error_name(int code)
{
    return row_of(code)->name;
}

const char *weir_error_text(int code)
{
    return row_of(code)->text;
}

/* An error is one block: this, then the texts. */
typedef struct block {
    weir_error error; /* the first: what the outside sees */
    size_t refs;
    char texts[];
} block;

/* What there is when memory is not; never counted, never freed. */
static const weir_error no_memory = {
    .code = UV_ENOMEM, .port = -1, .name = "ENOMEM", .message = "not enough memory (ENOMEM)", .local_port = -1};

static weir_error *no_memory_error(void)
{
    return (weir_error *)(uintptr_t)&no_memory;
}

/* Errors are shown as const, as nobody but the count may change. */
static block *block_of(const weir_error *error)
{
    return (block *)(uintptr_t)error;
}

static size_t text_room(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static const char *put_text(char **place, const char *text)
{
    if (!text)
        return NULL;
    size_t room = text_room(text);
    char *copy = memcpy(*place, text, room);
    *place += room;
    return copy;
}

/*
 * A block with the fields set, `message_room` bytes for the message at `*message`, and behind the texts nothing. NULL
 * without memory.
 */
static block *block_new(int code, const char *syscall, const char *address, int port, size_t message_room,
                        char **message)
{
    size_t room = text_room(syscall) + text_room(address);
    if (message_room > SIZE_MAX - sizeof(block) - room)
        return NULL; /* COVERAGE: texts that fill the whole of memory */
    block *made = weir__malloc(sizeof(*made) + room + message_room);
    if (!made)
        return NULL;
    char *place = made->texts;
    /* A code that says "no error" is a mistake of the caller's; the object still has to be one. */
    if (code >= 0)
        code = UV_UNKNOWN;
    made->refs = 1;
    made->error =
        (weir_error){.code = code, .port = port < 0 ? -1 : port, .name = weir_error_name(code), .local_port = -1};
    made->error.syscall = put_text(&place, syscall);
    made->error.address = put_text(&place, address);
    made->error.message = place;
    *message = place;
    return made;
}

/* "connect [::1]:80: " as far as the parts are there; the length that the whole has. */
static size_t put_what(char *text, size_t size, const char *syscall, const char *address, int port)
{
    char number[16] = "";
    int bracket = address && port >= 0 && weir_is_ipv6(address);
    if (port >= 0)
        snprintf(number, sizeof(number), address ? ":%d" : "port %d", port);
    int known = syscall || address || port >= 0;
    int length =
        snprintf(text, size, "%s%s%s%s%s%s%s", syscall ? syscall : "", syscall && (address || port >= 0) ? " " : "",
                 bracket ? "[" : "", address ? address : "", bracket ? "]" : "", number, known ? ": " : "");
    return length < 0 ? 0 : (size_t)length;
}

weir_error *weir_error_new(int code, const char *syscall, const char *address, int port)
{
    const code_row *row = row_of(code < 0 ? code : UV_UNKNOWN);
    size_t what = put_what(NULL, 0, syscall, address, port);
    size_t room = what + strlen(row->text) + strlen(row->name) + sizeof(" ()");
    char *message;
    block *made = block_new(code, syscall, address, port, room, &message);
    if (!made)
        return no_memory_error();
    put_what(message, room, syscall, address, port);
    snprintf(message + what, room - what, "%s (%s)", row->text, row->name);
    return &made->error;
}

weir_error *weir_error_newf(int code, const char *syscall, const char *address, int port, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int length = vsnprintf(NULL, 0, format, values);
    va_end(values);
    if (length < 0)
        return weir_error_new(code, syscall, address, port);
    char *message;
    block *made = block_new(code, syscall, address, port, (size_t)length + 1, &message);
    if (!made)
        return no_memory_error();
    va_start(values, format);
    vsnprintf(message, (size_t)length + 1, format, values);
    va_end(values);
    return &made->error;
}

static void put_aggregate(char *message, const weir_error *const *errors, size_t count, const char *what)
{
    char *end = message;
    if (what) {
        end = stpcpy(end, what);
        end = stpcpy(end, ": ");
    }
    for (size_t i = 0; i < count; i++) {
        if (i)
            end = stpcpy(end, "; ");
        end = stpcpy(end, errors[i]->message);
    }
    *end = '\0';
}

static weir_error *aggregate_new(int code, const weir_error *const *errors, size_t count, const char *what)
{
    size_t room = 1 + (what ? strlen(what) + 2 : 0);
    for (size_t i = 0; i < count; i++)
        room += strlen(errors[i]->message) + 2;
    const weir_error **kept = weir__malloc(count * sizeof(*kept));
    if (!kept)
        return no_memory_error();
    char *message;
    block *made = block_new(code, NULL, NULL, -1, room, &message);
    if (!made) {
        weir__free(kept);
        return no_memory_error();
    }
    put_aggregate(message, errors, count, what);
    for (size_t i = 0; i < count; i++)
        kept[i] = weir_error_retain(errors[i]);
    made->error.error_count = count;
    made->error.errors = kept;
    return &made->error;
}

weir_error *weir_error_new_aggregate(const weir_error *const *errors, size_t count, const char *what)
{
    if (!errors || !count)
        return weir_error_newf(UV_UNKNOWN, NULL, NULL, -1, "%s%sno error is known", what ? what : "", what ? ": " : "");
    return aggregate_new(errors[0]->code, errors, count, what);
}

weir_error *weir__error_new_caused(int code, const char *what, const weir_error *cause)
{
    return aggregate_new(code, &cause, 1, what);
}

weir_error *weir_error_new_from(const weir_error *error, const char *address, int port)
{
    if (!error || !address || error->error_count)
        return weir_error_retain(error);
    char number[16] = "";
    if (port >= 0)
        snprintf(number, sizeof(number), ":%d", port);
    int bracket = port >= 0 && weir_is_ipv6(address);
    size_t room = strlen(error->message) + strlen(address) + sizeof("; from []") + sizeof(number);
    char *message;
    block *made =
        block_new(error->code, error->syscall, error->address, error->port, room + text_room(address), &message);
    if (!made)
        return weir_error_retain(error);
    snprintf(message, room, "%s; from %s%s%s%s", error->message, bracket ? "[" : "", address, bracket ? "]" : "",
             number);
    char *place = message + room;
    made->error.local_address = put_text(&place, address);
    made->error.local_port = port < 0 ? -1 : port;
    return &made->error;
}

weir_error *weir_error_retain(const weir_error *error)
{
    if (!error)
        return NULL;
    block *held = block_of(error);
    if (error != &no_memory)
        held->refs++;
    return &held->error;
}

void weir_error_release(const weir_error *error)
{
    if (!error || error == &no_memory)
        return;
    block *held = block_of(error);
    if (--held->refs)
        return;
    for (size_t i = 0; i < held->error.error_count; i++)
        weir_error_release(held->error.errors[i]);
    weir__free((void *)(uintptr_t)held->error.errors);
    weir__free(held);
}
