/* SPDX-License-Identifier: MIT */
/* What the tests of the schema engine share: schemas and values from text, faults as text. */
#ifndef WEIR_TEST_SCHEMA_SUPPORT_H
#define WEIR_TEST_SCHEMA_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "memory.h"
#include "schema.h"

static inline weir__schema *compile(const char *text)
{
    weir__faults faults = {0};
    weir__schema *schema = weir__schema_parse(text, strlen(text), "s", &faults);
    if (!schema)
        fail_msg("%s: %s", text, weir__faults_text(&faults));
    assert_false(weir__faults_any(&faults));
    return schema;
}

static inline json_t *value(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    if (!json)
        fail_msg("%s: %s", text, error.text);
    return json;
}

typedef struct {
    char text[8192];
    size_t length, count;
} collected;

static inline int collect(const weir__schema_fault *fault, void *arg)
{
    collected *to = arg;
    size_t room = sizeof(to->text) - to->length;
    int length = snprintf(to->text + to->length, room, "%s%s: %s\n", fault->on_name ? "name " : "", fault->pointer,
                          fault->message);
    assert_true(length > 0);
    if ((size_t)length < room)
        to->length += (size_t)length;
    to->count++;
    return 0;
}

static inline void assert_check(const char *schema_text, const char *instance_text, const char *expected)
{
    collected found = {.length = 0};
    weir__schema *schema = compile(schema_text);
    json_t *instance = value(instance_text);
    int count = weir__schema_check(schema, instance, collect, &found);
    if (strcmp(found.text, expected) != 0)
        fail_msg("%s on %s\nexpected:\n%sfound:\n%s", schema_text, instance_text, expected, found.text);
    assert_int_equal(count, found.count);
    assert_int_equal(weir__schema_check(schema, instance, NULL, NULL) > 0, count > 0);
    json_decref(instance);
    weir__schema_free(schema);
}

typedef struct {
    const char *schema, *instance, *expected;
} check_case;

static inline void assert_checks(const check_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_check(cases[i].schema, cases[i].instance, cases[i].expected);
}

#define COUNT(array)         (sizeof(array) / sizeof((array)[0]))
#define ASSERT_CHECKS(cases) assert_checks(cases, COUNT(cases))

#endif
