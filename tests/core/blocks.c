/* SPDX-License-Identifier: MIT */
/* Memory that a stream with onread reads into, and all that came in it. */
#include <stdlib.h>
#include <string.h>

#include "blocks.h"

void blocks_begin(blocks *r, size_t size)
{
    free(r->data);
    memset(r, 0, sizeof(*r));
    r->size = size;
    r->result = WEIR_ONREAD_CONTINUE;
}

static weir_onread_result on_bytes(weir_stream *stream, size_t count, void *buffer, void *arg)
{
    blocks *r = arg;
    assert_in_range(count, 1, r->size);
    assert_ptr_equal(buffer, r->lent != NULL ? r->lent : r->blocks[0]);
    assert_int_equal(weir_stream_destroyed(stream), 0);
    r->data = realloc(r->data, r->data_size + count);
    assert_non_null(r->data);
    memcpy(r->data + r->data_size, buffer, count);
    r->data_size += count;
    r->largest = count > r->largest ? count : r->largest;
    r->calls++;
    memset(buffer, '#', r->size); /* it is ours again */
    if (r->act != NULL) {
        r->act(stream, r);
    }
    return r->result;
}

static void *give_block(weir_stream *stream, size_t *size, void *arg)
{
    blocks *r = arg;
    if (r->act_asked != NULL) {
        r->act_asked(stream, r);
    }
    r->lent = r->blocks[r->asked++ % 2];
    *size = r->size;
    return r->empty ? NULL : r->lent;
}

weir_onread blocks_one(blocks *r)
{
    return (weir_onread){.buffer = r->blocks[0], .size = r->size, .callback = on_bytes, .arg = r};
}

weir_onread blocks_two(blocks *r)
{
    return (weir_onread){.block = give_block, .callback = on_bytes, .arg = r};
}

typedef struct amount {
    const blocks *r;
    size_t size;
} amount;

static int is_there(const void *arg)
{
    const amount *wanted = arg;
    return wanted->r->data_size >= wanted->size;
}

void blocks_expect(const blocks *r, const char *bytes, size_t size)
{
    assert_int_equal(r->data_size, size);
    assert_memory_equal(r->data, bytes, size);
}

void blocks_wait(fixture *f, const blocks *r, size_t size)
{
    amount wanted = {r, size};
    while (!is_there(&wanted)) {
        int alive = fixture_turn(f, is_there, &wanted);
        if (!is_there(&wanted) && (!alive || f->expired)) {
            fail_msg("%zu bytes came and not %zu", r->data_size, size);
        }
    }
}

void blocks_transfer(fixture *f, pair p, const blocks *r, size_t size)
{
    char *bytes = malloc(size);
    fixture_fill(bytes, size, 11);
    recorder_write(p.client, bytes, size);
    blocks_wait(f, r, size);
    blocks_expect(r, bytes, size);
    free(bytes);
}
