/* SPDX-License-Identifier: MIT */
/* What is left of options when every member is taken out that a schema finds fault with: those that are sound. */
#define _GNU_SOURCE

#include <string.h>

#include <uv.h>

#include "component.h"
#include "memory.h"

/* The member that a pointer leads to, as far as it leads: of the innermost object on the way. */
typedef struct {
    json_t *owner; /* NULL: it leads to none */
    const char *name;
} member;

/* ~0 and ~1, in place. */
static void resolve_escapes(char *token)
{
    char *out = token;
    for (; *token; token++)
        *out++ = *token == '~' && (token[1] == '0' || token[1] == '1') ? (*++token == '0' ? '~' : '/') : *token;
    *out = '\0';
}

static json_t *step_into(json_t *value, const char *token, member *found)
{
    size_t index = 0;
    json_t *inner = json_object_get(value, token);
    if (inner)
        *found = (member){.owner = value, .name = token};
    if (!json_is_array(value))
        return inner;
    for (; *token >= '0' && *token <= '9' && index < json_array_size(value); token++)
        index = index * 10 + (size_t)(*token - '0');
    return json_array_get(value, index);
}

/* Out of an array nothing is taken: the places of what stands behind would not be theirs any more. */
static int take_out(json_t *options, const char *pointer, size_t *taken)
{
    json_t *value = options;
    member found = {0};
    char *copy = weir__strdup(pointer), *rest = copy;
    if (!copy)
        return UV_ENOMEM;
    (void)strsep(&rest, "/"); /* a pointer begins with one */
    for (char *token; value && (token = strsep(&rest, "/")) != NULL;) {
        resolve_escapes(token);
        value = step_into(value, token, &found);
    }
    if (found.owner) {
        weir__component_wipe_secrets(NULL, json_object_get(found.owner, found.name));
        json_object_del(found.owner, found.name);
        ++*taken;
    }
    weir__free(copy);
    return 0;
}

static int take_out_all(json_t *options, const weir__faults *faults, size_t *taken)
{
    int status = faults->out_of_memory ? UV_ENOMEM : 0;
    for (size_t i = 0; i < faults->count && status == 0; i++)
        status = take_out(options, faults->items[i].pointer, taken);
    return status;
}

/* Members that want others beside them, which were taken out, or never were there. */
static void take_out_dependents(const weir__schema *schema, json_t *options, size_t *taken)
{
    json_t *wanted, *other;
    const char *name;
    size_t index;
    json_object_foreach(json_object_get(weir__schema_json(schema), "dependentRequired"), name, wanted)
    {
        json_array_foreach(wanted, index, other)
        {
            json_t *value = json_object_get(options, name);
            if (!value || json_object_get(options, json_string_value(other)))
                continue;
            weir__component_wipe_secrets(NULL, value);
            json_object_del(options, name);
            ++*taken;
        }
    }
}

static int note(const weir__schema_fault *fault, void *arg)
{
    weir__faults_add(arg, NULL, 0, 0, fault->pointer, fault->message);
    return 0;
}

/* Secrets that could not be read: a text stands in for each, which the schema has nothing against. */
static int take_out_unread(const weir__faults *faults, const char *base, json_t *options)
{
    size_t length = strlen(base), taken = 0;
    int status = 0;
    for (size_t i = faults->known_from; i < faults->known_to && status == 0; i++)
        if (strncmp(faults->items[i].pointer, base, length) == 0)
            status = take_out(options, faults->items[i].pointer + length, &taken);
    return status;
}

int weir__component_keep_sound(const weir__faults *faults, const weir__schema *schema, const char *base,
                               json_t *options)
{
    int status = take_out_unread(faults, base, options), found = 1;
    size_t taken = 1;
    /* What one is taken out of may lack it then, and is taken out next. */
    while (status == 0 && found > 0 && taken > 0) {
        weir__faults round = {0};
        taken = 0;
        found = weir__schema_check(schema, options, note, &round);
        status = found < 0 ? found : take_out_all(options, &round, &taken);
        if (found > 0)
            take_out_dependents(schema, options, &taken);
        weir__faults_free(&round);
    }
    return status == 0 && found > 0 ? UV_ENOENT : status;
}
