/* SPDX-License-Identifier: MIT */
/* The fake engine's table. */
#include <string.h>

#include <uv.h>

#include "fake.h"

static int init(void **instance, weir_error **error)
{
    *instance = NULL;
    *error = NULL;
    return 0;
}

static void end(void *instance)
{
    (void)instance;
}

static int make_random(void *instance, void *data, size_t size)
{
    (void)instance;
    return uv_random(NULL, NULL, data, size, 0, NULL);
}

/* FNV, four times from different beginnings. */
void fake_digest(const tls_bytes *pieces, size_t count, unsigned char out[TLS_DIGEST_SIZE])
{
    uint64_t sums[4] = {0xcbf29ce484222325u, 0x84222325cbf29ce4u, 0x1234567890abcdefu, 0xfedcba0987654321u};
    for (size_t i = 0; i < count; i++) {
        const unsigned char *bytes = pieces[i].data;
        for (size_t at = 0; at < pieces[i].size; at++)
            for (size_t sum = 0; sum < 4; sum++)
                sums[sum] = (sums[sum] ^ bytes[at]) * (0x100000001b3u + 2 * sum);
    }
    memcpy(out, sums, TLS_DIGEST_SIZE);
}

static int digest(void *instance, const tls_bytes *pieces, size_t count, unsigned char out[TLS_DIGEST_SIZE])
{
    (void)instance;
    fake_digest(pieces, count, out);
    return 0;
}

const tls_engine weir__tls_engine = {
    .name = "fake",
    .newest = TLS_VERSION_13,
    .init = init,
    .exit = end,
    .random = make_random,
    .digest = digest,
    .credentials_new = fake_credentials_new,
    .credentials_free = fake_credentials_free,
    .session_new = fake_session_new,
    .session_free = fake_session_free,
    .handshake = fake_handshake,
    .read = fake_read,
    .write = fake_write,
    .close_notify = fake_close_notify,
    .pending = fake_pending,
    .fact = fake_fact,
    .export_keys = fake_export_keys,
    .session_get = fake_session_get,
    .peer_der = fake_peer_der,
};
