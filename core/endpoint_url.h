/* SPDX-License-Identifier: MIT */
/* The text of an endpoint as a URL, taken apart. What the parts mean is for the components' schemas to say. */
#ifndef WEIR_CORE_ENDPOINT_URL_H
#define WEIR_CORE_ENDPOINT_URL_H

#include <stdbool.h>
#include <stddef.h>

#include <weir/transport.h>

#include "faults.h"

#define WEIR__URL_NAMES_MOST 32 /* layers and the transport of one URL */

/* One option of the query, percent-decoded: "tls.timeout=5s". Both are well-formed UTF-8 without NUL. */
typedef struct weir__url_option {
    char *name;
    char *value;
} weir__url_option;

typedef struct weir__url {
    char *shown; /* the text without query and user information: what messages may show */
    size_t name_count;
    char *names[WEIR__URL_NAMES_MOST]; /* as written: the top layer first, the transport last */
    char *body;                        /* between the first colon and the query, as it was written */
    size_t option_count, option_capacity;
    weir__url_option *options;
} weir__url;

/* What the body says; NULL: nothing about that. */
typedef struct weir__url_body {
    char *host; /* without brackets, a zone behind one "%" */
    char *port; /* digits, or whatever stands there */
    char *path; /* as it was written, so that it is the same text as in JSON */
} weir__url_body;

/*
 * Splits `names:body?options`. Names are [a-z][a-z0-9-]*; two equal ones, a fragment, control characters and an option
 * without a value are refused. 0; UV_EINVAL with what is wrong and with which part in `fault`; UV_ENOMEM. `url` is to
 * be freed in any case.
 */
int weir__url_split(const char *text, weir__url *url, weir__message *fault);
void weir__url_free(weir__url *url);

/*
 * Reads the body as what the transport declares: "//host:port" (a part of it may be missing), a path ("relative",
 * "/absolute", "///absolute", "@abstract"; percent-encoded, checked here and decoded by whoever uses it), or nothing.
 * Like weir__url_split.
 */
int weir__url_read_body(const weir__url *url, weir_body kind, weir__url_body *body, weir__message *fault);
void weir__url_body_free(weir__url_body *body);

/* [a-z][a-z0-9-]*: may a component be called so? */
bool weir__component_name_valid(const char *name, size_t length);

#endif
