/* SPDX-License-Identifier: MIT */
/*
 * Contexts: immutable snapshots of settings with what the engine made of them, counted; and the holder of the current one,
 * which a reload swaps. Handshakes that have begun go on with the snapshot they began with.
 */
#ifndef WEIR_TLS_CONTEXT_H
#define WEIR_TLS_CONTEXT_H

#include <weir/layer.h>
#include <weir/tls.h>

#include "engine.h"
#include "hello.h"
#include "instance.h"
#include "tickets.h"
#include "written.h"

struct tls_named;

typedef struct tls_context {
    size_t refs;
    tls_instance *instance;
    tls_settings *settings;
    tls_credentials *credentials;
    tls_tickets *tickets; /* a server's with `tickets` on, otherwise NULL */
    /* What is kept of sessions is kept under: the same settings, the same name. */
    char client_name[2 * TLS_DIGEST_SIZE];
    struct tls_named *names; /* of the option SNI, sorted by name */
    size_t name_count;
} tls_context;

typedef struct tls_named {
    char *name; /* in lower case; "*.example.org" among them */
    tls_context *context;
} tls_named;

/*
 * A snapshot of options that are valid by the schema, the contexts under SNI with it. 0 with `*context` (one reference);
 * WEIR_EINVALID_CONFIG after faults were told; UV_ENOMEM; or what the engine says.
 */
int weir__tls_context_build(tls_instance *instance, const tls_source *source, tls_report *report,
                            tls_context **context);

tls_context *weir__tls_context_retain(tls_context *context);
void weir__tls_context_release(tls_context *context); /* NULL is let pass */

/* Whose name fits best: exactly, then by a wildcard for the first label, then the context itself. Borrowed. TLS-10. */
tls_context *weir__tls_context_of_name(tls_context *context, const char *name);

/* ---- holders ---- */

struct tls_watch;

struct weir_tls_context {
    size_t refs;
    tls_instance *instance;
    weir_role role;
    tls_context *current;
    tls_written given;          /* a reload reads all of it again */
    weir_tls_options callbacks; /* server_name, psk, client_psk, arg; the rest is not used */
    weir_tls_counters counters;
    char *name; /* registered under it; NULL: not */
    struct weir_tls_context *next;
    struct tls_watch *watch; /* NULL: it has not begun, or is not wanted */
    int has_others;          /* options, since the watch began */
    int keylog_told;         /* that the file cannot be written */
};

/* The layer's configure and context_free: a layer's context is a holder. */
int weir__tls_configure(weir_configure *configure, void **context);
void weir__tls_context_free(void *context);

weir_tls_context *weir__tls_holder_retain(weir_tls_context *holder);
void weir__tls_holder_release(weir_tls_context *holder);

/*
 * Reads everything again, and swaps; with `options` (may be NULL) those instead. 0; or below 0 with `*error`, the
 * caller's, and nothing has changed.
 */
int weir__tls_holder_reload(weir_tls_context *holder, const weir_tls_options *options, weir_error **error);

/* Calls `visit` with every material that came from a file, of the names under SNI and of secrets too. */
void weir__tls_holder_each_file(const weir_tls_context *holder, void (*visit)(const tls_material *material, void *arg),
                                void *arg);

/* 0, UV_EEXIST, UV_ENOMEM. NULL: no name any more. */
int weir__tls_holder_register(weir_tls_context *holder, const char *name);

#endif
