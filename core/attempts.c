/* SPDX-License-Identifier: MIT */
/*
 * The addresses that were tried by a connect to a name with several: autoSelectFamilyAttemptedAddresses (SOCP-01). Most
 * streams have none, and pay for none.
 */
#include <string.h>

#include "memory.h"
#include "stream_private.h"

void weir__attempts_found(weir_stream *stream)
{
    if (stream->lookups < 2) {
        stream->lookups++;
    }
}

/* 0: no memory. */
static int make_room(weir__extras *extras)
{
    if (extras->attempted_count < extras->attempted_capacity) {
        return 1;
    }
    size_t capacity = extras->attempted_capacity + 4;
    weir_address *grown = weir__realloc(extras->attempted, capacity * sizeof(*grown));
    if (grown == NULL) {
        return 0;
    }
    extras->attempted = grown;
    extras->attempted_capacity = capacity;
    return 1;
}

/* Without memory there is no list rather than one with a gap, and connecting goes on. */
void weir__attempts_add(weir_stream *stream, const weir_address *address)
{
    if (stream->lookups < 2 || address == NULL) {
        return;
    }
    weir__extras *extras = weir__stream_extras(stream);
    if (extras == NULL || !make_room(extras)) {
        weir__attempts_forget(stream);
        return;
    }
    extras->attempted[extras->attempted_count++] = *address;
}

/* SOCP-02: the last one is the peer's, also when one that was tried before the others has won (BN-01). */
void weir__attempts_won(weir_stream *stream)
{
    weir_address peer;
    weir__extras *extras = stream->extras;
    if (stream->lookups < 2 || extras == NULL || weir__stream_peer(stream, &peer) != 0) {
        return;
    }
    size_t last = extras->attempted_count;
    for (size_t i = 0; i + 1 < last; i++) {
        if (weir_address_equal(&extras->attempted[i], &peer)) {
            memmove(&extras->attempted[i], &extras->attempted[i + 1], (last - i - 1) * sizeof(peer));
            extras->attempted[last - 1] = peer;
            return;
        }
    }
}

void weir__attempts_forget(weir_stream *stream)
{
    weir__extras *extras = stream->extras;
    stream->lookups = 0;
    if (extras == NULL) {
        return;
    }
    weir__free(extras->attempted);
    extras->attempted = NULL;
    extras->attempted_count = 0;
    extras->attempted_capacity = 0;
}

size_t weir_stream_attempted_addresses(const weir_stream *stream, const weir_address **addresses)
{
    const weir__extras *extras = stream->extras;
    size_t count = extras != NULL ? extras->attempted_count : 0;
    if (addresses != NULL) {
        *addresses = count > 0 ? extras->attempted : NULL;
    }
    return count;
}
