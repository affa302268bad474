/* SPDX-License-Identifier: MIT */
/* Endpoints, service files, lists and shared stores while memory or the system fails. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <weir/net.h>
#include <weir/plugin.h>
#include <weir/service.h>
#include <weir/shared.h>

#include "core/shared.h"

#include "support/fixture.h"
#include "support/syscalls.h"

static int tear_down(void **state)
{
    allocator_fail(0, 0);
    syscalls_restore();
    return fixture_teardown(state);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, fixture_setup, tear_down)

extern const weir_plugin weir_plugin_tcp;

/* ---- forms ---- */

static int connect_port(fixture *f)
{
    weir_stream *stream = weir_stream_new(f->runtime, NULL);
    int status = weir_stream_connect_port(stream, 1, "127.0.0.1", NULL, NULL);
    assert_int_equal(weir_stream_pending(stream), 1);
    weir_stream_destroy(stream, NULL);
    weir_stream_release(stream);
    return status;
}

/* This program opens no plugins: it has libweir.a in it. */
static void CONN_08_a_form_without_its_transport(void **state)
{
    fixture *f = *state;
    assert_code(connect_port(f), WEIR_ENOPLUGIN);
}

static void connect_once(void *arg)
{
    int status = connect_port(arg);
    assert_code(status, syscalls_failures() > 0 ? UV_ENOMEM : 0);
    fixture_turns(arg, 3);
}

static void CONN_08_every_value_of_a_form_may_be_missing(void **state)
{
    static const char *const values[] = {"json_object", "json_integer", "json_string", "json_object_set_new"};
    fixture *f = *state;
    assert_code(weir_runtime_register_plugin(f->runtime, &weir_plugin_tcp, NULL), 0);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        assert_true(syscalls_fail_each(values[i], ENOMEM, connect_once, f) > 1);
    }
}

/* ---- URLs ---- */

static void parse_once(void *arg)
{
    fixture *f = arg;
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    int status = weir_endpoint_parse(f->runtime, "tcp://127.0.0.1:1?noDelay=perhaps&backlog=none", WEIR_CLIENT, NULL,
                                     &endpoint, &error);
    assert_code(status, syscalls_failures() > 0 ? UV_ENOMEM : WEIR_EINVALID_CONFIG);
    assert_code(error->code, status);
    assert_null(endpoint);
    weir_error_release(error);
}

static void an_option_that_is_refused_without_memory(void **state)
{
    fixture *f = *state;
    assert_code(weir_runtime_register_plugin(f->runtime, &weir_plugin_tcp, NULL), 0);
    assert_true(syscalls_fail_each("json_object_set_new", ENOMEM, parse_once, f) > 2);
}

/* ---- files ---- */

static const char *growing;

/* Longer than anything that is read, from one look to the next. */
static int grow(int fd)
{
    (void)fd;
    if (growing != NULL) {
        assert_int_equal(truncate(growing, 5 * 1024 * 1024), 0);
    }
    growing = NULL;
    return 0;
}

typedef struct faults {
    int count;
    char text[512];
} faults;

static void on_fault(const weir_fault *fault, void *arg)
{
    faults *seen = arg;
    seen->count++;
    snprintf(seen->text, sizeof(seen->text), "%s", fault->text);
}

static void a_file_that_grows_while_it_is_read(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "service.json");
    weir_service *service = NULL;
    faults seen = {0};
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs("{\"servers\": []}", file) >= 0);
    assert_int_equal(fclose(file), 0);
    growing = path;
    syscalls_fail(&(syscall_fault){.call = "read", .error = EIO, .concerns = grow});
    assert_code(weir_service_load(f->runtime, path, on_fault, &seen, &service), WEIR_EINVALID_CONFIG);
    assert_null(growing);
    assert_null(service);
    assert_int_equal(seen.count, 1);
    assert_non_null(strstr(seen.text, "larger than 4194304 bytes (4 MiB), the most that is read"));
}

/* ---- lists ---- */

static void BL_06_a_rule_for_which_there_is_no_memory_is_not_there(void **state)
{
    weir_blocklist *list = weir_blocklist_new();
    int status = UV_ENOMEM;
    (void)state;
    for (size_t nth = 1; status != 0; nth++) {
        allocator_fail(nth, 0);
        status = weir_blocklist_add_range(list, "2001:db8::1", "2001:db8::ffff", "ipv6");
        assert_code(status, allocator_failures() > 0 ? UV_ENOMEM : 0);
        allocator_fail(0, 0);
        assert_int_equal(weir_blocklist_rule_count(list), status == 0);
        assert_int_equal(weir_blocklist_check(list, "2001:db8::7", "ipv6"), status == 0);
    }
    weir_blocklist_release(list);
}

/* ---- what runtimes share ---- */

static void a_store_that_cannot_be_made_is_made_later(void **state)
{
    fixture *f = *state;
    uv_loop_t loop;
    assert_int_equal(uv_loop_init(&loop), 0);
    weir_runtime *other = weir_runtime_new(&loop);
    syscalls_fail(&(syscall_fault){.call = "uv_mutex_init", .error = UV_ENOMEM, .times = 2});
    assert_null(weir_runtime_shared(f->runtime));
    assert_code(weir__runtime_share(other, f->runtime), UV_ENOMEM);
    assert_int_equal(syscalls_failures(), 2);
    assert_code(weir__runtime_share(other, f->runtime), 0);
    assert_ptr_equal(weir_runtime_shared(other), weir_runtime_shared(f->runtime));
    assert_code(weir_runtime_free(other), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(CONN_08_a_form_without_its_transport),
        TEST(CONN_08_every_value_of_a_form_may_be_missing),
        TEST(an_option_that_is_refused_without_memory),
        TEST(a_file_that_grows_while_it_is_read),
        TEST(BL_06_a_rule_for_which_there_is_no_memory_is_not_there),
        TEST(a_store_that_cannot_be_made_is_made_later),
    };
    return cmocka_run_group_tests_name("option failures", tests, NULL, NULL);
}
