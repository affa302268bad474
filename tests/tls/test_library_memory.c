/* SPDX-License-Identifier: MIT */
/* Memory that runs out inside the engine's library, which takes it from the C library: a failure, and nothing worse. */
#define _GNU_SOURCE

#include "engine_world.h"

#include <stdlib.h>
#include <string.h>

#include "sanitized.h"

#if !SANITIZED

static size_t countdown; /* 0: none fails */
static size_t failed;

extern void *__libc_calloc(size_t nmemb, size_t size); /* NOLINT */

/* In the place of the C library's own, for all of the process: that is what mbedTLS calls. */
WEIR_EXPORT void *calloc(size_t nmemb, size_t size)
{
    if (countdown > 0 && --countdown == 0) {
        failed++;
        return NULL;
    }
    return __libc_calloc(nmemb, size);
}

/* The `nth` allocation fails; the later ones, which are thousands of numbers in a key exchange, by samples. */
static void sweep(const world_attempt *attempt)
{
    size_t nth = 0;
    do {
        nth += 1 + nth / 40;
        failed = 0;
        size_t before = allocator_live();
        countdown = nth;
        int done = world_try(attempt);
        countdown = 0;
        assert_true(done || failed > 0);
        assert_int_equal(allocator_live(), before);
    } while (failed > 0);
    assert_true(nth > 100);
}

static void the_library_runs_out_of_memory_anywhere(void **state)
{
    world *w = world_of(*state);
    if (getenv("WEIR_TEST_VALGRIND"))
        skip(); /* which has its own calloc */
    WORLD_VERSIONS(w)
    {
        world_attempt attempt = {.w = w, .server = world_server(w, "localhost"), .client = world_client(w)};
        char byte;
        size_t done;
        world_identify(w, &attempt.client, &(wish){.subject = "CN=client"});
        attempt.server.ca = world_materials(w, world_authority()->cert, "/ca");
        attempt.server.ca_count = 1;
        attempt.server.request_cert = 1;
        attempt.resume = (tls_session_options){.name = "localhost"};
        sweep(&attempt);
        talk *t = world_talk(w, &attempt.client, &attempt.server, NULL, NULL);
        talk_handshake(t);
        end_reads(&t->client, &byte, 1, &done);
        attempt.resume = end_resume(&t->client, "localhost");
        sweep(&attempt);
    }
}

#else

static void the_library_runs_out_of_memory_anywhere(void **state)
{
    (void)state;
    skip();
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {WORLD_TEST(the_library_runs_out_of_memory_anywhere)};
    return cmocka_run_group_tests_name("library memory", tests, NULL, NULL);
}
