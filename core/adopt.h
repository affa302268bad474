/* SPDX-License-Identifier: MIT */
/* Descriptors that somebody else made: which transport they are for. */
#ifndef WEIR_CORE_ADOPT_H
#define WEIR_CORE_ADOPT_H

#include <jansson.h>

#include <weir/endpoint.h>

/*
 * An endpoint, with nothing set, of the transport that takes sockets like this one: one that was loaded already, or tcp
 * or ipc. 0; UV_EBADF, WEIR_EINVALIDFDTYPE, UV_ENOTSUP (role WEIR_SERVER: it does not listen), UV_ENOMEM, or why the
 * transport could not be loaded.
 */
int weir__endpoint_of_descriptor(weir_runtime *runtime, int fd, weir_role role, weir_endpoint **endpoint);

/*
 * The same with options of the transport (an object, borrowed; NULL: none), which are not checked: `backlog`, say. In
 * `*type`, where not NULL, what the transport calls it ("tcp4"; static text).
 */
int weir__endpoint_of_descriptor_with(weir_runtime *runtime, int fd, weir_role role, const json_t *options,
                                      weir_endpoint **endpoint, const char **type);

#endif
