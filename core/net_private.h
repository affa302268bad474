/* SPDX-License-Identifier: MIT */
/* What Node's own forms of connect and listen share: their words as the options of an endpoint. */
#ifndef WEIR_NET_PRIVATE_H
#define WEIR_NET_PRIVATE_H

#include <stddef.h>

#include <jansson.h>

#include <weir/net.h>

#define WEIR__PORT_MOST 65535

/* A path as given to a form: NUL and all. */
typedef struct weir__net_path {
    const char *bytes;
    size_t length;
    int abstract; /* the bytes are those behind the NUL that said so (PATH-11) */
} weir__net_path;

/*
 * `length` 0: up to the NUL. 0; WEIR_EINVALIDARGVALUE (empty, or a NUL inside a file's path), UV_ENAMETOOLONG (BN-12).
 */
int weir__net_read_path(const char *path, size_t length, weir__net_path *read);

/* Members for an object of options; 0, or -1: no memory. A text that is NULL or empty is left out. */
int weir__net_set_text(json_t *options, const char *name, const char *text);
int weir__net_set_number(json_t *options, const char *name, int64_t number);
int weir__net_set_switch(json_t *options, const char *name, int on);
int weir__net_set_path(json_t *options, const weir__net_path *path);

/* 1 if a text may stand in JSON; NULL may. */
int weir__net_is_text(const char *text);

/*
 * The endpoint of a transport with these options, whose reference is taken; `failed` (or NULL options): they could not
 * be made. 0, UV_ENOMEM, or as weir_endpoint_parse.
 */
int weir__net_endpoint(weir_runtime *runtime, const char *transport, json_t *options, int failed, weir_role role,
                       weir_endpoint **endpoint);

#endif
