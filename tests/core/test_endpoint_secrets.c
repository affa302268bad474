/* SPDX-License-Identifier: MIT */
/* Secrets in endpoints: from where they come, what is wrong with some, and that nothing tells them. */
#include "endpoint_world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/syscalls.h"

static void secrets_come_from_text_file_and_environment(void **state)
{
    const world *w = *state;
    static const example examples[] = {
        {"{\"file\": {\"path\": \"a\"}, \"layers\": [{\"wrap\": {\"phrase\": \"hunter2\"}}]}",
         "wrap+file:a file={\"path\":\"a\"} wrap={\"phrase\":\"hunter2\"}"},
        {"{\"file\": {\"path\": \"a\"}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"secret\"}}}]}",
         "wrap+file:a file={\"path\":\"a\"} wrap={\"phrase\":\"from file\"}"},
        {"{\"file\": {\"path\": \"a\"}, \"layers\": [{\"wrap\": {\"phrase\": {\"env\": \"WEIR_TEST_SECRET\"}}}]}",
         "wrap+file:a file={\"path\":\"a\"} wrap={\"phrase\":\"from env\"}"},
        {"{\"file\": {\"path\": \"a\"}, \"layers\": [{\"wrap\": {\"keys\": [{\"id\": \"1\", \"key\": {\"file\": "
         "\"./secret\"}}, {\"key\": {\"env\": \"WEIR_TEST_SECRET\"}}]}}]}",
         "wrap+file:a file={\"path\":\"a\"} wrap={\"keys\":[{\"id\":\"1\",\"key\":\"from file\"},"
         "{\"key\":\"from env\"}]}"},
    };
    write_secret(w, "from file\r\n", 11);
    setenv("WEIR_TEST_SECRET", "from env", 1);
    CHECK(w, examples);
    unsetenv("WEIR_TEST_SECRET");
    /* Only the end of its last line is taken off. */
    char line[1024];
    write_secret(w, " a \n\n", 5);
    describe_in(w, "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"secret\"}}}]}", WEIR_CLIENT, line,
                sizeof(line));
    assert_string_equal(line, "wrap+bare: bare={} wrap={\"phrase\":\" a \\n\"}");
}

static void secret_by_absolute_path(void **state)
{
    const world *w = *state;
    char text[512], line[1024];
    write_secret(w, "x", 1);
    snprintf(text, sizeof(text), "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"%s/secret\"}}}]}",
             w->folder);
    describe_in(w, text, WEIR_CLIENT, line, sizeof(line));
    assert_string_equal(line, "wrap+bare: bare={} wrap={\"phrase\":\"x\"}");
}

static void secret_that_cannot_be_had_is_a_fault(void **state)
{
    static const example examples[] = {
        {"{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"nowhere\"}, \"x\": 1}}]}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:45: /layers/0/wrap/phrase: the secret's file \"nowhere\" "
         "does "
         "not exist; endpoint:1:66: /layers/0/wrap/x: unknown member \"x\"; known are \"timeout\", "
         "\"noDelay\", \"mood\", \"phrase\", \"words\", \"keys\""},
        {"{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \".\"}}}]}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:45: /layers/0/wrap/phrase: the secret's file \".\" is not a "
         "regular file"},
        {"{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"env\": \"WEIR_TEST_UNSET\"}}}]}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:45: /layers/0/wrap/phrase: the secret's environment "
         "variable "
         "\"WEIR_TEST_UNSET\" is not set"},
        {"{\"bare\": {}, \"layers\": [{\"wrap\": {\"mood\": {\"env\": \"HOME\"}}}]}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:43: /layers/0/wrap/mood: expected a string, found an "
         "object"},
        {"{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"fil\": \"x\"}}}]}",
         "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:45: /layers/0/wrap/phrase: expected a string, found an "
         "object"},
    };
    CHECK(*state, examples);
    const world *w = *state;
    static const struct {
        const char *text;
        size_t length;
        const char *why;
    } contents[] = {
        {"", 0, "is empty"}, {"\n", 1, "is empty"}, {"a\0b", 3, "holds a NUL"}, {"\xFF", 1, "is not UTF-8"}};
    char line[1024], expected[1024];
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        write_secret(w, contents[i].text, contents[i].length);
        describe_in(w, "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"secret\"}}}]}", WEIR_CLIENT,
                    line, sizeof(line));
        snprintf(expected, sizeof(expected),
                 "ERR_INVALID_CONFIG: invalid endpoint: endpoint:1:45: /layers/0/wrap/phrase: the secret's file "
                 "\"secret\" %s",
                 contents[i].why);
        assert_string_equal(line, expected);
    }
    char *large = calloc(1, 65538);
    assert_non_null(large);
    memset(large, 'x', 65537);
    write_secret(w, large, 65537);
    free(large);
    describe_in(w, "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"secret\"}}}]}", WEIR_CLIENT, line,
                sizeof(line));
    assert_non_null(strstr(line, "is larger than 64 KiB"));
}

/* Who takes "file" and "env" for what the secret itself goes into does not find it in a log. */
static void secret_in_the_place_of_its_name_is_not_shown(void **state)
{
    static const char *const kinds[] = {"file", "env"};
    static const char *const secrets[] = {
        "-----BEGIN EC PRIVATE KEY-----\\nhunter2\\n",
        "hunter2\\nhunter2",
        "deadbeefDEADBEEF0123456789abcdef",
        "MHcCAQEEIOG7cQmbc2Vhunter2VyZXRzZWNyZXRzZWNyZXQoAoGCCqGSM49",
    };
    char text[400], line[1024];
    for (size_t i = 0; i < 8; i++) {
        snprintf(text, sizeof(text), "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"%s\": \"%s\"}}}]}",
                 kinds[i % 2], secrets[i / 2]);
        describe_in(*state, text, WEIR_CLIENT, line, sizeof(line));
        assert_non_null(strstr(line, "/layers/0/wrap/phrase: the secret's "));
        assert_non_null(strstr(line, "; its name is not shown, it could be the secret itself"));
        assert_null(strstr(line, "hunter2"));
        assert_null(strstr(line, "deadbeef"));
    }
    static const char *const variables[] = {"hunter2", "DEADBEEFDEADBEEF0123456789ABCDEF"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(text, sizeof(text), "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"env\": \"%s\"}}}]}",
                 variables[i]);
        describe_in(*state, text, WEIR_CLIENT, line, sizeof(line));
        assert_non_null(strstr(line, "the secret's environment variable is not set; its name is not shown"));
        assert_null(strstr(line, variables[i]));
    }
}

static void secret_never_stands_in_a_url_or_a_fault(void **state)
{
    const world *w = *state;
    static const char *const texts[] = {
        "wrap+bare:?phrase=hunter2",
        "wrap+bare:?wrap.phrase=hunter2",
        "wrap+bare:?phrasee=hunter2",
        "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": \"hunter2 hunter2 hunter2\"}}]}",
        "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": [\"hunter2\"]}}]}",
        "{\"bare\": {}, \"layers\": [{\"wrap\": {\"keys\": [{\"key\": {\"x\": \"hunter2\"}}]}}]}",
        "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": {\"file\": \"secret\"}}}]}",
    };
    char line[4096];
    write_secret(w, "hunter2 hunter2 hunter2", 23);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        describe_in(w, texts[i], WEIR_CLIENT, line, sizeof(line));
        assert_memory_equal(line, "ERR_INVALID_CONFIG: ", 20);
        if (strstr(line, "hunter2"))
            fail_msg("%s\n  gives: %s", texts[i], line);
    }
    describe_in(w, texts[0], WEIR_CLIENT, line, sizeof(line));
    assert_string_equal(line,
                        "ERR_INVALID_CONFIG: invalid endpoint: wrap+bare:: the option \"phrase\" is a secret, and "
                        "those may not stand in a URL; write the endpoint as a JSON object, with \"phrase\": "
                        "{\"file\": ...} or {\"env\": ...}");
    describe_in(w, "wrap+bare:?mood=-----BEGIN%20X-----%0Ay%0A-----BEGIN%20EC%20PRIVATE%20KEY-----%0Ahunter2",
                WEIR_CLIENT, line, sizeof(line));
    assert_string_equal(line,
                        "ERR_INVALID_CONFIG: invalid endpoint: wrap+bare:: the option \"mood\" holds a private key, "
                        "and no secret may stand in a URL: give the name of its file there, or write the endpoint as a "
                        "JSON object");
    describe_in(w, "wrap+bare:?mood=-----BEGIN%20PUBLIC%20KEY-----%0AKEY", WEIR_CLIENT, line, sizeof(line));
    assert_null(strstr(line, "private key"));
    /* Nor does an endpoint that holds one print it. */
    weir_endpoint *endpoint = NULL;
    assert_int_equal(weir_endpoint_parse(w->runtime,
                                         "{\"bare\": {}, \"layers\": [{\"wrap\": {\"phrase\": \"hunter2\"}}]}",
                                         WEIR_CLIENT, NULL, &endpoint, NULL),
                     0);
    weir_endpoint_format(endpoint, line, sizeof(line));
    assert_string_equal(line, "wrap+bare:");
    weir_endpoint_release(endpoint);
}

static void assert_secret_fault(const world *w, const char *phrase, const char *expected)
{
    char text[200];
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    snprintf(text, sizeof(text), "{\"net\": {\"port\": 1}, \"layers\": [{\"wrap\": {\"phrase\": %s}}]}", phrase);
    int status = weir_endpoint_parse(w->runtime, text, WEIR_CLIENT, w->folder, &endpoint, &error);
    syscalls_restore();
    assert_int_equal(status, expected ? WEIR_EINVALID_CONFIG : 0);
    if (expected && !strstr(error->message, expected))
        fail_msg("%s", error->message);
    weir_error_release(error);
    weir_endpoint_release(endpoint);
}

static void secret_file_that_the_system_does_not_give(void **state)
{
    const world *w = *state;
    write_secret(w, "s", 1);
    syscalls_fail(&(syscall_fault){.call = "open", .error = EMFILE, .path = "secret"});
    assert_secret_fault(w, "{\"file\": \"secret\"}", "cannot be opened");
    syscalls_fail(&(syscall_fault){.call = "open", .error = EACCES, .path = "secret"});
    assert_secret_fault(w, "{\"file\": \"secret\"}", "may not be read: permission denied (EACCES)");
    syscalls_fail_next("fstat", EIO);
    assert_secret_fault(w, "{\"file\": \"secret\"}", "is not a regular file");
    syscalls_fail_next("read", EIO);
    assert_secret_fault(w, "{\"file\": \"secret\"}", "cannot be read");
    syscalls_fail(&(syscall_fault){.call = "read", .error = EINTR, .times = 2});
    assert_secret_fault(w, "{\"file\": \"secret\"}", NULL);
    setenv("WEIR_TEST_PHRASE", "a\xff", 1);
    assert_secret_fault(w, "{\"env\": \"WEIR_TEST_PHRASE\"}", "is not UTF-8");
    unsetenv("WEIR_TEST_PHRASE");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(secrets_come_from_text_file_and_environment), TEST(secret_by_absolute_path),
        TEST(secret_that_cannot_be_had_is_a_fault),        TEST(secret_never_stands_in_a_url_or_a_fault),
        TEST(secret_file_that_the_system_does_not_give),   TEST(secret_in_the_place_of_its_name_is_not_shown),
    };
    return cmocka_run_group_tests_name("endpoint_secrets", tests, NULL, NULL);
}
