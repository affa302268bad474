/* SPDX-License-Identifier: MIT */
/* The parts of the layer tls that stand alone: its queues, the keys of tickets, the sessions that clients keep, key logs. */
#define _GNU_SOURCE

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"
#include "syscalls.h"

#include "plugins/tls/instance.h"
#include "plugins/tls/keylog.h"
#include "plugins/tls/sessions.h"
#include "plugins/tls/settings.h"
#include "plugins/tls/tickets.h"
#include "plugins/tls/transfer.h"
#include "plugins/tls/written.h"

/* ---- in ---- */

static void bytes_come_in_and_are_taken_in_order(void **state)
{
    tls_in in = {0};
    char taken[8] = "";
    (void)state;
    weir_buf *one = weir_buf_copy("abc", 3);
    weir_buf *other = weir_buf_copy("defg", 4);
    assert_code(weir__tls_in_add(&in, one), 0);
    assert_int_equal(weir__tls_in_take(&in, taken, 2), 2);
    assert_code(weir__tls_in_add(&in, other), 0);
    assert_int_equal(in.left, 5);
    assert_int_equal(weir__tls_in_take(&in, taken + 2, 6), 5);
    assert_string_equal(taken, "abcdefg");
    assert_int_equal(weir__tls_in_take(&in, taken, 1), 0);
    weir__tls_in_settle(&in);
    assert_null(in.buf);
    weir_buf_release(one);
    weir_buf_release(other);
}

/* A pooled buffer is given back to the pool when little of it is left, and kept when much is. */
static void little_does_not_keep_a_pooled_buffer(void **state)
{
    tls_pool pool = {0};
    tls_in in = {0};
    char taken[TLS_ROOM];
    (void)state;
    weir_buf *room = weir__tls_pool_room(&pool);
    assert_int_equal(room->size, TLS_ROOM);
    memset(room->data, 'x', TLS_ROOM);
    assert_code(weir__tls_in_add(&in, room), 0);
    weir__tls_in_take(&in, taken, TLS_ROOM - 10);
    weir__tls_in_settle(&in);
    assert_int_equal(in.left, 10);
    assert_int_equal(room->refs, 1);
    assert_ptr_equal(weir__tls_pool_room(&pool), room);
    weir__tls_in_clear(&in);
    assert_code(weir__tls_in_add(&in, room), 0);
    weir__tls_in_settle(&in);
    assert_int_equal(room->refs, 2);
    assert_ptr_not_equal(weir__tls_pool_room(&pool), room); /* somebody else's turn */
    weir__tls_in_clear(&in);
    weir__tls_pool_free(&pool);
}

/* ---- out ---- */

static void what_goes_out_stays_in_place_until_it_has_gone(void **state)
{
    enum { SIZE = 50000 };
    static char bytes[SIZE], sent[SIZE];
    tls_pool pool = {0};
    tls_out out = {0};
    size_t at = 0, size = 0, done = 0;
    (void)state;
    fixture_fill(bytes, SIZE, 3);
    while (at < SIZE || out.size > 0) {
        size_t part = 1 + at * 7919 % 9000;
        if (part > SIZE - at)
            part = SIZE - at;
        assert_code(weir__tls_out_put(&out, &pool, bytes + at, part), 0);
        at += part;
        size_t count = weir__tls_out_parts(&out, &size);
        assert_true(count <= TLS_OUT_PARTS && size <= out.size);
        size_t gone = at < SIZE ? size / 2 : size; /* in the middle of a part, too */
        size_t left = gone;
        for (size_t i = 0; left > 0; i++) {
            size_t one = out.parts[i].iov_len < left ? out.parts[i].iov_len : left;
            memcpy(sent + done, out.parts[i].iov_base, one);
            done += one;
            left -= one;
        }
        weir__tls_out_drop(&out, &pool, gone);
    }
    assert_int_equal(done, SIZE);
    assert_memory_equal(sent, bytes, SIZE);
    assert_null(out.first);
    assert_true(pool.count > 0);
    weir__tls_pool_free(&pool);
}

static void the_pool_keeps_no_more_than_it_may(void **state)
{
    enum { MANY = 100 };
    tls_pool pool = {0};
    tls_chunk *chunks[MANY];
    (void)state;
    for (size_t i = 0; i < MANY; i++)
        assert_non_null(chunks[i] = weir__tls_pool_take(&pool));
    for (size_t i = 0; i < MANY; i++)
        weir__tls_pool_give(&pool, chunks[i]);
    assert_true(pool.count < MANY);
    weir__tls_pool_free(&pool);
    assert_null(pool.chunks);
}

static void small_buffers_share_a_record(void **state)
{
    static char large[40000];
    static unsigned char scratch[TLS_CHUNK];
    static char small[] = "abcdef";
    const struct iovec bufs[] = {{small, 2}, {small, 0}, {small + 2, 3}, {large, sizeof(large)}, {small + 5, 1}};
    static const size_t sizes[] = {16384, 16384, 7238, 0};
    tls_cursor cursor;
    const void *data;
    (void)state;
    weir__tls_cursor_set(&cursor, bufs, 5);
    assert_int_equal(weir__tls_cursor_next(&cursor, scratch, &data), sizes[0]);
    assert_ptr_equal(data, scratch);
    assert_memory_equal(data, "abcde", 5);
    assert_int_equal(weir__tls_cursor_next(&cursor, scratch, &data), sizes[1]);
    assert_ptr_equal(data, large + 16379); /* not copied */
    assert_int_equal(weir__tls_cursor_next(&cursor, scratch, &data), sizes[2]);
    assert_int_equal(((const char *)data)[7237], 'f');
    assert_int_equal(weir__tls_cursor_next(&cursor, scratch, &data), sizes[3]);
    weir__tls_cursor_set(&cursor, bufs, 3);
    assert_int_equal(weir__tls_cursor_next(&cursor, NULL, &data), 2); /* without memory each is one */
    assert_int_equal(weir__tls_cursor_skip(&cursor, 2), 2);
    assert_int_equal(weir__tls_cursor_next(&cursor, NULL, &data), 1);
    assert_memory_equal(data, "e", 1);
    assert_int_equal(weir__tls_cursor_skip(&cursor, 2), 0);
}

/* ---- ticket keys ---- */

static int count_up(void *arg, void *data, size_t size)
{
    unsigned char *next = arg;
    memset(data, ++*next, size);
    return 0;
}

static int no_bytes(void *arg, void *data, size_t size)
{
    (void)arg;
    (void)data;
    (void)size;
    return UV_EIO;
}

static const unsigned char certificate[TLS_DIGEST_SIZE] = {1};

static void TLS_12_ticket_keys_change_in_half_a_lifetime(void **state)
{
    fixture *f = *state;
    unsigned char dice = 0;
    tls_ticket_key first, next, found;
    tls_tickets *tickets = weir__tls_tickets_get(weir_runtime_shared(f->runtime), certificate, 100, 0);
    assert_non_null(tickets);
    assert_code(weir__tls_tickets_key(tickets, NULL, 1000, count_up, &dice, &first), 0);
    assert_int_equal(first.lifetime, 100);
    assert_code(weir__tls_tickets_key(tickets, NULL, 50999, count_up, &dice, &next), 0);
    assert_memory_equal(first.name, next.name, 16);
    assert_code(weir__tls_tickets_key(tickets, NULL, 51000, count_up, &dice, &next), 0);
    assert_memory_not_equal(first.name, next.name, 16);
    assert_memory_not_equal(first.key, next.key, 32);
    /* what the first sealed last, at 50999, is good until 150999 */
    assert_code(weir__tls_tickets_key(tickets, NULL, 101000, count_up, &dice, &next), 0);
    assert_code(weir__tls_tickets_key(tickets, first.name, 150999, count_up, &dice, &found), 0);
    assert_memory_equal(found.key, first.key, 32);
    assert_code(weir__tls_tickets_key(tickets, first.name, 151000, count_up, &dice, &found), UV_ENOENT);
    assert_code(weir__tls_tickets_key(tickets, next.name, 151000, count_up, &dice, &found), 0);
}

static void TLS_12_a_key_that_nobody_asked_for_long_is_not_used_again(void **state)
{
    fixture *f = *state;
    unsigned char dice = 0;
    tls_ticket_key first, next;
    tls_tickets *tickets = weir__tls_tickets_get(weir_runtime_shared(f->runtime), certificate, 100, 0);
    assert_code(weir__tls_tickets_key(tickets, NULL, 1, count_up, &dice, &first), 0);
    assert_code(weir__tls_tickets_key(tickets, NULL, 10000000, count_up, &dice, &next), 0);
    assert_memory_not_equal(first.name, next.name, 16);
    assert_code(weir__tls_tickets_key(tickets, first.name, 10000000, count_up, &dice, &next), UV_ENOENT);
    assert_code(weir__tls_tickets_key(tickets, NULL, 90000000, no_bytes, NULL, &next), UV_EIO);
}

static void TLS_12_ticket_keys_are_those_of_the_certificate(void **state)
{
    static const unsigned char other[TLS_DIGEST_SIZE] = {2};
    fixture *f = *state;
    weir_shared *shared = weir_runtime_shared(f->runtime);
    tls_tickets *tickets = weir__tls_tickets_get(shared, certificate, 100, 0);
    assert_ptr_equal(weir__tls_tickets_get(shared, certificate, 100, 0), tickets);
    assert_ptr_not_equal(weir__tls_tickets_get(shared, other, 100, 0), tickets);
}

static void TLS_12_another_lifetime_has_keys_of_its_own(void **state)
{
    fixture *f = *state;
    unsigned char dice = 0;
    tls_ticket_key key;
    weir_shared *shared = weir_runtime_shared(f->runtime);
    tls_tickets *before = weir__tls_tickets_get(shared, certificate, 100, 0);
    tls_tickets *after = weir__tls_tickets_get(shared, certificate, 50, 0);
    assert_ptr_not_equal(before, after);
    assert_code(weir__tls_tickets_key(after, NULL, 1000, count_up, &dice, &key), 0);
    assert_int_equal(key.lifetime, 50);
}

/* A certificate a day, for ever. */
static void TLS_12_keys_go_when_nobody_can_hold_a_ticket_of_theirs(void **state)
{
    enum {
        SEALED = 1000,
        LAST = SEALED + 150000
    }; /* ms: half a lifetime later it seals last, and a lifetime more it opens */
    static const unsigned char other[TLS_DIGEST_SIZE] = {2};
    fixture *f = *state;
    unsigned char dice = 0;
    tls_ticket_key first, found;
    weir_shared *shared = weir_runtime_shared(f->runtime);
    tls_tickets *stays = weir__tls_tickets_get(shared, other, 100, 0);
    size_t live = allocator_live();
    tls_tickets *tickets = weir__tls_tickets_get(shared, certificate, 100, 0);
    assert_ptr_equal(weir__tls_tickets_get(shared, certificate, 100, 0), tickets);
    assert_code(weir__tls_tickets_key(tickets, NULL, SEALED, count_up, &dice, &first), 0);
    weir__tls_tickets_release(tickets, LAST + 1); /* another one uses them */
    assert_int_equal(allocator_live(), live + 1);
    weir__tls_tickets_release(tickets, SEALED + 1);
    assert_int_equal(allocator_live(), live + 1);
    /* the certificate comes back, and opens what it sealed */
    tickets = weir__tls_tickets_get(shared, certificate, 100, LAST - 2);
    assert_code(weir__tls_tickets_key(tickets, first.name, LAST - 1, count_up, &dice, &found), 0);
    assert_memory_equal(found.key, first.key, 32);
    weir__tls_tickets_release(tickets, LAST - 1);
    assert_int_equal(allocator_live(), live + 1);
    /* whoever comes or goes after the last ticket's end sweeps */
    assert_ptr_equal(weir__tls_tickets_get(shared, other, 100, LAST), stays);
    assert_int_equal(allocator_live(), live);
    /* what never sealed is of no use at once */
    tickets = weir__tls_tickets_get(shared, certificate, 100, SEALED);
    weir__tls_tickets_release(tickets, SEALED);
    weir__tls_tickets_release(NULL, SEALED);
    assert_int_equal(allocator_live(), live);
}

/* ---- threads ---- */

typedef struct worker {
    tls_tickets *tickets;
    tls_ticket_key last;
    unsigned missed; /* keys that another thread could not have opened with */
    uv_thread_t thread;
} worker;

static int true_random(void *arg, void *data, size_t size)
{
    (void)arg;
    return uv_random(NULL, NULL, data, size, 0, NULL);
}

static void seal_and_open(void *arg)
{
    worker *self = arg;
    tls_ticket_key found;
    for (uint64_t now = 1; now < 20000; now++) {
        if (weir__tls_tickets_key(self->tickets, NULL, now, true_random, NULL, &self->last) != 0 ||
            weir__tls_tickets_key(self->tickets, self->last.name, now, true_random, NULL, &found) != 0)
            self->missed++;
    }
}

static void TLS_12_workers_share_ticket_keys(void **state)
{
    enum { WORKERS = 3 };
    fixture *f = *state;
    worker workers[WORKERS] = {0};
    for (size_t i = 0; i < WORKERS; i++) {
        workers[i].tickets = weir__tls_tickets_get(weir_runtime_shared(f->runtime), certificate, 100, 0);
        assert_int_equal(uv_thread_create(&workers[i].thread, seal_and_open, &workers[i]), 0);
    }
    for (size_t i = 0; i < WORKERS; i++)
        uv_thread_join(&workers[i].thread);
    for (size_t i = 0; i < WORKERS; i++) {
        assert_int_equal(workers[i].missed, 0);
        assert_memory_equal(workers[i].last.key, workers[0].last.key, 32);
    }
}

/* ---- sessions ---- */

static void expect_kept(tls_sessions *sessions, const char *name, const char *blob)
{
    size_t size = 0;
    const void *kept = weir__tls_sessions_get(sessions, name, &size);
    if (!blob) {
        assert_null(kept);
        return;
    }
    assert_int_equal(size, strlen(blob));
    assert_memory_equal(kept, blob, size);
}

static void TLS_12_the_newest_session_of_a_name_is_kept(void **state)
{
    tls_sessions sessions = {0};
    (void)state;
    weir__tls_sessions_put(&sessions, "a", "first", 5);
    weir__tls_sessions_put(&sessions, "b", "other", 5);
    weir__tls_sessions_put(&sessions, "a", "second", 6);
    assert_int_equal(sessions.count, 2);
    expect_kept(&sessions, "a", "second");
    expect_kept(&sessions, "b", "other");
    weir__tls_sessions_drop(&sessions, "a");
    weir__tls_sessions_drop(&sessions, "a");
    expect_kept(&sessions, "a", NULL);
    expect_kept(&sessions, "b", "other");
    weir__tls_sessions_free(&sessions);
}

static void TLS_12_what_was_not_used_longest_goes_first(void **state)
{
    static char large[TLS_SESSION_BLOB_MOST + 1];
    tls_sessions sessions = {0};
    char name[16];
    (void)state;
    for (int i = 0; i < TLS_SESSIONS_MOST; i++) {
        snprintf(name, sizeof(name), "%d", i);
        weir__tls_sessions_put(&sessions, name, name, strlen(name));
    }
    expect_kept(&sessions, "0", "0"); /* used */
    weir__tls_sessions_put(&sessions, "new", "new", 3);
    assert_int_equal(sessions.count, TLS_SESSIONS_MOST);
    expect_kept(&sessions, "0", "0");
    expect_kept(&sessions, "1", NULL);
    expect_kept(&sessions, "new", "new");
    weir__tls_sessions_put(&sessions, "large", large, sizeof(large));
    expect_kept(&sessions, "large", NULL);
    weir__tls_sessions_free(&sessions);
}

/* What is kept for clients stops to grow, however many names they connect to. */
static void TLS_12_what_is_kept_has_a_bound(void **state)
{
    tls_sessions sessions = {0};
    size_t live = allocator_live(), bytes = 0;
    char name[16];
    (void)state;
    for (int i = 0; i < 4 * TLS_SESSIONS_MOST; i++) {
        snprintf(name, sizeof(name), "%08d", i);
        weir__tls_sessions_put(&sessions, name, "some blob", 9);
        if (i == TLS_SESSIONS_MOST - 1)
            bytes = allocator_bytes();
    }
    assert_int_equal(sessions.count, TLS_SESSIONS_MOST);
    assert_int_equal(allocator_live(), live + TLS_SESSIONS_MOST);
    assert_true(allocator_bytes() <= bytes + TLS_SESSIONS_MOST * sizeof(max_align_t));
    weir__tls_sessions_free(&sessions);
    assert_int_equal(allocator_live(), live);
}

/* ---- settings ---- */

/* A part of a second is a whole one: only 0 is none. */
static void TLS_12_times_are_whole_seconds(void **state)
{
    static const struct {
        const char *given;
        uint32_t seconds;
    } times[] = {{"0s", 0}, {"1ms", 1}, {"500ms", 1}, {"1000", 1}, {"1001ms", 2}, {"24h", 86400}};
    const fixture *f = *state;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        json_t *options = json_pack("{s:s, s:s, s:s}", "pskIdentity", "me", "psk", "00112233445566778899aabbccddeeff",
                                    "sessionTimeout", times[i].given);
        const tls_source source = {.options = options, .folder = "/", .role = WEIR_SERVER};
        tls_instance instance = {.runtime = f->runtime};
        tls_report report = {.tell = NULL}; /* there is nothing to tell */
        tls_settings *settings = NULL;
        assert_code(weir__tls_settings_read(&source, &instance, &report, &settings), 0);
        assert_int_equal(settings->session_timeout, times[i].seconds);
        weir__tls_settings_free(settings);
        weir__tls_report_end(&report);
        json_decref(options);
    }
}

/* ---- the file of a key log ---- */

static int is_file(int fd)
{
    struct stat about;
    return fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

static int append_where(const char *path, const syscall_fault *fault)
{
    syscalls_fail(fault);
    int status = weir__tls_keylog_append(path, "CLIENT_RANDOM 00 11");
    assert_int_equal(syscalls_failures(), 1);
    syscalls_restore();
    return status;
}

/* Half a line is no line: it is told, as it would be where nothing could be written. */
static void TLS_16_a_line_that_is_not_written_whole_is_told(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "keys.log");
    const syscall_fault full = {.call = "write", .error = ENOSPC, .times = 1, .concerns = is_file};
    const syscall_fault fills = {.call = "write", .at_most = 5, .times = 1, .concerns = is_file};
    const syscall_fault interrupted = {.call = "write", .error = EINTR, .times = 1, .concerns = is_file};
    struct stat about;
    assert_code(append_where(path, &full), UV_ENOSPC);
    assert_code(append_where(path, &fills), UV_ENOSPC);
    assert_code(append_where(path, &interrupted), 0);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_size, 5 + 20);
}

static void TLS_16_a_line_that_is_too_long_is_not_begun(void **state)
{
    fixture *f = *state;
    const char *path = fixture_path(f, "keys.log");
    char line[1025];
    struct stat about;
    memset(line, 'x', sizeof(line));
    line[1024] = '\0';
    assert_code(weir__tls_keylog_append(path, line), UV_E2BIG);
    assert_int_equal(access(path, F_OK), -1);
    line[1023] = '\0';
    assert_code(weir__tls_keylog_append(path, line), 0);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_size, 1024);
}

/* ---- written ---- */

#define SECRET "correct horse"

static void expect_wiped(json_t *text)
{
    static const char nothing[sizeof(SECRET)] = "";
    assert_int_equal(json_string_length(text), sizeof(SECRET) - 1);
    assert_memory_equal(json_string_value(text), nothing, sizeof(SECRET));
    json_decref(text);
}

/* Wherever in the options it stands. What is looked at is kept a little longer than its options. */
static void TLS_14_secrets_that_were_written_as_text_are_wiped(void **state)
{
    tls_written given = {0};
    json_t *options = json_pack("{s:s, s:[s, {s:s}], s:{s:{s:s}}}", "passphrase", SECRET, "key", SECRET, "pem", SECRET,
                                "SNI", "a.example", "psk", SECRET);
    weir_configure configure = {.folder = "/", .given = options};
    (void)state;
    assert_non_null(options);
    assert_code(weir__tls_written_take(&given, &configure), 0);
    json_t *keys = json_object_get(given.options, "key");
    json_t *seen[] = {json_object_get(given.options, "passphrase"), json_array_get(keys, 0),
                      json_object_get(json_array_get(keys, 1), "pem"),
                      json_object_get(json_object_get(json_object_get(given.options, "SNI"), "a.example"), "psk")};
    for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
        assert_string_equal(json_string_value(json_incref(seen[i])), SECRET);
    weir__tls_written_free(&given);
    for (size_t i = 0; i < sizeof(seen) / sizeof(seen[0]); i++)
        expect_wiped(seen[i]);
    assert_string_equal(json_string_value(json_object_get(options, "passphrase")), SECRET); /* whose it is, it stays */
    json_decref(options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(bytes_come_in_and_are_taken_in_order),
        FIXTURE_TEST(little_does_not_keep_a_pooled_buffer),
        FIXTURE_TEST(what_goes_out_stays_in_place_until_it_has_gone),
        FIXTURE_TEST(the_pool_keeps_no_more_than_it_may),
        FIXTURE_TEST(small_buffers_share_a_record),
        FIXTURE_TEST(TLS_12_ticket_keys_change_in_half_a_lifetime),
        FIXTURE_TEST(TLS_12_a_key_that_nobody_asked_for_long_is_not_used_again),
        FIXTURE_TEST(TLS_12_ticket_keys_are_those_of_the_certificate),
        FIXTURE_TEST(TLS_12_another_lifetime_has_keys_of_its_own),
        FIXTURE_TEST(TLS_12_keys_go_when_nobody_can_hold_a_ticket_of_theirs),
        FIXTURE_TEST(TLS_12_workers_share_ticket_keys),
        FIXTURE_TEST(TLS_12_the_newest_session_of_a_name_is_kept),
        FIXTURE_TEST(TLS_12_what_was_not_used_longest_goes_first),
        FIXTURE_TEST(TLS_12_what_is_kept_has_a_bound),
        FIXTURE_TEST(TLS_12_times_are_whole_seconds),
        FIXTURE_TEST(TLS_16_a_line_that_is_not_written_whole_is_told),
        FIXTURE_TEST(TLS_16_a_line_that_is_too_long_is_not_begun),
        FIXTURE_TEST(TLS_14_secrets_that_were_written_as_text_are_wiped),
    };
    return cmocka_run_group_tests_name("tls_parts", tests, NULL, NULL);
}
