/* SPDX-License-Identifier: MIT */
/* Descriptors that somebody else made: which transport they are for. */
#ifndef WEIR_CORE_ADOPT_H
#define WEIR_CORE_ADOPT_H

#include <weir/endpoint.h>

/*
 * An endpoint, with nothing set, of the transport that takes sockets like this one: one that was loaded already, or tcp
 * or ipc. 0; UV_EBADF, WEIR_EINVALIDFDTYPE, UV_ENOMEM, or why the transport could not be loaded.
 */
int weir__endpoint_of_descriptor(weir_runtime *runtime, int fd, weir_role role, weir_endpoint **endpoint);

#endif
