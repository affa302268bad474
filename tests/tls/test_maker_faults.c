/* SPDX-License-Identifier: MIT */
/* The maker of certificates where the system does not do what it is asked: told, and no half files are left. */
#define _GNU_SOURCE

#include "engine_world.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "syscalls.h"

#include "plugins/tls/mbedtls/mbed.h"

/* What the host is called; NULL: nobody knows. */
static const char *host_name = "here";

int call_gethostname(char *name, size_t size) __asm__("gethostname");
WEIR_EXPORT int call_gethostname(char *name, size_t size)
{
    if (!host_name) {
        errno = ENOSYS;
        return -1;
    }
    snprintf(name, size, "%s", host_name);
    return 0;
}

static int no_entropy;

int call_getentropy(void *data, size_t size) __asm__("getentropy");
WEIR_EXPORT int call_getentropy(void *data, size_t size)
{
    if (!no_entropy)
        return getrandom(data, size, 0) == (ssize_t)size ? 0 : -1;
    errno = EIO;
    return -1;
}

static int make_in(const char *folder, weir_error **error)
{
    static const char *const hosts[] = {"a"};
    const weir_tls_cert_options options = {.size = sizeof(options), .folder = folder, .hosts = hosts, .host_count = 1};
    return weir__mbed_cert.make(&options, error);
}

/* Refused with this code and this text; nothing stands beside the files. */
static void refuses(world *w, const char *folder, int code, const char *what, const char *file)
{
    weir_error *error = NULL;
    struct dirent *each;
    assert_code(make_in(folder, &error), code);
    assert_non_null(error);
    assert_code(error->code, code);
    const char *wanted =
        fixture_text(w->f, "%s %s/%s: %s (%s)", what, folder, file, weir_error_text(code), weir_error_name(code));
    if (strcmp(error->message, wanted) != 0)
        fail_msg("%s", error->message);
    weir_error_release(error);
    DIR *list = opendir(folder);
    assert_non_null(list);
    while ((each = readdir(list)))
        assert_null(strchr(each->d_name, '~'));
    closedir(list);
}

static void good(const char *folder)
{
    weir_error *error = NULL;
    if (make_in(folder, &error) != 0)
        fail_msg("%s", error->message);
}

static void files_that_cannot_be_written(void **state)
{
    static const struct {
        const char *call;
        int error;
    } faults[] = {{"write", ENOSPC}, {"close", EIO}};
    world *w = world_of(*state);
    const char *folder = fixture_path(w->f, "certs");
    assert_int_equal(mkdir(folder, 0700), 0);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        syscalls_fail_next(faults[i].call, faults[i].error);
        refuses(w, folder, -faults[i].error, "cannot write", "ca.key");
        assert_int_equal(syscalls_failures(), 1);
        syscalls_restore();
    }
    /* A write that is interrupted or short goes on. */
    syscalls_fail_next("write", EINTR);
    syscalls_fail(&(syscall_fault){.call = "write", .at_most = 7, .times = 5});
    good(folder);
    assert_int_equal(syscalls_failures(), 6);
    syscalls_restore();
    good(folder);
}

/* What stands in the way of a file is not taken away. */
static void files_whose_place_is_taken(void **state)
{
    world *w = world_of(*state);
    const char *folder = fixture_path(w->f, "certs");
    good(folder);
    assert_int_equal(remove(fixture_path(w->f, "certs/server.key")), 0);
    assert_int_equal(mkdir(fixture_path(w->f, "certs/server.key"), 0700), 0);
    const char *before = world_read(w, "certs/server.pem", NULL);
    refuses(w, folder, UV_EISDIR, "cannot write", "server.key");
    assert_string_equal(world_read(w, "certs/server.pem", NULL), before);
    assert_int_equal(rmdir(fixture_path(w->f, "certs/server.key")), 0);
    good(folder);
}

static void an_authority_that_cannot_be_read(void **state)
{
    enum { LARGE = 70000 };
    world *w = world_of(*state);
    const char *folder = fixture_path(w->f, "certs");
    good(folder);
    syscalls_fail_next("read", EIO);
    refuses(w, folder, UV_EIO, "cannot read the authority's certificate", "ca.pem");
    syscalls_restore();
    syscalls_fail(&(syscall_fault){.call = "open", .error = EACCES, .path = "ca.key", .times = 1});
    refuses(w, folder, UV_EACCES, "cannot read the authority's key", "ca.key");
    syscalls_restore();
    syscalls_fail_next("read", EINTR); /* which is no failure */
    good(folder);
    syscalls_restore();
    char *large = malloc(LARGE + 1);
    assert_non_null(large);
    memset(large, '\n', LARGE);
    large[LARGE] = '\0';
    world_write(w, "certs/ca.pem", large);
    free(large);
    refuses(w, folder, UV_EFBIG, "cannot read the authority's certificate", "ca.pem");
}

static void try_again(void *arg)
{
    const world *w = arg;
    weir_error *error = NULL;
    int status = make_in(w->f->folder, &error);
    if (allocator_failures() > 0 && status != 0)
        assert_code(status, UV_ENOMEM);
    else
        assert_code(status, 0);
    weir_error_release(error);
}

static void an_authority_that_is_there_without_memory(void **state)
{
    world *w = world_of(*state);
    good(w->f->folder);
    assert_true(allocator_fail_each(try_again, w) > 5);
}

static void any_call_may_fail(void *arg)
{
    world *w = arg;
    weir_error *error = NULL;
    int status = make_in(w->f->folder, &error);
    assert_int_equal(status == 0, error == NULL);
    assert_true(status == 0 || syscalls_failures() > 0);
    weir_error_release(error);
}

static void each_call_that_fails_is_told(void **state)
{
    static const char *const calls[] = {"open", "read", "write", "close", "mkdir"};
    world *w = world_of(*state);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        assert_true(syscalls_fail_each(calls[i], EIO, any_call_may_fail, w) > 1);
    good(w->f->folder);
}

/* ---- names ---- */

static void an_authority_is_named_after_the_host(void **state)
{
    static const char begins[] = "CN=weir authority ";
    static const struct {
        const char *host;
        const char *ends; /* behind the name and eight random digits */
    } cases[] = {
        {"here", " of here"},
        {"two words", ""},
        {"", ""},
        {NULL, ""},
    };
    world *w = world_of(*state);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *name = fixture_text(w->f, "of%zu", i);
        mbedtls_x509_crt parsed;
        host_name = cases[i].host;
        good(fixture_path(w->f, name));
        const char *pem = world_read(w, fixture_text(w->f, "%s/ca.pem", name), NULL);
        mbedtls_x509_crt_init(&parsed);
        assert_int_equal(mbedtls_x509_crt_parse(&parsed, (const unsigned char *)pem, strlen(pem) + 1), 0);
        char *subject = weir__mbed_subject(&parsed);
        assert_int_equal(strncmp(subject, begins, sizeof(begins) - 1), 0);
        assert_int_equal(strspn(subject + sizeof(begins) - 1, "0123456789abcdef"), 8);
        assert_string_equal(subject + sizeof(begins) - 1 + 8, cases[i].ends);
        weir_free(subject);
        mbedtls_x509_crt_free(&parsed);
    }
    host_name = "here";
}

static int make_for(const mbed_cert_request *request)
{
    weir_error *error = NULL;
    mbed_cert made;
    int status = weir__mbed_cert_make(request, &made, &error);
    assert_int_equal(status == 0, made.cert && made.key);
    if (status != 0)
        assert_int_equal(strncmp(error->message, "the certificate cannot be made: ", 32), 0);
    weir_error_release(error);
    weir__mbed_cert_clear(&made);
    return status;
}

static void an_authority_without_a_random_name(void **state)
{
    world *w = world_of(*state);
    weir_error *error = NULL;
    const char *folder = fixture_path(w->f, "certs");
    no_entropy = 1;
    assert_code(make_in(folder, &error), UV_EIO);
    no_entropy = 0;
    assert_string_equal(error->message, "no random name for the authority: i/o error (EIO)");
    weir_error_release(error);
    assert_int_not_equal(access(fixture_text(w->f, "%s/ca.pem", folder), F_OK), 0);
    good(folder);
}

static void hosts_that_are_none(void **state)
{
    static const char *const bad[] = {"a b", "", "a/b", "x*.example", "*"};
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_code(
            make_for(&(mbed_cert_request){.subject = "CN=a", .hosts = &bad[i], .host_count = 1, .until = 86400}),
            UV_EINVAL);
}

/* 8192 bytes of names with what is around them. */
static void more_names_than_fit(void **state)
{
    enum { FULL = 80, LENGTH = 100 };
    char name[LENGTH + 1];
    char last[LENGTH];
    const char *hosts[FULL + 1];
    (void)state;
    memset(name, 'a', LENGTH);
    name[LENGTH] = '\0';
    for (size_t i = 0; i < FULL; i++)
        hosts[i] = name;
    hosts[FULL] = last;
    for (size_t length = 25; length < 32; length++) {
        const mbed_cert_request request = {
            .subject = "CN=many", .hosts = hosts, .host_count = FULL + 1, .from = 0, .until = 86400};
        memset(last, 'b', length);
        last[length] = '\0';
        /* Each has two bytes before it, all of them together four. */
        size_t size = FULL * (LENGTH + 2) + length + 2 + 4;
        assert_code(make_for(&request), size <= 8192 ? 0 : UV_EINVAL);
    }
}

static void a_subject_that_is_none(void **state)
{
    (void)state;
    assert_code(make_for(&(mbed_cert_request){.subject = "XX=nobody", .until = 86400}), UV_EINVAL);
    assert_code(make_for(&(mbed_cert_request){.subject = "CN=somebody", .until = 86400}), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(files_that_cannot_be_written),
        WORLD_TEST(files_whose_place_is_taken),
        WORLD_TEST(an_authority_that_cannot_be_read),
        WORLD_TEST(an_authority_that_is_there_without_memory),
        WORLD_TEST(each_call_that_fails_is_told),
        WORLD_TEST(an_authority_is_named_after_the_host),
        WORLD_TEST(an_authority_without_a_random_name),
        WORLD_TEST(hosts_that_are_none),
        WORLD_TEST(more_names_than_fit),
        WORLD_TEST(a_subject_that_is_none),
    };
    return cmocka_run_group_tests_name("maker faults", tests, NULL, NULL);
}
