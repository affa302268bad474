/* SPDX-License-Identifier: MIT */
/*
 * A transport `gate` that listens nowhere, in whose name a test reports: "gate:" listens at once, unless gate_holds is
 * set. Its arrivals are links whose table is not whole. Register gate_plugin with the runtime.
 */
#ifndef WEIR_TEST_GATE_H
#define WEIR_TEST_GATE_H

#include <weir/plugin.h>
#include <weir/transport.h>

enum { GATES_MOST = 4 };

extern const weir_plugin gate_plugin;

/* Those that are there, in the order in which they were made; NULL: it has gone. */
extern weir_acceptor *gate_acceptors[GATES_MOST];

/* Those that are made from now on do not report by themselves that they listen. 0 at first. */
extern int gate_holds;

/* Links of arrivals that were given back. */
extern int gate_links_freed;

/* Reports that it failed, with UV_EIO. */
void gate_fail(int index);

#endif
