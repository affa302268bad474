/* SPDX-License-Identifier: MIT */
/* Components: a plugin's name with its options, found, checked against its schema, and made into a context. */
#ifndef WEIR_CORE_COMPONENT_H
#define WEIR_CORE_COMPONENT_H

#include <stdbool.h>

#include <jansson.h>

#include "endpoint_private.h"
#include "plugin_registry.h"

/* Where a piece of configuration stands, and where its faults go. Everything is borrowed. */
typedef struct weir__place {
    weir_runtime *runtime;
    const char *folder;             /* absolute; what relative files are relative to */
    const weir__document *document; /* NULL: a text of its own, without lines */
    const char *label;              /* without a document: what it is about, a URL say; never a secret in it */
    weir__faults *faults;
    weir__faults *warnings; /* NULL: they go to the runtime's log */
    int code;               /* of the first fault; 0: none so far */
    const void *extra;      /* of weir_configure; NULL: none */
    bool connects;          /* the endpoint is to be connected to, not only to lend its layers */
    weir_hostless hostless; /* of weir_configure */
} weir__place;

/* Notes a fault at a pointer of the document; with on_name at the name of its member. Keeps the first code. */
void weir__place_fault(weir__place *place, int code, const char *pointer, bool on_name, const weir__message *message);
void weir__place_faultf(weir__place *place, int code, const char *pointer, const char *format, ...) WEIR_PRINTF(4, 5);

/* Notes that memory ran out; gives UV_ENOMEM. */
int weir__place_out_of_memory(weir__place *place);

/* The pointer of a member or element below a pointer, in new memory. NULL: no memory, which is noted. */
char *weir__place_member(weir__place *place, const char *pointer, const char *name);
char *weir__place_element(weir__place *place, const char *pointer, size_t index);

typedef enum weir__component_kind { WEIR__TRANSPORT, WEIR__LAYER, WEIR__HANDLER } weir__component_kind;

/*
 * Takes a component's JSON apart: "name" or {"name": {options}}. `name` lives as the value does; `options` is NULL
 * where there are none. `options_pointer` is in new memory. 0; WEIR_EINVALID_ENDPOINT with faults noted; UV_ENOMEM.
 */
int weir__component_read(weir__place *place, const json_t *value, const char *pointer, const char *what,
                         const char **name, json_t **options, char **options_pointer);

/*
 * Finds and loads the plugin that does this kind of work under this name. 0, or a code with faults noted at `pointer`.
 */
int weir__component_find(weir__place *place, weir__component_kind kind, const char *name, const char *pointer,
                         bool on_name, const weir__loaded **found);

/*
 * Checks options (an object that stands at `pointer`; NULL: none; left as they are) against the plugin's schema,
 * resolves secrets, fills in defaults, and has the plugin configure them. 0, or a code with faults noted.
 */
int weir__component_make(weir__place *place, weir__component_kind kind, const weir__loaded *found,
                         const json_t *options, weir_role role, const char *pointer, weir__component *component);

/* A transport's, for a descriptor made elsewhere: with these options (NULL: none), which must be valid, and no others. */
int weir__component_adopt(weir__place *place, const weir__loaded *found, const json_t *options, weir_role role,
                          weir__component *component);

void weir__component_free(weir__component_kind kind, weir__component *component);

/*
 * Checks an object against a schema, at its place. 0, WEIR_EINVALID_CONFIG with faults noted, UV_ENOMEM.
 */
int weir__component_check(weir__place *place, const weir__schema *schema, json_t *options, const char *pointer);

/*
 * Replaces every {"file": ...} and {"env": ...} that stands where the schema has a secret by the text that it names
 * (component_secret.c). 0, WEIR_EINVALID_CONFIG with faults noted, UV_ENOMEM.
 */
int weir__component_resolve_secrets(weir__place *place, const weir__schema *schema, json_t *options,
                                    const char *pointer);

/*
 * Takes out of options that stand at `base` what the schema finds fault with, and the secrets among them that could not be
 * read (the faults known_from to known_to), so that the others are valid on their own. 0; UV_ENOENT: they are not (one
 * that must be there is missing, say); UV_ENOMEM. No fault is noted (component_sound.c).
 */
int weir__component_keep_sound(const weir__faults *faults, const weir__schema *schema, const char *base,
                               json_t *options);

/* Overwrites the texts that are secret by the schema; all texts where it is NULL. */
void weir__component_wipe_secrets(const weir__schema *schema, json_t *options);

/* The folder made absolute by the working folder (NULL: that one), in new memory. NULL: no memory. */
char *weir__folder_absolute(const char *folder);

#endif
