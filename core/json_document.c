/* SPDX-License-Identifier: MIT */
/* JSON documents: read from a file within limits, parsed when their text is clean, and asked where a value stands. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>
#include <weir/error.h>

#include "json_scan.h"
#include "memory.h"

/* ---- reading ---- */

static void refuse_size(const char *label, weir__faults *faults)
{
    weir__faults_addf(faults, label, 0, 0, "", "larger than %zu bytes (4 MiB), the most that is read",
                      WEIR__DOCUMENT_MOST);
}

/* By errno. */
static void refuse_reading(const char *label, const char *what, weir__faults *faults)
{
    int code = uv_translate_sys_error(errno);
    weir__faults_addf(faults, label, 0, 0, "", "cannot be %s: %s (%s)", what, weir_error_text(code),
                      weir_error_name(code));
}

/*
 * 8124.0 is an integer to a schema (and to JSON), but not to Jansson: plugins read integers, so that is what they get.
 * False: no memory. As deep as the document, which the scan has bounded.
 */
static bool whole_reals(json_t **value)
{
    const char *name;
    json_t *member;
    size_t index;
    void *next;
    double real = json_real_value(*value);
    if (json_is_real(*value) && real >= -9007199254740992.0 && real <= 9007199254740992.0 &&
        real == (double)(json_int_t)real) {
        json_t *integer = json_integer((json_int_t)real);
        if (!integer)
            return false;
        json_decref(*value);
        *value = integer;
    }
    json_array_foreach(*value, index, member)
    {
        json_t *whole = json_incref(member);
        bool done = whole_reals(&whole);
        if (json_array_set_new(*value, index, whole) != 0 || !done)
            return false;
    }
    json_object_foreach_safe(*value, next, name, member)
    {
        json_t *whole = json_incref(member);
        bool done = whole_reals(&whole);
        if (json_object_set_new(*value, name, whole) != 0 || !done)
            return false;
    }
    return true;
}

/* Takes the text; NULL, with faults, when anything is wrong. */
static weir__document *parse_owned(const char *label, char *text, size_t length, weir__faults *faults)
{
    weir__document *document = weir__calloc(1, sizeof(*document));
    if (document)
        document->file = weir__strdup(label);
    if (!document || !document->file) {
        faults->out_of_memory = true;
        weir__free(text);
        weir__free(document);
        return NULL;
    }
    document->text = text;
    document->length = length;
    if (weir__json_scan(label, text, length, faults) == 0) {
        json_error_t error = {.line = 0}; /* Jansson sets its code only for some errors */
        document->root = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
        if (!document->root && json_error_code(&error) != json_error_numeric_overflow) {
            /* The text is clean. Without memory Jansson gives whatever error its state suggests. */
            faults->out_of_memory = true;
        } else if (!document->root) {
            /* What only Jansson sees: a real number beyond what a double holds. */
            unsigned line, column;
            size_t at = error.position > 0 && (size_t)error.position <= length ? (size_t)error.position : 0;
            weir__json_place(text, at, &line, &column);
            weir__faults_add(faults, label, line, column, "", error.text);
        }
    }
    if (document->root && !whole_reals(&document->root))
        faults->out_of_memory = true;
    if (!document->root || faults->out_of_memory) {
        weir__document_free(document);
        return NULL;
    }
    return document;
}

weir__document *weir__document_parse(const char *file_label, const char *text, size_t length, weir__faults *faults)
{
    if (length > WEIR__DOCUMENT_MOST) {
        refuse_size(file_label, faults);
        return NULL;
    }
    char *copy = weir__malloc(length + 1);
    if (!copy) {
        faults->out_of_memory = true;
        return NULL;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    return parse_owned(file_label, copy, length, faults);
}

/* Reads what is there, whatever its size was said to be: a file may grow while it is read. */
static char *read_all(int file, size_t expected, size_t *length, const char *label, weir__faults *faults)
{
    size_t capacity = expected + 2;
    char *text = weir__malloc(capacity);
    *length = 0;
    while (text) {
        ssize_t got = read(file, text + *length, capacity - 1 - *length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0) {
            refuse_reading(label, "read", faults);
            break;
        }
        *length += (size_t)got;
        if (*length > WEIR__DOCUMENT_MOST) {
            refuse_size(label, faults);
            break;
        }
        if (got == 0) {
            text[*length] = '\0';
            return text;
        }
        if (*length + 1 == capacity) {
            char *grown = weir__realloc(text, capacity * 2);
            if (!grown) {
                faults->out_of_memory = true;
                break;
            }
            text = grown;
            capacity *= 2;
        }
    }
    if (!text)
        faults->out_of_memory = true;
    weir__free(text);
    return NULL;
}

weir__document *weir__document_load(const char *path, weir__faults *faults)
{
    return weir__document_load_as(path, path, faults);
}

weir__document *weir__document_load_as(const char *path, const char *label, weir__faults *faults)
{
    struct stat about;
    char *text = NULL;
    size_t length = 0;
    /* Not blocking: a named pipe must be refused, not waited for. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0) {
        refuse_reading(label, "opened", faults);
        return NULL;
    }
    if (fstat(file, &about) != 0)
        refuse_reading(label, "examined", faults);
    else if (!S_ISREG(about.st_mode))
        weir__faults_add(faults, label, 0, 0, "", "not a regular file");
    else if (about.st_size < 0 || (size_t)about.st_size > WEIR__DOCUMENT_MOST)
        refuse_size(label, faults);
    else
        text = read_all(file, (size_t)about.st_size, &length, label, faults);
    close(file);
    return text ? parse_owned(label, text, length, faults) : NULL;
}

void weir__document_free(weir__document *document)
{
    if (!document)
        return;
    json_decref(document->root);
    weir__free(document->file);
    if (document->text)
        explicit_bzero(document->text, document->length); /* secrets may stand in it */
    weir__free(document->text);
    weir__free(document);
}

/* ---- walking the text, which is known to be clean ---- */

/* Loops of one's own: strspn and strcspn build a table at each call, which costs more than most values are long. */
static bool is_space(char byte)
{
    return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r';
}

static size_t walk_space(const char *text, size_t at)
{
    while (is_space(text[at]))
        at++;
    return at;
}

static size_t walk_string(const char *text, size_t at)
{
    for (at++; text[at] != '"'; at++)
        if (text[at] == '\\')
            at++;
    return at + 1;
}

static size_t walk_value(const char *text, size_t at)
{
    unsigned depth = 0;
    if (text[at] == '"')
        return walk_string(text, at);
    if (text[at] != '{' && text[at] != '[') {
        while (text[at] && text[at] != ',' && text[at] != '}' && text[at] != ']' && !is_space(text[at]))
            at++;
        return at;
    }
    do {
        char byte = text[at];
        depth += byte == '{' || byte == '[';
        depth -= byte == '}' || byte == ']';
        at = byte == '"' ? walk_string(text, at) : at + 1;
    } while (depth > 0);
    return at;
}

/* One step of a pointer, with its ~ escapes resolved into buffer, which has room for it. */
static size_t read_token(const char *pointer, const char **next, char *buffer)
{
    size_t length = 0;
    for (pointer++; *pointer && *pointer != '/'; pointer++) {
        char byte = *pointer;
        if (byte == '~' && (pointer[1] == '0' || pointer[1] == '1'))
            byte = *++pointer == '0' ? '~' : '/';
        buffer[length++] = byte;
    }
    buffer[length] = '\0';
    *next = pointer;
    return length;
}

/* The index that a step names, or SIZE_MAX. */
static size_t read_index(const char *token, size_t length)
{
    size_t value = 0;
    if (length == 0 || length > 9 || (token[0] == '0' && length > 1))
        return SIZE_MAX;
    for (size_t i = 0; i < length; i++) {
        if (token[i] < '0' || token[i] > '9')
            return SIZE_MAX;
        value = value * 10 + (size_t)(token[i] - '0');
    }
    return value;
}

/* Steps from the container at *value into one of its elements; false leaves everything as it was. */
static bool walk_into(const char *text, const char *token, size_t length, size_t *value, size_t *member)
{
    bool object = text[*value] == '{';
    if (!object && text[*value] != '[')
        return false;
    size_t at = walk_space(text, *value + 1);
    size_t wanted = object ? SIZE_MAX : read_index(token, length);
    for (size_t index = 0; text[at] != '}' && text[at] != ']'; index++) {
        size_t named = at;
        bool found = index == wanted;
        if (object) {
            at = walk_string(text, at);
            found = weir__json_compare_names(text + named + 1, at - named - 2, token, length, true) == 0;
            at = walk_space(text, walk_space(text, at) + 1);
        }
        if (found) {
            *value = at;
            *member = named;
            return true;
        }
        at = walk_space(text, walk_value(text, at));
        if (text[at] == ',')
            at = walk_space(text, at + 1);
    }
    return false;
}

static bool walk(const weir__document *document, const char *pointer, size_t *value, size_t *member)
{
    *value = walk_space(document->text, 0);
    *member = *value;
    if (!*pointer)
        return true;
    char *token = weir__malloc(strlen(pointer) + 1);
    bool found = token != NULL;
    while (found && *pointer == '/') {
        size_t length = read_token(pointer, &pointer, token);
        found = walk_into(document->text, token, length, value, member);
    }
    weir__free(token);
    return found && !*pointer;
}

bool weir__document_position(const weir__document *document, const char *pointer, unsigned *line, unsigned *column)
{
    size_t value, member;
    bool found = walk(document, pointer, &value, &member);
    weir__json_place(document->text, value, line, column);
    return found;
}

bool weir__document_name_position(const weir__document *document, const char *pointer, unsigned *line, unsigned *column)
{
    size_t value, member;
    bool found = walk(document, pointer, &value, &member);
    weir__json_place(document->text, found ? member : value, line, column);
    return found;
}

void weir__document_fault(const weir__document *document, weir__faults *faults, const char *pointer, bool on_name,
                          const char *message)
{
    unsigned line = 0, column = 0;
    if (!weir__faults_full(faults)) {
        if (on_name)
            weir__document_name_position(document, pointer, &line, &column);
        else
            weir__document_position(document, pointer, &line, &column);
    }
    weir__faults_add(faults, document->file, line, column, pointer, message);
}
