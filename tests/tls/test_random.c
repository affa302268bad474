/* SPDX-License-Identifier: MIT */
/* Random bytes that fail: nothing starts without them, and what runs ends by an error rather than by known secrets. */
#define _GNU_SOURCE

#include "engine_world.h"
#include "plugins/tls/mbedtls/library.h"

#include <dlfcn.h>
#include <string.h>

static int no_entropy;
static size_t countdown; /* 0: none fails; n: all from the nth on */
static size_t failed;

/* In the place of the library's own. */
WEIR_EXPORT int mbedtls_entropy_func(void *data, unsigned char *output, size_t len)
{
    union {
        void *symbol;
        int (*function)(void *data, unsigned char *output, size_t len);
    } own = {.symbol = dlsym(RTLD_NEXT, "mbedtls_entropy_func")};
    return no_entropy ? MBEDTLS_ERR_ENTROPY_SOURCE_FAILED : own.function(data, output, len);
}

WEIR_EXPORT int mbedtls_ctr_drbg_random(void *p_rng, unsigned char *output, size_t output_len)
{
    union {
        void *symbol;
        int (*function)(void *p_rng, unsigned char *output, size_t output_len);
    } own = {.symbol = dlsym(RTLD_NEXT, "mbedtls_ctr_drbg_random")};
    if (countdown == 1) {
        failed++;
        memset(output, 0, output_len);
        return MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
    }
    if (countdown > 1)
        countdown--;
    return own.function(p_rng, output, output_len);
}

static void without_entropy_nothing_starts(void **state)
{
    weir_error *error = NULL;
    void *instance = NULL;
    (void)state;
    no_entropy = 1;
    assert_code(weir__tls_engine.init(&instance, &error), UV_EIO);
    no_entropy = 0;
    assert_null(instance);
    assert_non_null(error);
    assert_ptr_equal(strstr(error->message, "mbedTLS finds no random bytes: "), error->message);
    weir_error_release(error);
    no_entropy = 1;
    assert_code(weir__tls_engine.init(&instance, NULL), UV_EIO);
    no_entropy = 0;
}

/* Each in its turn: no session comes of it, or one that needed no more of them (and then no ticket). */
static void random_bytes_fail_anywhere_in_a_handshake(void **state)
{
    world *w = world_of(*state);
    WORLD_VERSIONS(w)
    {
        world_attempt attempt = {.w = w, .server = world_server(w, "localhost"), .client = world_client(w)};
        size_t nth = 1;
        size_t refused = 0;
        world_identify(w, &attempt.client, &(wish){.subject = "CN=client"});
        attempt.server.ca = world_materials(w, world_authority()->cert, "/ca");
        attempt.server.ca_count = 1;
        attempt.server.request_cert = 1;
        attempt.resume = (tls_session_options){.name = "localhost"};
        do {
            failed = 0;
            countdown = nth++;
            refused += (size_t)!world_try(&attempt);
            countdown = 0;
        } while (failed > 0);
        assert_true(nth > 4);
        assert_true(refused > 2);
    }
}

static void a_certificate_is_not_made_without_them(void **state)
{
    const char *const hosts[] = {"a"};
    world *w = world_of(*state);
    const weir_tls_cert *maker = weir__tls_engine.interface("tls-cert", WEIR_TLS_CERT_VERSION);
    const weir_tls_cert_options options = {
        .size = sizeof(options), .folder = w->f->folder, .hosts = hosts, .host_count = 1};
    assert_non_null(maker);
    size_t nth = 1;
    do {
        weir_error *error = NULL;
        failed = 0;
        countdown = nth++;
        int status = maker->make(&options, &error);
        countdown = 0;
        assert_true(status == 0 || failed > 0);
        assert_int_equal(status != 0, error != NULL);
        weir_error_release(error);
    } while (failed > 0);
    assert_true(nth > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(without_entropy_nothing_starts),
        WORLD_TEST(random_bytes_fail_anywhere_in_a_handshake),
        WORLD_TEST(a_certificate_is_not_made_without_them),
    };
    return cmocka_run_group_tests_name("random", tests, NULL, NULL);
}
