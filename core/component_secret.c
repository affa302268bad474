/* SPDX-License-Identifier: MIT */
/* Secrets in configurations: {"file": PATH} and {"env": NAME} become the text they name. No message shows that text. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include "component.h"
#include "configure_private.h"
#include "memory.h"
#include "schema_node.h"

#define SECRET_MOST 65536 /* bytes of a secret's file */

typedef struct {
    weir__place *place;
    const weir__schema *schema;
    const char *base; /* of the options in the document */
} resolving;

/* The pointer of a place inside the options in the document that they stand in. */
static void fault_at(const resolving *state, const char *inner, const weir__message *message)
{
    size_t outer_length = strlen(state->base), inner_length = strlen(inner);
    char *pointer = weir__malloc(outer_length + inner_length + 1);
    if (!pointer) {
        weir__place_out_of_memory(state->place);
        return;
    }
    memcpy(pointer, state->base, outer_length);
    memcpy(pointer + outer_length, inner, inner_length + 1);
    weir__place_fault(state->place, WEIR_EINVALID_CONFIG, pointer, false, message);
    weir__free(pointer);
}

/* Whoever wrote the secret itself where its file or variable is to be named does not find it in a log. */
static int refuse(const resolving *state, const char *inner, weir_named named, const char *name, const char *why)
{
    const weir_configure configure = {.size = sizeof(configure), .folder = state->place->folder};
    int shown = weir_configure_may_show(&configure, named, name);
    weir__message message;
    weir__message_start(&message);
    weir__message_add(&message, "the secret's %s ", named == WEIR_NAMED_VARIABLE ? "environment variable" : "file");
    if (shown) {
        weir__message_quote(&message, name, strlen(name));
        weir__message_add(&message, " ");
    }
    weir__message_add(&message, "%s", why);
    if (!shown)
        weir__message_add(&message, "; its name is not shown, it could be the secret itself");
    fault_at(state, inner, &message);
    return WEIR_EINVALID_CONFIG;
}

static bool is_utf8(const char *text, size_t length)
{
    size_t size = 1;
    for (size_t at = 0; at < length && size > 0; at += size)
        size = weir__utf8_sequence(text + at, length - at);
    return size > 0;
}

/* What is wrong with a text as a secret, or NULL; a line's end behind it is taken off. */
static const char *clean(char *text, size_t *length)
{
    if (*length && text[*length - 1] == '\n')
        *length -= *length > 1 && text[*length - 2] == '\r' ? 2 : 1;
    if (*length == 0)
        return "is empty";
    if (memchr(text, '\0', *length))
        return "holds a NUL";
    return is_utf8(text, *length) ? NULL : "is not UTF-8";
}

static void warn_of_readers(const resolving *state, const char *inner, const char *path)
{
    weir__configure whole = {.document = state->place->document,
                             .pointer = state->base,
                             .faults = state->place->faults,
                             .warnings = state->place->warnings,
                             .label = state->place->label};
    whole.public.runtime = state->place->runtime;
    weir_configure_warning(&whole.public, inner,
                           "everybody may read the secret in %s: let nobody but its owner (chmod 600)", path);
}

/* Reads a file into text, which has room for SECRET_MOST + 1 bytes; gives what is wrong, or NULL. */
static const char *read_file(const char *path, char *text, size_t *length, bool *is_public)
{
    struct stat about;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    *length = 0;
    if (file < 0)
        return errno == ENOENT   ? "does not exist"
               : errno == EACCES ? "may not be read: permission denied (EACCES)"
                                 : "cannot be opened";
    const char *why = fstat(file, &about) != 0 || !S_ISREG(about.st_mode) ? "is not a regular file" : NULL;
    *is_public = !why && (about.st_mode & S_IROTH);
    while (!why && *length <= SECRET_MOST) {
        ssize_t got = read(file, text + *length, SECRET_MOST + 1 - *length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            why = "cannot be read";
        if (got <= 0)
            break;
        *length += (size_t)got;
    }
    close(file);
    if (!why && *length > SECRET_MOST)
        why = "is larger than 64 KiB";
    return why;
}

static int from_file(const resolving *state, const char *inner, const char *name, json_t **secret)
{
    const char *folder = name[0] == '/' ? "" : state->place->folder;
    size_t folder_length = strlen(folder), name_length = strlen(name);
    char *path = weir__malloc(folder_length + name_length + 2);
    char *text = weir__malloc(SECRET_MOST + 1);
    size_t length = 0;
    const char *why = NULL;
    bool is_public = false;
    if (path && text) {
        memcpy(path, folder, folder_length);
        path[folder_length] = '/';
        memcpy(path + folder_length + (folder_length ? 1 : 0), name, name_length + 1);
        why = read_file(path, text, &length, &is_public);
        size_t read = length;
        if (!why)
            why = clean(text, &length);
        if (!why)
            *secret = json_stringn(text, length);
        explicit_bzero(text, read);
        if (!why && is_public)
            warn_of_readers(state, inner, path);
    }
    bool out_of_memory = !path || !text || (!why && !*secret);
    weir__free(path);
    weir__free(text);
    if (out_of_memory)
        return weir__place_out_of_memory(state->place);
    return why ? refuse(state, inner, WEIR_NAMED_SECRET, name, why) : 0;
}

static int from_environment(const resolving *state, const char *inner, const char *name, json_t **secret)
{
    const char *text = secure_getenv(name);
    if (!text || !*text)
        return refuse(state, inner, WEIR_NAMED_VARIABLE, name, text ? "is empty" : "is not set");
    if (!is_utf8(text, strlen(text)))
        return refuse(state, inner, WEIR_NAMED_VARIABLE, name, "is not UTF-8");
    *secret = json_string_nocheck(text);
    return *secret ? 0 : weir__place_out_of_memory(state->place);
}

/* The name in {"file": name} or {"env": name}; NULL when the value is something else. */
static const char *indirection(const json_t *value, bool *file)
{
    if (!json_is_object(value) || json_object_size(value) != 1)
        return NULL;
    const json_t *path = json_object_get(value, "file");
    const char *name = json_string_value(path ? path : json_object_get(value, "env"));
    *file = path != NULL;
    return name && *name ? name : NULL;
}

static int resolve(const resolving *state, json_t *container, weir__pointer *at);

/* One element, whose pointer `at` is: *replacement is what it becomes, NULL: it stays. */
static int resolve_value(const resolving *state, json_t *value, weir__pointer *at, json_t **replacement)
{
    bool file;
    const char *name = indirection(value, &file);
    if (at->failed)
        return weir__place_out_of_memory(state->place);
    if (!name || !weir__schema_is_secret(state->schema, at->text))
        return resolve(state, value, at);
    int status =
        file ? from_file(state, at->text, name, replacement) : from_environment(state, at->text, name, replacement);
    /* Text stands in for what could not be read; the check that follows is silent where a fault stands already. */
    if (status == WEIR_EINVALID_CONFIG)
        *replacement = json_string("unreadable");
    return status;
}

static int resolve(const resolving *state, json_t *container, weir__pointer *at)
{
    int result = 0;
    size_t length = at->length, index;
    const char *name;
    json_t *value;
    void *next;
    if (json_is_object(container)) {
        json_object_foreach_safe(container, next, name, value)
        {
            json_t *replacement = NULL;
            weir__pointer_add_name(at, name, strlen(name));
            int status = resolve_value(state, value, at, &replacement);
            /* The member is there already, so nothing is allocated. */
            if (replacement && json_object_set_new(container, name, replacement) != 0)
                status = weir__place_out_of_memory(state->place);
            result = result ? result : status;
            if (at->text)
                at->text[at->length = length] = '\0';
        }
    } else if (json_is_array(container)) {
        json_array_foreach(container, index, value)
        {
            json_t *replacement = NULL;
            weir__pointer_add_index(at, index);
            int status = resolve_value(state, value, at, &replacement);
            if (replacement && json_array_set_new(container, index, replacement) != 0)
                status = weir__place_out_of_memory(state->place);
            result = result ? result : status;
            if (at->text)
                at->text[at->length = length] = '\0';
        }
    }
    return result;
}

/* ---- wiping ---- */

/* Whoever still has the value, against the rule that it is borrowed, finds a text of NULs. It takes no memory. */
static void wipe(const weir__schema *schema, json_t *value, const weir__step *at)
{
    const char *name;
    json_t *member;
    size_t index;
    if (json_is_string(value) && (!schema || weir__secret_at(schema, at)))
        explicit_bzero((char *)(uintptr_t)json_string_value(value), json_string_length(value));
    json_object_foreach(value, name, member)
    {
        const weir__step inner = {.outer = at, .name = name, .depth = at->depth + 1};
        wipe(schema, member, &inner);
    }
    json_array_foreach(value, index, member)
    {
        const weir__step inner = {.outer = at, .index = index, .depth = at->depth + 1};
        wipe(schema, member, &inner);
    }
}

void weir__component_wipe_secrets(const weir__schema *schema, json_t *options)
{
    const weir__step root = {.depth = 0};
    wipe(schema, options, &root);
}

/* ---- resolving ---- */

int weir__component_resolve_secrets(weir__place *place, const weir__schema *schema, json_t *options,
                                    const char *pointer)
{
    resolving state = {.place = place, .schema = schema, .base = pointer};
    weir__pointer at = {0};
    int status = resolve(&state, options, &at);
    weir__free(at.text);
    return status;
}
