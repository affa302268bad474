/* SPDX-License-Identifier: MIT */
/* The facts of a connection: the engine's, and what the layer itself knows (TLS-16). */
#include <string.h>

#include <uv.h>

#include "layer.h"

#define PREFIX "tls."

/* Not for applications: where the interface of this plugin finds the link. Its text says whose link it is. */
#define SELF "tls.self"

static int text_fact(const char *text, weir_value *value)
{
    if (!text)
        return UV_ENOENT;
    memset(value, 0, sizeof(*value));
    value->type = WEIR_VALUE_TEXT;
    value->text = text;
    return 0;
}

static int self_fact(tls_link *self, weir_value *value)
{
    memset(value, 0, sizeof(*value));
    value->type = WEIR_VALUE_NUMBER;
    value->number = (int64_t)(intptr_t)self;
    value->text = weir__tls_name;
    return 0;
}

/* Whom the layer has refused the engine had let in: its word on that counts no more. 0: it is about something else. */
static int is_verdict(const tls_link *self, const char *name, weir_value *value)
{
    if (!self->refused)
        return 0;
    if (strcmp(name, "tls.authorizationError") == 0)
        return text_fact("ERR_TLS_CERT_ALTNAME_INVALID", value) == 0;
    if (strcmp(name, "tls.authorized") != 0)
        return 0;
    memset(value, 0, sizeof(*value));
    value->type = WEIR_VALUE_BOOLEAN;
    return 1;
}

int weir__tls_get(weir_link *link, const char *name, weir_value *value)
{
    tls_link *self = (tls_link *)(void *)link;

    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
        return UV_ENOENT;
    if (strcmp(name, SELF) == 0)
        return self_fact(self, value);
    if (strcmp(name, "tls.servername") == 0)
        return text_fact(self->name, value);
    if (strcmp(name, "tls.error") == 0)
        return text_fact(*self->failure ? self->failure : NULL, value);
    if (strcmp(name, "tls.engine") == 0)
        return text_fact(weir__tls_engine.name, value);
    if (!self->session)
        return UV_ENOENT;
    if (is_verdict(self, name, value))
        return 0;
    return weir__tls_engine.fact(self->session, name, value);
}

tls_link *weir__tls_link_of(weir_stream *stream)
{
    weir_value value;

    if (!stream || weir_stream_get(stream, SELF, &value) != 0 || value.text != weir__tls_name)
        return NULL;
    return (tls_link *)(intptr_t)value.number; /* NOLINT(performance-no-int-to-ptr) */
}
