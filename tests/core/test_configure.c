/* SPDX-License-Identifier: MIT */
/* What plugins call from inside a configure, and what the core asks of tables that are linked into it. */
#define _GNU_SOURCE

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <uv.h>

#include "allocator.h"
#include "configure_private.h"
#include "plugin_check.h"
#include "plugin_registry.h"

/* ---- faults and paths ---- */

static weir__configure of(weir__faults *faults, const weir__document *document, const char *pointer)
{
    weir__configure whole = {.document = document, .pointer = pointer, .faults = faults};
    whole.public.size = sizeof(weir_configure);
    whole.public.folder = "/etc/acme";
    return whole;
}

static void assert_text(weir__faults *faults, const char *expected)
{
    char *text = weir__faults_text(faults);
    assert_non_null(text);
    assert_string_equal(text, expected);
    weir_free(text);
    weir__faults_free(faults);
}

static void a_fault_stands_where_the_option_stands(void **state)
{
    static const char text[] = "{\n  \"to\": {\"echo\": {\"a\": 1,\n    \"b\": [2, 3]}}\n}";
    weir__faults faults = {0};
    (void)state;
    weir__document *document = weir__document_parse("x.json", text, strlen(text), &faults);
    assert_non_null(document);
    weir__configure whole = of(&faults, document, "/to/echo");
    weir_configure_fault(&whole.public, "/b/1", "%d is more than %d", 3, 2);
    weir_configure_fault(&whole.public, "a", "no file\n%s", "here");
    weir_configure_fault(&whole.public, "", "makes no sense");
    weir_configure_fault(&whole.public, NULL, "makes less sense");
    assert_text(&faults, "x.json:2:18: /to/echo: makes no sense\n"
                         "x.json:2:18: /to/echo: makes less sense\n"
                         "x.json:2:24: /to/echo/a: no file\\nhere\n"
                         "x.json:3:14: /to/echo/b/1: 3 is more than 2\n");
    weir__document_free(document);
}

static void a_fault_without_a_document_has_its_label(void **state)
{
    weir__faults faults = {0};
    (void)state;
    weir__configure whole = of(&faults, NULL, "/tls");
    whole.label = "tls+tcp://localhost:443";
    weir_configure_fault(&whole.public, "/cert", "no such file");
    assert_text(&faults, "tls+tcp://localhost:443: /tls/cert: no such file\n");
    whole.label = NULL;
    weir_configure_fault(&whole.public, "/cert", "no such file");
    assert_text(&faults, "/tls/cert: no such file\n");
}

static void keep_line(weir_log_level level, const char *message, void *arg)
{
    assert_int_equal(level, WEIR_LOG_WARN);
    snprintf(arg, 256, "%s", message);
}

static void a_warning_is_no_fault(void **state)
{
    uv_loop_t loop;
    char line[256] = "";
    weir__faults faults = {0}, warnings = {0};
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    weir_runtime *runtime = weir_runtime_new(&loop);
    weir_runtime_on_log(runtime, keep_line, line);
    weir__configure whole = of(&faults, NULL, "/tls");
    whole.public.runtime = runtime;
    weir_configure_warning(&whole.public, "/cert", "it ends in %d days", 3);
    assert_string_equal(line, "/tls/cert: it ends in 3 days");
    whole.warnings = &warnings;
    line[0] = '\0';
    weir_configure_warning(&whole.public, "/cert", "it ends in %d days", 2);
    assert_string_equal(line, "");
    assert_false(weir__faults_any(&faults));
    assert_text(&warnings, "/tls/cert: it ends in 2 days\n");
    assert_int_equal(weir_runtime_free(runtime), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void fault_without_memory(void *arg)
{
    weir__faults faults = {0};
    size_t before = allocator_failures();
    (void)arg;
    weir__configure whole = of(&faults, NULL, "/tls");
    weir_configure_fault(&whole.public, "/cert", "no such file");
    assert_true(weir__faults_any(&faults)); /* never nothing: a configuration must not pass for want of memory */
    assert_int_equal(faults.out_of_memory, allocator_failures() > before);
    weir__faults_free(&faults);
}

static void a_fault_is_never_lost_for_want_of_memory(void **state)
{
    (void)state;
    assert_true(allocator_fail_each(fault_without_memory, NULL) > 3);
}

static void paths_are_relative_to_the_configuration(void **state)
{
    char here[PATH_MAX - 64], expected[PATH_MAX];
    static const struct {
        const char *folder, *path, *expected; /* behind the working folder, unless it begins with a slash */
    } cases[] = {{"/etc/acme", "/a/b", "/a/b"},           {"/etc/acme", "a/b", "/etc/acme/a/b"},
                 {"/etc/acme/", "a", "/etc/acme/a"},      {"/", "a", "/a"},
                 {"examples", "a.pem", "examples/a.pem"}, {"", "a.pem", "a.pem"}};
    (void)state;
    assert_non_null(getcwd(here, sizeof(here)));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        weir__configure whole = of(NULL, NULL, "");
        whole.public.folder = cases[i].folder;
        bool absolute = cases[i].expected[0] == '/';
        snprintf(expected, sizeof(expected), "%s%s%s", absolute ? "" : here, absolute ? "" : "/", cases[i].expected);
        char *path = weir_configure_path(&whole.public, cases[i].path);
        assert_string_equal(path, expected);
        weir_free(path);
    }
}

/* What could be the secret itself stands in no message; what can only be a name is told. */
static void TLS_14_what_could_be_a_secret_is_not_shown(void **state)
{
    static const struct {
        const char *text;
        const char *shown; /* as the name of a key's file 'k', another secret's 's', a variable 'v' */
    } cases[] = {
        {"server.key", "ks"},
        {"hunter2", "ks"},
        {"WEIR_KEY", "ksv"},
        {"/etc/letsencrypt/live/example/private-key-of-the-server", "ks"},
        {"/nix/store/zq3vhjyWd0q2r5cPbm1xkgl4z8s7a9n6-certificates-2024/server.key", "ks"},
        {"0123456789abcdef0123456789abcde", "ks"},         /* 31 digits */
        {"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0", "ks"}, /* 39 letters */
        {"correct horse battery", "k"},
        {"correct\thorse", "k"},
        {"one\ntwo", ""},
        {"one\rtwo", ""},
        {"-----BEGIN RSA", ""},
        {"BEGIN EC PRIVATE KEY", ""},
        {"0123456789abcdef0123456789ABCDEF", ""},
        {"0123456789ABCDEF0123456789ABCDEF", ""},
        {"01:23:45:67:89:ab:cd:ef:01:23:45:67:89:ab:cd:ef", ""},
        {"0x0123456789abcdef0123456789abcdef", ""},
        {"01-23-45-67-89-ab-cd-ef-01-23-45-67-89-ab-cd-ef", ""},
        {"01.23.45.67.89.ab.cd.ef.01.23.45.67.89.ab.cd.ef", ""},
        {"01_23_45_67_89_AB_CD_EF_01_23_45_67_89_AB_CD_EF", ""},
        {"01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef", ""},
        {"0x01,0x23,0x45,0x67,0x89,0xab,0xcd,0xef,0X01, 0X23, 0X45, 0X67, 0X89, 0XAB, 0XCD, 0XEF", ""},
        {"\\x01\\x23\\x45\\x67\\x89\\xab\\xcd\\xef\\x01\\x23\\x45\\x67\\x89\\xab\\xcd\\xef", ""},
        {"0x01,0x23,0x45,0x67,0x89,0xab,0xcd,0xef", "ks"}, /* 16 digits */
        {"01-23-45-67-89-ab-cd-ef-01-23-45-67-89-ab-cd-ef.pem", "ks"},
        {"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0w", ""},
        {"MIGHAgEAMBMGByqGSM49 AgEGCCqGSM49AwEHBG0w", ""},
        {"MIGHAgEAMBMGByqGSM49\\nAgEGCCqGSM49AwEHBG0w", ""},
        {"\"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0w\",", ""},
        {"MIGHAgEAMBMGByqGSM49-gEGCC_GSM49AwEHBG0w", ""},
        {"/IGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0w", ""},
        {"//IGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0", ""},
        {"MIGHAgEAMBMGByqGSM49/gEGCCqGSM49AwEHBG0w", ""},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa=", ""},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", ""}, /* 40 letters of one kind, of two */
        {"MHcCAQEEIOGzcQmbcxVccxVjcmVzcxVjcmVzcxVj", ""},
        {"mhc7aqeeiogzcqmbcxvccxvjcmvzcxvjcmvzcxvj", ""},
        {"a-private-key-of-the-server-of-the-company", ""},
        {"a-private-key-of-the-server-of-the-company.pem", "ks"},
        {"/srv/certificates/of/the/company/private", "ks"},
        {"THE_PRIVATE_KEY_OF_THE_SERVER_OF_THE_COMPANY", "v"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa/aaa", "ks"},
        /* in a folder that there is, or there itself */
        {"tests/IGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0w", "ks"},
        {"tests/core/0123456789abcdef0123456789abcdef", "ks"},
        {"tests/correct horse", "ks"},
        {WEIR_TEST_SOURCE "/correct horse", "ks"},
        {"tests/CMakeLists/0123456789abcdef0123456789abcdef", ""},
    };
    static const weir_named kinds[] = {WEIR_NAMED_KEY, WEIR_NAMED_SECRET, WEIR_NAMED_VARIABLE};
    (void)state;
    weir__configure whole = of(NULL, NULL, "");
    whole.public.folder = WEIR_TEST_SOURCE;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t kind = 0; kind < 3; kind++) {
            int shown = weir_configure_may_show(&whole.public, kinds[kind], cases[i].text);
            if (shown != (strchr(cases[i].shown, "ksv"[kind]) != NULL))
                fail_msg("'%s' as %c: %d", cases[i].text, "ksv"[kind], shown);
        }
    }
    assert_int_equal(setenv("weir_test_odd", "", 1), 0);
    assert_int_equal(weir_configure_may_show(&whole.public, WEIR_NAMED_VARIABLE, "weir_test_odd"), 1);
    assert_int_equal(unsetenv("weir_test_odd"), 0);
    assert_int_equal(weir_configure_may_show(&whole.public, WEIR_NAMED_VARIABLE, "weir_test_odd"), 0);
}

static void show_without_memory(void *arg)
{
    size_t before = allocator_failures();
    int shown = weir_configure_may_show(arg, WEIR_NAMED_SECRET, "tests/correct horse");
    assert_int_equal(shown, allocator_failures() == before);
}

/* Where it cannot be looked, it is not shown. */
static void TLS_14_nothing_is_shown_for_want_of_memory(void **state)
{
    (void)state;
    weir__configure whole = of(NULL, NULL, "");
    whole.public.folder = WEIR_TEST_SOURCE;
    assert_int_equal(allocator_fail_each(show_without_memory, &whole.public), 2);
}

/* ---- tables ---- */

static void nothing(weir_link *link)
{
    (void)link;
}
static int shut(weir_link *link)
{
    (void)link;
    return 0;
}
static int write_all(weir_link *link, const struct iovec *bufs, size_t count)
{
    (void)link;
    (void)bufs;
    return count > 0 ? 0 : UV_EINVAL;
}
static void close_now(weir_link *link, weir_close_mode mode)
{
    (void)link;
    (void)mode;
}

static void a_transports_link_has_all_its_operations(void **state)
{
    static const weir_link_ops whole = {.size = sizeof(weir_link_ops),
                                        .name = "x",
                                        .open = nothing,
                                        .read_start = nothing,
                                        .read_stop = nothing,
                                        .write = write_all,
                                        .shutdown = shut,
                                        .close = close_now,
                                        .free = nothing};
    weir_link_ops ops = whole;
    (void)state;
    assert_null(weir__link_ops_missing(&ops, true));
    ops.read_stop = NULL;
    assert_string_equal(weir__link_ops_missing(&ops, true), "read_stop");
    assert_null(weir__link_ops_missing(&ops, false)); /* a layer passes it through */
    ops = whole;
    ops.free = NULL;
    assert_string_equal(weir__link_ops_missing(&ops, true), "free");
    ops.size--;
    assert_string_equal(weir__link_ops_missing(&ops, false), "size");
    ops = whole;
    ops.name = NULL;
    assert_string_equal(weir__link_ops_missing(&ops, false), "name");
}

static void names_are_those_of_url_schemes(void **state)
{
    static const char *const good[] = {"a", "tcp", "proxy-protocol", "h2", "a-"};
    static const char *const bad[] = {"", "2h", "-a", "Tcp", "a_b", "a.b", "a/b", "\xc3\xa4"};
    char longest[67];
    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(weir__plugin_name_valid(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(weir__plugin_name_valid(bad[i]));
    memset(longest, 'a', sizeof(longest));
    longest[64] = '\0';
    assert_true(weir__plugin_name_valid(longest));
    longest[64] = 'a';
    longest[65] = '\0';
    assert_false(weir__plugin_name_valid(longest));
}

/* ---- a program with libweir.a, as this one ---- */

static int count_init(weir_runtime *runtime, void **instance, weir_error **error)
{
    (void)error;
    *instance = NULL;
    ++*(int *)weir_runtime_data(runtime);
    return 0;
}

static void a_runtime_inherits_folders_and_plugins(void **state)
{
    static const weir_plugin linked = {WEIR_PLUGIN_HEADER,      .name = "linked", .version = "1",
                                       .description = "a test", .schema = "{}",   .init = count_init};
    uv_loop_t loop;
    int inits[2] = {0, 0};
    const weir_plugin *found = NULL;
    weir_error *error = NULL;
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    weir_runtime *first = weir_runtime_new(&loop), *second = weir_runtime_new(&loop);
    weir_runtime_set_data(first, &inits[0]);
    weir_runtime_set_data(second, &inits[1]);
    assert_int_equal(weir_runtime_add_plugin_path(first, "/opt/acme"), 0);
    assert_int_equal(weir_runtime_register_plugin(first, &linked, NULL), 0);
    assert_int_equal(weir__registry_inherit(second, first, &error), 0);
    assert_null(error);
    assert_int_equal(inits[1], 1);
    assert_int_equal(weir_runtime_load_plugin(second, "linked", &found, NULL), 0);
    assert_ptr_equal(found, &linked);
    assert_int_equal(weir__registry_inherit(second, first, NULL), 0); /* what is there stays as it is */
    assert_int_equal(inits[0] + inits[1], 2);
    assert_int_equal(weir_runtime_free(first), 0);
    assert_int_equal(weir_runtime_free(second), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void a_program_with_the_static_library_opens_no_plugins(void **state)
{
    uv_loop_t loop;
    weir_error *error = NULL;
    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    weir_runtime *runtime = weir_runtime_new(&loop);
    assert_int_equal(weir_runtime_load_plugin(runtime, "/x/tcp.so", NULL, &error), WEIR_EPLUGIN);
    assert_string_equal(error->message, "/x/tcp.so: this program has weir linked into it (libweir.a) and opens no "
                                        "plugins: link the plugin too, and register it");
    weir_error_release(error);
    assert_int_equal(weir_runtime_load_plugin(runtime, "tcp", NULL, &error), WEIR_ENOPLUGIN);
    assert_string_equal(error->message,
                        "tcp: there is no such plugin; this program has weir linked into it (libweir.a) "
                        "and opens no plugins: link the plugin too, and register it");
    weir_error_release(error);
    assert_int_equal(weir_runtime_free(runtime), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fault_stands_where_the_option_stands),
        cmocka_unit_test(a_fault_without_a_document_has_its_label),
        cmocka_unit_test(a_warning_is_no_fault),
        cmocka_unit_test(a_fault_is_never_lost_for_want_of_memory),
        cmocka_unit_test(paths_are_relative_to_the_configuration),
        cmocka_unit_test(TLS_14_what_could_be_a_secret_is_not_shown),
        cmocka_unit_test(TLS_14_nothing_is_shown_for_want_of_memory),
        cmocka_unit_test(a_transports_link_has_all_its_operations),
        cmocka_unit_test(names_are_those_of_url_schemes),
        cmocka_unit_test(a_runtime_inherits_folders_and_plugins),
        cmocka_unit_test(a_program_with_the_static_library_opens_no_plugins),
    };
    return cmocka_run_group_tests_name("configure", tests, NULL, NULL);
}
