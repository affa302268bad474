/* SPDX-License-Identifier: MIT */
/*
 * The run: a thread for each world; rounds, after each of which all worlds are at rest together, so that memory and
 * descriptors can be counted; a line of report every ten seconds; the verdict.
 */
#define _GNU_SOURCE

#include "soak.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocator.h"
#include "fixture.h"

#define WORLDS_MOST    8
#define ROUND_MS       2000
#define REPORT_NS      (10 * (uint64_t)1000000000)
#define RUNTIME_ROUNDS 4  /* a runtime lives for so many rounds at most */
#define SURE_SECONDS   30 /* a run of so long meets everything that it is there for */
/*
 * Blocks that a runtime may come to hold for good after its first round: some, and for each of the two plugins of TLS what
 * it keeps at most, which are sessions (TLS_SESSIONS_MOST, a block each; a server of tcp that listens again does so on
 * another port, which is one more) and memory for records (POOL_MOST, and a buffer). This is for what grows with each
 * stream; no block may be left when runtimes have ended.
 */
#define GROWTH_MOST ((size_t)8 + (size_t)2 * (256 + 32 + 2))

soak_totals soak_total;

typedef struct soak {
    const soak_options *options;
    soak_world worlds[WORLDS_MOST];
    uv_thread_t threads[WORLDS_MOST];
    uv_barrier_t barrier;
    uint64_t begun;
    uint64_t ends;
    uint64_t reported;
    int over;
    int descriptors; /* with no runtime */
    size_t handles[WORLDS_MOST];
    size_t blocks;
    size_t warm; /* more, of each runtime, at the first rest; 0: not known */
    unsigned rests;
} soak;

static soak run;
static char repeat[120]; /* how to have this run again */

/* ---- dice ---- */

soak_dice dice_new(uint64_t seed)
{
    soak_dice made = {seed + 0x9e3779b97f4a7c15u};
    for (int i = 0; i < 4; i++)
        dice_below(&made, 2);
    return made;
}

/* splitmix64 */
uint32_t dice_below(soak_dice *self, uint32_t below)
{
    uint64_t value = self->state += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    value ^= value >> 31;
    return (uint32_t)((value >> 32) * below >> 32);
}

int dice_percent(soak_dice *self, unsigned percent)
{
    return dice_below(self, 100) < percent;
}

/* ---- what went wrong ---- */

static void tell_actor(const actor *who)
{
    fprintf(stderr, "soak: stream #%u of world %u, %s:\n    %s\n", who->number, who->world->number,
            who->accepted ? "accepted" : "a client", who->text);
    if (who->partner && who->partner != who)
        fprintf(stderr, "soak: and its partner #%u:\n    %s\n", who->partner->number, who->partner->text);
}

/* Who wrote what somebody reads. */
static void tell_writers(const soak_world *world, const actor *who)
{
    for (int i = 0; i < who->reader.depth; i++) {
        for (size_t j = 0; j < world->actor_count; j++) {
            const actor *writer = world->actors[j];
            if (writer->flow == who->reader.flows[i] && writer != who && writer != who->partner) {
                fprintf(stderr, "soak: it reads flow %" PRIu64 ", of which\n", writer->flow->number);
                tell_actor(writer);
            }
        }
    }
}

void soak_breach(const soak_world *world, const actor *who, const char *format, ...)
{
    va_list values;
    fflush(stdout);
    fprintf(stderr, "soak: BREACH in world %u, round %u: ", world->number, world->round);
    va_start(values, format);
    vfprintf(stderr, format, values);
    va_end(values);
    fputc('\n', stderr);
    if (who) {
        tell_actor(who);
        tell_writers(world, who);
    }
    fprintf(stderr, "%s", repeat);
    _exit(1);
}

static void put(const char *text)
{
    if (write(STDERR_FILENO, text, strlen(text)) < 0)
        return;
}

/* The core asserts its laws: this tells of whom. */
static void on_abort(int number)
{
    if (soak_acting) {
        put("soak: the stream whose turn it was:\n    ");
        put(soak_acting->text);
        put("\n");
    }
    put(repeat);
    signal(number, SIG_DFL);
    raise(number);
}

/* ---- counting ---- */

static double resident(void)
{
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file && fscanf(file, "%*u %lu", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576;
}

static void report(void)
{
    printf("soak: %4u s: %" PRIuFAST64 " streams, %ld open, %.1f MiB read, %" PRIuFAST64 " whole, %.1f MiB resident, "
           "%d descriptors, %" PRIuFAST64 " events judged, %u rests\n",
           (unsigned)((uv_hrtime() - run.begun) / 1000000000), atomic_load(&soak_total.streams),
           atomic_load(&soak_total.open), (double)atomic_load(&soak_total.bytes) / 1048576,
           atomic_load(&soak_total.whole), resident(), fixture_descriptors(), atomic_load(&soak_total.judged),
           run.rests);
    fflush(stdout);
}

void soak_report(const soak_world *world)
{
    uint64_t now = uv_hrtime();
    if (world->number == 0 && now >= run.reported + REPORT_NS) {
        run.reported = now;
        report();
    }
}

static size_t runtimes_alive(void)
{
    size_t count = 0;
    for (unsigned i = 0; i < run.options->worlds; i++)
        count += run.worlds[i].runtime != NULL;
    return count;
}

/* A run cannot go well by what did not happen; where it is short, or has no plugin tls, it may. */
static void check_whole(void)
{
    const struct {
        const char *name;
        uint64_t count;
        int must;
    } kinds[] = {
        {"plain", atomic_load(&soak_total.whole_plain), 1},   {"tls-fake", atomic_load(&soak_total.whole_fake), 1},
        {"tls", atomic_load(&soak_total.whole_tls), 0},       {"text", atomic_load(&soak_total.whole_text), 1},
        {"onread", atomic_load(&soak_total.whole_onread), 1},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (kinds[i].must && !kinds[i].count && run.options->seconds >= SURE_SECONDS)
            soak_breach(&run.worlds[0], NULL, "in %u s nothing of the kind %s has arrived whole", run.options->seconds,
                        kinds[i].name);
    }
    printf("soak: nothing was broken, nothing is left; whole were");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        printf(" %" PRIu64 " %s,", kinds[i].count, kinds[i].name);
    printf(" and %" PRIuFAST64 " descriptors came\n", atomic_load(&soak_total.fds));
    fflush(stdout);
}

/* All worlds are at rest, some with their runtimes, some without; the first of them looks. */
static void check_rest(const soak_world *world)
{
    size_t blocks = allocator_live();
    size_t runtimes = runtimes_alive();
    run.rests++;
    if (atomic_load(&soak_total.open))
        soak_breach(world, NULL, "%ld streams are open at rest", atomic_load(&soak_total.open));
    if (runtimes) {
        size_t each = (blocks - run.blocks) / runtimes;
        if (!run.warm)
            run.warm = each;
        if (each > run.warm + GROWTH_MOST)
            soak_breach(world, NULL, "at rest a runtime holds %zu blocks of memory, and %zu at the first rest", each,
                        run.warm);
        return;
    }
    if (blocks != run.blocks)
        soak_breach(world, NULL, "%zu blocks of memory are held after the runtimes' end, and %zu before the run",
                    blocks, run.blocks);
    if (fixture_descriptors() != run.descriptors)
        soak_breach(world, NULL, "%d descriptors are open after the runtimes' end, and %d before the run",
                    fixture_descriptors(), run.descriptors);
}

/* ---- a world's thread ---- */

static void wait_for_others(void)
{
    uv_barrier_wait(&run.barrier);
}

static void look(soak_world *world)
{
    wait_for_others();
    if (world->number == 0)
        check_rest(world);
    if (!world->runtime && world_handles(world) != run.handles[world->number])
        soak_breach(world, NULL, "%zu handles are left in the loop, and not %zu", world_handles(world),
                    run.handles[world->number]);
    if (world->number == 0)
        run.over = uv_hrtime() >= run.ends;
    wait_for_others();
}

static void prepare(soak_world *world)
{
    wait_for_others();
    run.handles[world->number] = world_handles(world);
    if (world->number == 0) {
        run.descriptors = fixture_descriptors();
        run.blocks = allocator_live();
    }
    wait_for_others();
}

static void run_world(void *arg)
{
    soak_world *world = arg;
    unsigned rounds = 0;
    world_begin_run(world, run.options, (unsigned)(world - run.worlds));
    prepare(world);
    while (!run.over) {
        if (!world->runtime)
            world_make_runtime(world);
        uint64_t now = uv_hrtime();
        uint64_t left = now < run.ends ? (run.ends - now) / 1000000 : 1;
        world_round(world, left < ROUND_MS ? (unsigned)left : ROUND_MS);
        world_rest(world);
        look(world);
        if (++rounds % RUNTIME_ROUNDS == 0 || run.over) {
            if (world->runtime)
                world_free_runtime(world);
            look(world);
        }
    }
    world_end_run(world);
}

int soak_run(const soak_options *options)
{
    run.options = options;
    printf("soak: seed %" PRIu64 ", %u s, %u worlds\n", options->seed, options->seconds, options->worlds);
    fflush(stdout);
    snprintf(repeat, sizeof(repeat), "soak: to repeat it: ./dev soak %u %" PRIu64 " %u\n", options->seconds,
             options->seed, options->worlds);
    signal(SIGABRT, on_abort);
    allocator_install();
    soak_find_plugins();
    fixture_preload(NULL);
    for (size_t i = 0; soak_plugins[i]; i++)
        fixture_preload(soak_plugins[i]);
    run.begun = uv_hrtime();
    run.ends = run.begun + options->seconds * (uint64_t)1000000000;
    run.reported = run.begun;
    if (uv_barrier_init(&run.barrier, options->worlds))
        abort();
    for (unsigned i = 0; i < options->worlds; i++) {
        if (uv_thread_create(&run.threads[i], run_world, &run.worlds[i]))
            abort();
    }
    for (unsigned i = 0; i < options->worlds; i++)
        uv_thread_join(&run.threads[i]);
    uv_barrier_destroy(&run.barrier);
    report();
    check_whole();
    return 0;
}
