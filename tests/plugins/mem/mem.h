/* SPDX-License-Identifier: MIT */
/* The parts of the transport `mem`: what one runtime has of it, an endpoint's settings, links and acceptors. */
#ifndef MEM_MEM_H
#define MEM_MEM_H

#include <weir/transport.h>

#include "wire.h"

typedef struct mem_acceptor mem_acceptor;

/* One runtime's listeners. */
typedef struct mem_instance {
    mem_acceptor *acceptors;
} mem_instance;

/* An endpoint. */
typedef struct mem_context {
    mem_instance *instance;
    weir_address name;
    size_t pipe_size;
    int can_reset;
} mem_context;

/* ---- link.c ---- */

/* The end of a wire that connects. NULL: no memory. */
weir_link *mem_link_connecting(mem_context *context, weir_runtime *runtime);

/* The end of a wire that was accepted; it takes the reference. NULL: no memory, the reference is not taken. */
weir_link *mem_link_accepted(mem_context *context, weir_runtime *runtime, mem_wire *wire);

/* A side leaves, and the other one gets to see it. */
void mem_leave(mem_wire *wire, int side, int reset);

/* ---- acceptor.c ---- */

/* Puts a wire in the backlog of the listener of its name, which takes a reference. 0 or UV_ECONNREFUSED. */
int mem_acceptor_offer(mem_instance *instance, mem_wire *wire);

weir_acceptor *mem_acceptor_create(void *context, weir_runtime *runtime);
void mem_acceptor_listen(weir_acceptor *acceptor, int fd);
void mem_acceptor_accepting(weir_acceptor *acceptor, int on);
int mem_acceptor_address(const weir_acceptor *acceptor, weir_address *address);
weir_link *mem_acceptor_accept(weir_acceptor *acceptor, const weir_arrival *arrival);
void mem_acceptor_ref(weir_acceptor *acceptor, int on);
void mem_acceptor_close(weir_acceptor *acceptor);
void mem_acceptor_free(weir_acceptor *acceptor);

#endif
