/* SPDX-License-Identifier: MIT */
/*
 * Everything an application needs. Authors of plugins include weir/transport.h, weir/layer.h or weir/handler.h.
 *
 * The object that a function is about must be there: NULL is for the functions that release one, and where a header says
 * so. Everything else that may be wrong in what is given is an error code.
 */
#ifndef WEIR_WEIR_H
#define WEIR_WEIR_H

#include <weir/abort.h>
#include <weir/address.h>
#include <weir/blocklist.h>
#include <weir/buffer.h>
#include <weir/endpoint.h>
#include <weir/error.h>
#include <weir/event.h>
#include <weir/export.h>
#include <weir/lookup.h>
#include <weir/net.h>
#include <weir/options.h>
#include <weir/pipeline.h>
#include <weir/runtime.h>
#include <weir/server.h>
#include <weir/service.h>
#include <weir/stream.h>

#endif
