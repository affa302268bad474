/* SPDX-License-Identifier: MIT */
/* The options of a stream as JSON, which stream.schema.json has passed, into the struct that streams are made with. */
#define _GNU_SOURCE

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "endpoint_private.h"
#include "schema.h"

typedef enum option_kind { SWITCH, INVERTED_SWITCH, BYTES, MILLISECONDS } option_kind;

/* In this order: readableHighWaterMark and writableHighWaterMark win over highWaterMark. */
static const struct option {
    const char *name;
    option_kind kind;
    size_t offset;
} options_known[] = {
    {"allowHalfOpen", SWITCH, offsetof(weir_stream_options, allow_half_open)},
    {"autoDestroy", INVERTED_SWITCH, offsetof(weir_stream_options, no_auto_destroy)},
    {"highWaterMark", BYTES, offsetof(weir_stream_options, readable_high_water_mark)},
    {"highWaterMark", BYTES, offsetof(weir_stream_options, writable_high_water_mark)},
    {"readableHighWaterMark", BYTES, offsetof(weir_stream_options, readable_high_water_mark)},
    {"writableHighWaterMark", BYTES, offsetof(weir_stream_options, writable_high_water_mark)},
    {"maxWriteQueue", BYTES, offsetof(weir_stream_options, max_write_queue)},
    {"timeout", MILLISECONDS, offsetof(weir_stream_options, timeout)},
    {"connectTimeout", MILLISECONDS, offsetof(weir_stream_options, connect_timeout)},
    {"handshakeTimeout", MILLISECONDS, offsetof(weir_stream_options, handshake_timeout)},
    {"halfCloseTimeout", MILLISECONDS, offsetof(weir_stream_options, half_close_timeout)},
    {"discardOnEnd", SWITCH, offsetof(weir_stream_options, discard_on_end)},
    {"pauseOnConnect", SWITCH, offsetof(weir_stream_options, pause_on_connect)},
};

static void set_option(const struct option *option, const json_t *value, weir_stream_options *options)
{
    char *place = (char *)options + option->offset;
    uint64_t number = 0;
    if (option->kind == SWITCH || option->kind == INVERTED_SWITCH) {
        int on = json_is_true(value) == (option->kind == SWITCH);
        memcpy(place, &on, sizeof(on));
    } else if (option->kind == MILLISECONDS) {
        if (weir__duration_of(value, &number) == 0)
            memcpy(place, &number, sizeof(number));
    } else if (weir__size_of(value, &number) == 0) {
        size_t bytes = number > SIZE_MAX ? SIZE_MAX : (size_t)number;
        memcpy(place, &bytes, sizeof(bytes));
    }
}

void weir__stream_options_from_json(const json_t *object, weir_stream_options *options)
{
    for (size_t i = 0; i < sizeof(options_known) / sizeof(options_known[0]); i++) {
        const json_t *value = json_object_get(object, options_known[i].name);
        if (value)
            set_option(&options_known[i], value, options);
    }
}

void weir__endpoint_apply(const weir_endpoint *endpoint, weir_stream_options *options)
{
    if (endpoint->stream_options)
        weir__stream_options_from_json(endpoint->stream_options, options);
}
