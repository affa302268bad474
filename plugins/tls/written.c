/* SPDX-License-Identifier: MIT */
/* Keeping options as they were written, and wiping them. */
#include "written.h"

#include <string.h>

#include <uv.h>

#include "material.h"

/* ---- files of secrets ---- */

/* The core has read it just now. */
static int take_secret(tls_written *given, const weir_configure *configure, const json_t *value)
{
    const char *file = json_string_value(json_object_get(value, "file"));
    tls_material *grown;
    tls_material *secret;

    if (!file)
        return 0;
    grown = weir_realloc(given->secrets, (given->secret_count + 1) * sizeof(*grown));
    if (!grown)
        return UV_ENOMEM;
    given->secrets = grown;
    secret = &grown[given->secret_count];
    memset(secret, 0, sizeof(*secret));
    secret->path = weir_configure_path(configure, file);
    if (!secret->path)
        return UV_ENOMEM;
    secret->stamp = weir__tls_material_stamp(secret->path);
    given->secret_count++;
    return 0;
}

static int take_secrets(tls_written *given, const weir_configure *configure, const json_t *options)
{
    int status = take_secret(given, configure, json_object_get(options, "passphrase"));

    return status ? status : take_secret(given, configure, json_object_get(options, "psk"));
}

/* ---- life ---- */

int weir__tls_written_take(tls_written *given, const weir_configure *configure)
{
    const char *name;
    json_t *options;
    int status;

    given->folder = weir__tls_text_copy(configure->folder);
    given->options = configure->given ? json_deep_copy(configure->given) : json_object();
    if (!given->folder || !given->options)
        return UV_ENOMEM;
    status = take_secrets(given, configure, given->options);
    json_object_foreach(json_object_get(given->options, "SNI"), name, options)
    {
        if (status == 0)
            status = take_secrets(given, configure, options);
    }
    return status;
}

/* Our own copy: a passphrase may stand in it as text. */
static void wipe_texts(json_t *value)
{
    union {
        const char *shown;
        char *bytes;
    } text = {.shown = json_string_value(value)};
    const char *name;
    json_t *member;
    size_t index;

    weir__tls_wipe(text.bytes, json_string_length(value));
    json_object_foreach(value, name, member) wipe_texts(member);
    json_array_foreach(value, index, member) wipe_texts(member);
}

void weir__tls_written_free(tls_written *given)
{
    size_t i;

    wipe_texts(given->options);
    json_decref(given->options);
    weir_free(given->folder);
    for (i = 0; i < given->secret_count; i++)
        weir__tls_material_free(&given->secrets[i]);
    weir_free(given->secrets);
    memset(given, 0, sizeof(*given));
}
