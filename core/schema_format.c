/* SPDX-License-Identifier: MIT */
/* The formats that are ours: ports, durations, sizes, paths and rules of block lists. */
#define _GNU_SOURCE

#include <errno.h>
#include <string.h>

#include "blocklist_rule.h"
#include "schema_node.h"

typedef struct {
    const char *suffix;
    uint64_t factor;
} unit;

#define KI 1024ULL
#define K  1000ULL

static const unit duration_units[] = {{"", 1}, {"ms", 1}, {"s", K}, {"m", 60 * K}, {"h", 3600 * K}, {NULL, 0}};
static const unit size_units[] = {{"", 1},
                                  {"B", 1},
                                  {"kB", K},
                                  {"MB", K *K},
                                  {"GB", K *K *K},
                                  {"TB", K *K *K *K},
                                  {"KiB", KI},
                                  {"MiB", KI *KI},
                                  {"GiB", KI *KI *KI},
                                  {"TiB", KI *KI *KI *KI},
                                  {NULL, 0}};

static int parse_with_unit(const char *text, size_t length, const unit *units, uint64_t *result)
{
    uint64_t value = 0;
    size_t digits = 0;
    for (; digits < length && text[digits] >= '0' && text[digits] <= '9'; digits++) {
        uint64_t digit = (uint64_t)(text[digits] - '0');
        if (value > (UINT64_MAX - digit) / 10)
            return -EINVAL;
        value = value * 10 + digit;
    }
    if (digits == 0)
        return -EINVAL;
    for (; units->suffix; units++) {
        size_t suffix = strlen(units->suffix);
        if (suffix != length - digits || memcmp(text + digits, units->suffix, suffix) != 0)
            continue;
        if (value > UINT64_MAX / units->factor)
            return -EINVAL;
        *result = value * units->factor;
        return 0;
    }
    return -EINVAL;
}

int weir__parse_duration(const char *text, uint64_t *milliseconds)
{
    return parse_with_unit(text, strlen(text), duration_units, milliseconds);
}

int weir__parse_size(const char *text, uint64_t *bytes)
{
    return parse_with_unit(text, strlen(text), size_units, bytes);
}

/* A number that is an integer and not negative, or text with a unit. */
static int read_quantity(const json_t *value, const unit *units, uint64_t *result)
{
    if (json_is_string(value))
        return parse_with_unit(json_string_value(value), json_string_length(value), units, result);
    if (json_is_integer(value) && json_integer_value(value) >= 0) {
        *result = (uint64_t)json_integer_value(value);
        return 0;
    }
    double real = json_is_real(value) ? json_real_value(value) : -1.0;
    if (real >= 0 && real < 18446744073709551616.0 && weir__is_whole(real)) {
        *result = (uint64_t)real;
        return 0;
    }
    return -EINVAL;
}

int weir__duration_of(const json_t *value, uint64_t *milliseconds)
{
    return read_quantity(value, duration_units, milliseconds);
}

int weir__size_of(const json_t *value, uint64_t *bytes)
{
    return read_quantity(value, size_units, bytes);
}

static bool is_port(const json_t *value)
{
    static const unit none[] = {{"", 1}, {NULL, 0}};
    uint64_t port;
    return read_quantity(value, none, &port) == 0 && port <= 65535;
}

static bool is_duration(const json_t *value)
{
    uint64_t milliseconds;
    return weir__duration_of(value, &milliseconds) == 0;
}

static bool is_size(const json_t *value)
{
    uint64_t bytes;
    return weir__size_of(value, &bytes) == 0;
}

static bool is_path(const json_t *value)
{
    size_t length = json_string_length(value);
    return length > 0 && !memchr(json_string_value(value), '\0', length);
}

static const char *fault_of_rule(const json_t *value)
{
    return weir__rule_expected(json_string_value(value), json_string_length(value));
}

static const struct {
    const char *name;
    unsigned kinds; /* that it says anything of */
    bool (*fits)(const json_t *value);
    const char *expected;
    const char *(*fault)(const json_t *value); /* instead of both: what is expected depends on the value */
} formats[] = {
    [WEIR__FORMAT_NONE] = {"", 0, NULL, NULL, NULL},
    [WEIR__FORMAT_PORT] = {"weir-port", WEIR__KIND_STRING | WEIR__KIND_INTEGER | WEIR__KIND_REAL, is_port,
                           "a port from 0 to 65535", NULL},
    [WEIR__FORMAT_DURATION] = {"weir-duration", WEIR__KIND_STRING | WEIR__KIND_INTEGER | WEIR__KIND_REAL, is_duration,
                               "milliseconds, or a duration such as \"250ms\", \"10s\", \"5m\" or \"1h\"", NULL},
    [WEIR__FORMAT_SIZE] = {"weir-size", WEIR__KIND_STRING | WEIR__KIND_INTEGER | WEIR__KIND_REAL, is_size,
                           "bytes, or a size such as \"4kB\", \"64KiB\", \"16MiB\" or \"1GiB\"", NULL},
    [WEIR__FORMAT_PATH] = {"weir-path", WEIR__KIND_STRING, is_path, "a path, not empty and without a NUL", NULL},
    [WEIR__FORMAT_BLOCK_RULE] = {"weir-block-rule", WEIR__KIND_STRING, NULL, NULL, fault_of_rule},
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))

bool weir__format_find(const char *name, weir__format *format)
{
    for (size_t i = 1; i < FORMATS; i++)
        if (strcmp(formats[i].name, name) == 0) {
            *format = (weir__format)i;
            return true;
        }
    return false;
}

const char *weir__format_nearest(const char *name)
{
    const char *names[FORMATS];
    for (size_t i = 0; i < FORMATS; i++)
        names[i] = formats[i].name;
    return weir__nearest_name(name, names, FORMATS);
}

const char *weir__format_fault(weir__format format, const json_t *value)
{
    if (!(formats[format].kinds & weir__kind_of(value)))
        return NULL;
    if (formats[format].fault)
        return formats[format].fault(value);
    return formats[format].fits(value) ? NULL : formats[format].expected;
}
