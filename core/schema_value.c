/* SPDX-License-Identifier: MIT */
/* JSON values as JSON Schema sees them: kinds, exact numbers, equality, repeated elements. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"
#include "schema_node.h"

/* ---- kinds ---- */

bool weir__is_whole(double value)
{
    /* A double this large has no bits left for a fraction. */
    if (value >= 9007199254740992.0 || value <= -9007199254740992.0)
        return true;
    double whole = (double)(int64_t)value;
    return value >= whole && value <= whole;
}

unsigned weir__kind_of(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_NULL:
        return WEIR__KIND_NULL;
    case JSON_TRUE:
    case JSON_FALSE:
        return WEIR__KIND_BOOLEAN;
    case JSON_INTEGER:
        return WEIR__KIND_INTEGER;
    case JSON_REAL:
        return weir__is_whole(json_real_value(value)) ? WEIR__KIND_INTEGER : WEIR__KIND_REAL;
    case JSON_STRING:
        return WEIR__KIND_STRING;
    case JSON_ARRAY:
        return WEIR__KIND_ARRAY;
    default:
        return WEIR__KIND_OBJECT;
    }
}

void weir__message_kinds(weir__message *message, unsigned kinds)
{
    static const struct {
        unsigned kinds;
        const char *text;
    } words[] = {
        {WEIR__KIND_STRING, "a string"},       {WEIR__KIND_INTEGER | WEIR__KIND_REAL, "a number"},
        {WEIR__KIND_INTEGER, "an integer"},    {WEIR__KIND_REAL, "a number with a fraction"},
        {WEIR__KIND_BOOLEAN, "true or false"}, {WEIR__KIND_NULL, "null"},
        {WEIR__KIND_ARRAY, "an array"},        {WEIR__KIND_OBJECT, "an object"},
    };
    bool first = true;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if ((kinds & words[i].kinds) != words[i].kinds)
            continue;
        kinds &= ~words[i].kinds;
        weir__message_add(message, "%s%s", first ? "" : kinds ? ", " : " or ", words[i].text);
        first = false;
    }
}

/* ---- numbers ---- */

static int compare_integer_with_real(json_int_t integer, double real)
{
    if (real >= 9223372036854775808.0)
        return -1;
    if (real < -9223372036854775808.0)
        return 1;
    /* The whole part fits, so it compares as an integer; only then does the fraction count. */
    json_int_t other = (json_int_t)real;
    double whole = (double)other;
    if (integer != other)
        return integer < other ? -1 : 1;
    return real > whole ? -1 : real < whole ? 1 : 0;
}

int weir__compare_numbers(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b)) {
        json_int_t x = json_integer_value(a), y = json_integer_value(b);
        return x < y ? -1 : x > y;
    }
    if (json_is_integer(a))
        return compare_integer_with_real(json_integer_value(a), json_real_value(b));
    if (json_is_integer(b))
        return -compare_integer_with_real(json_integer_value(b), json_real_value(a));
    double x = json_real_value(a), y = json_real_value(b);
    return x < y ? -1 : x > y;
}

void weir__real_text(double value, char text[40])
{
    char local[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(local, sizeof(local), "%.*g", digits, value);
        if (strtod(local, NULL) >= value && strtod(local, NULL) <= value)
            break;
    }
    /* The decimal point is the locale's, of one byte or several. */
    char *out = text;
    for (const char *in = local; *in; in++) {
        if ((*in >= '0' && *in <= '9') || *in == '-' || *in == '+' || *in == 'e')
            *out++ = *in;
        else if (out == text || out[-1] != '.')
            *out++ = '.';
    }
    *out = '\0';
}

/* A number as digits * 10^exponent; the sign does not matter to multiples. */
typedef struct {
    uint64_t digits;
    long exponent;
} decimal;

static decimal decimal_of(const json_t *number)
{
    decimal result = {0, 0};
    char text[40];
    if (json_is_integer(number)) {
        json_int_t value = json_integer_value(number);
        result.digits = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
        return result;
    }
    weir__real_text(json_real_value(number), text);
    bool fraction = false;
    for (const char *at = text; *at; at++) {
        if (*at == 'e') {
            result.exponent += strtol(at + 1, NULL, 10);
            break;
        }
        if (*at == '.') {
            fraction = true;
        } else if (*at >= '0' && *at <= '9') {
            result.digits = result.digits * 10 + (uint64_t)(*at - '0');
            result.exponent -= fraction;
        }
    }
    return result;
}

static uint64_t multiply_modulo(uint64_t a, uint64_t b, uint64_t modulus)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)((wide)a * b % modulus);
}

bool weir__is_multiple(const json_t *value, const json_t *divisor)
{
    decimal a = decimal_of(value), b = decimal_of(divisor);
    long scale = a.exponent - b.exponent;
    if (a.digits == 0)
        return true;
    if (b.digits == 0)
        return false; /* COVERAGE: a schema with such a divisor is refused */
    /* A value with decimals that the divisor does not have is none. */
    for (; scale < 0; scale++) {
        if (a.digits % 10 != 0)
            return false;
        a.digits /= 10;
    }
    uint64_t rest = a.digits % b.digits;
    for (; scale > 0 && rest != 0; scale--)
        rest = multiply_modulo(rest, 10, b.digits);
    return rest == 0;
}

size_t weir__code_points(const char *text, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/* ---- equality ---- */

static bool spend(size_t *steps, size_t cost)
{
    if (*steps < cost) {
        *steps = 0;
        return false;
    }
    *steps -= cost;
    return true;
}

static int compare_strings(const json_t *a, const json_t *b)
{
    size_t x = json_string_length(a), y = json_string_length(b);
    if (x != y)
        return x < y ? -1 : 1;
    return memcmp(json_string_value(a), json_string_value(b), x);
}

static bool equal_objects(const json_t *a, const json_t *b, size_t *steps)
{
    if (json_object_size(a) != json_object_size(b))
        return false;
    /* Jansson iterates only over what is not const, though it changes nothing. */
    json_t *object = (json_t *)(uintptr_t)a;
    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
        const json_t *other = json_object_get(b, json_object_iter_key(at));
        if (!other || !weir__json_equals(json_object_iter_value(at), other, steps))
            return false;
    }
    return true;
}

bool weir__json_equals(const json_t *a, const json_t *b, size_t *steps)
{
    if (!spend(steps, 1))
        return false;
    if (json_is_number(a) && json_is_number(b))
        return weir__compare_numbers(a, b) == 0;
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_string(a))
        return compare_strings(a, b) == 0;
    if (json_is_object(a))
        return equal_objects(a, b, steps);
    if (!json_is_array(a))
        return true;
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++)
        if (!weir__json_equals(json_array_get(a, i), json_array_get(b, i), steps))
            return false;
    return true;
}

/* ---- repeated elements ---- */

static uint64_t mix(uint64_t value)
{
    value ^= value >> 33;
    value *= 0xFF51AFD7ED558CCDULL;
    value ^= value >> 33;
    value *= 0xC4CEB9FE1A85EC53ULL;
    return value ^ value >> 33;
}

static uint64_t hash_bytes(const char *text, size_t length)
{
    uint64_t hash = 0xCBF29CE484222325ULL;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001B3ULL;
    return mix(hash + length);
}

static uint64_t hash_number(const json_t *number)
{
    double real = json_is_real(number) ? json_real_value(number) : 0.0;
    uint64_t bits;
    if (json_is_integer(number))
        return mix((uint64_t)json_integer_value(number) + 1);
    if (real >= -9223372036854775808.0 && real < 9223372036854775808.0 && weir__is_whole(real))
        return mix((uint64_t)(json_int_t)real + 1);
    memcpy(&bits, &real, sizeof(bits));
    return mix(bits + 2);
}

/* Equal values have equal hashes, whatever the order of their members. */
static uint64_t hash_value(const json_t *value, size_t *steps)
{
    uint64_t hash = 0;
    if (!spend(steps, 1))
        return 0;
    switch (json_typeof(value)) {
    case JSON_STRING:
        return hash_bytes(json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
    case JSON_REAL:
        return hash_number(value);
    case JSON_ARRAY:
        for (size_t i = 0; i < json_array_size(value); i++)
            hash = mix(hash * 31 + hash_value(json_array_get(value, i), steps) + 1);
        return mix(hash + 11);
    case JSON_OBJECT: {
        json_t *object = (json_t *)(uintptr_t)value;
        for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at)) {
            const char *key = json_object_iter_key(at);
            hash += mix(hash_bytes(key, strlen(key)) * 31 + hash_value(json_object_iter_value(at), steps));
        }
        return mix(hash + 13);
    }
    default:
        return mix((uint64_t)json_typeof(value) + 17);
    }
}

typedef struct {
    const json_t *value;
    size_t index;
    uint64_t hash; /* of arrays and objects; scalars have an order of their own */
} element;

static int rank(const json_t *value)
{
    return json_is_real(value) ? JSON_INTEGER : (int)json_typeof(value);
}

static int compare_elements(const element *x, const element *y)
{
    int kinds = rank(x->value) - rank(y->value);
    if (kinds != 0)
        return kinds;
    if (json_is_number(x->value))
        return weir__compare_numbers(x->value, y->value);
    if (json_is_string(x->value))
        return compare_strings(x->value, y->value);
    return x->hash < y->hash ? -1 : x->hash > y->hash;
}

static int by_value(const void *left, const void *right)
{
    const element *x = left, *y = right;
    int order = compare_elements(x, y);
    return order ? order : x->index < y->index ? -1 : 1;
}

/* In a run of elements of one hash, or equal scalars, the first of each value is the original of its repeats. */
static void find_in_run(const element *run, size_t count, size_t *steps,
                        void (*found)(void *arg, const json_t *value, size_t first, size_t again), void *arg)
{
    bool container = json_is_array(run->value) || json_is_object(run->value);
    for (size_t i = 1; i < count && *steps; i++) {
        size_t same = 0;
        while (container && same < i && !weir__json_equals(run[same].value, run[i].value, steps))
            same++;
        if (same < i)
            found(arg, run[i].value, run[same].index, run[i].index);
    }
}

int weir__find_repeated(const json_t *array, size_t *steps,
                        void (*found)(void *arg, const json_t *value, size_t first, size_t again), void *arg)
{
    size_t count = json_array_size(array);
    if (count < 2)
        return 0;
    element *elements = weir__calloc(count, sizeof(*elements));
    if (!elements)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        elements[i] = (element){.value = json_array_get(array, i), .index = i};
        if (json_is_array(elements[i].value) || json_is_object(elements[i].value))
            elements[i].hash = hash_value(elements[i].value, steps);
    }
    qsort(elements, count, sizeof(*elements), by_value);
    for (size_t first = 0, end; first < count && *steps; first = end) {
        for (end = first + 1; end < count && compare_elements(&elements[first], &elements[end]) == 0;)
            end++;
        find_in_run(elements + first, end - first, steps, found, arg);
    }
    weir__free(elements);
    return 0;
}

/* ---- wording ---- */

void weir__message_value(weir__message *message, const json_t *value)
{
    char text[40];
    switch (json_typeof(value)) {
    case JSON_STRING:
        weir__message_quote(message, json_string_value(value), json_string_length(value));
        return;
    case JSON_INTEGER:
        weir__message_add(message, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        return;
    case JSON_REAL:
        weir__real_text(json_real_value(value), text);
        weir__message_add(message, "%s", text);
        return;
    case JSON_TRUE:
    case JSON_FALSE:
        weir__message_add(message, json_is_true(value) ? "true" : "false");
        return;
    case JSON_NULL:
        weir__message_add(message, "null");
        return;
    default:
        weir__message_add(message, json_is_array(value) ? "an array" : "an object");
    }
}
