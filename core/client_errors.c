/* SPDX-License-Identifier: MIT */
/* What a service logs of clients that fail: the first ones in full, of a flood a few lines, every one of it counted. */
#include "client_errors.h"

#include <inttypes.h>

#include <weir/stream.h>

/* Remembers whose the last one is, where it is only counted. The level at which its own line is logged. */
static weir_log_level note(weir__client_errors *errors, weir_runtime *runtime, weir_log_level level,
                           const weir_error *error)
{
    errors->bound.most = WEIR__CLIENT_ERRORS_SHOWN;
    if (weir_log_bound_pass(runtime, &errors->bound))
        return level;
    weir_error_release(errors->last);
    errors->last = weir_error_retain(error);
    return WEIR_LOG_DEBUG;
}

/* "" where it is not known. */
static void format_origin(const weir_address *address, char text[WEIR_ADDRESS_TEXT_SIZE])
{
    text[0] = '\0';
    if (address->family != WEIR_FAMILY_NONE)
        weir_address_format(address, text, WEIR_ADDRESS_TEXT_SIZE);
}

/* ---- not served ---- */

static void tell_refused(weir_log_bound *bound, uint64_t more)
{
    weir__client_errors *errors = (weir__client_errors *)(void *)bound; /* its first member */
    const weir_error *last = errors->last;
    char from[WEIR_ADDRESS_TEXT_SIZE];
    format_origin(&errors->from, from);
    errors->last = NULL;
    weir_log(bound->runtime, WEIR_LOG_INFO, "%s: %" PRIu64 " more client%s could not be served, the last one%s%s: %s",
             errors->server, more, more == 1 ? "" : "s", from[0] ? " from " : "", from, last->message);
    weir_error_release(last);
}

void weir__client_errors_refused(weir__client_errors *errors, weir_runtime *runtime, const weir_address *address,
                                 const weir_error *error)
{
    const weir_address unknown = {0};
    char from[WEIR_ADDRESS_TEXT_SIZE];
    errors->bound.tell = tell_refused;
    errors->from = address ? *address : unknown;
    format_origin(&errors->from, from);
    weir_log_level level = note(errors, runtime, WEIR_LOG_INFO, error);
    weir_log(runtime, level, "%s: a client%s%s could not be served: %s", errors->server, from[0] ? " from " : "", from,
             error->message);
}

/* ---- not listened for ---- */

static void tell_unheard(weir_log_bound *bound, uint64_t more)
{
    weir__client_errors *errors = (weir__client_errors *)(void *)bound;
    const weir_error *last = errors->last;
    errors->last = NULL;
    weir_log(bound->runtime, WEIR_LOG_ERROR,
             "%s: nobody listens for %" PRIu64 " more error%s, the last one of stream %llu: %s", errors->server, more,
             more == 1 ? "" : "s", errors->stream, last->message);
    weir_error_release(last);
}

void weir__client_errors_unheard(weir__client_errors *errors, const weir_stream *stream, const weir_error *error)
{
    weir_runtime *runtime = weir_stream_runtime(stream);
    errors->bound.tell = tell_unheard;
    errors->stream = (unsigned long long)weir_stream_id(stream);
    weir_log_level level = note(errors, runtime, WEIR_LOG_ERROR, error);
    weir_log(runtime, level, "stream %llu: nobody listens for this error: %s",
             (unsigned long long)weir_stream_id(stream), error->message);
}

void weir__client_errors_end(weir__client_errors *errors)
{
    weir_log_bound_end(&errors->bound);
}
