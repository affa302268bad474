/* SPDX-License-Identifier: MIT */
/* Descriptors that somebody else made: which transport they are for. */
#ifndef WEIR_CORE_ADOPT_H
#define WEIR_CORE_ADOPT_H

#include <jansson.h>

#include <weir/endpoint.h>

/*
 * An endpoint of the transport that takes sockets like this one: one that was loaded already, or tcp or ipc. Its
 * `options` (an object, borrowed; NULL: none) are not checked: `backlog`, say. In `*type`, where not NULL, what the
 * transport calls the socket ("tcp4"; static text). 0; UV_EBADF, WEIR_EINVALIDFDTYPE, UV_ENOTSUP (role WEIR_SERVER: it
 * does not listen), UV_ENOMEM, or why the transport could not be loaded.
 */
int weir__endpoint_of_descriptor(weir_runtime *runtime, int fd, weir_role role, const json_t *options,
                                 weir_endpoint **endpoint, const char **type);

#endif
