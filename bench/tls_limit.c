/* SPDX-License-Identifier: MIT */
/*
 * bench_tls_limit: what mbedTLS alone costs a server, with no socket and nothing of weir: a client and a server of the
 * library in one thread, their bytes handed over in memory, and the CPU time of the server's calls alone.
 */
#define MBEDTLS_ALLOW_PRIVATE_ACCESS

#include "complain.h"

#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mbedtls/version.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/gcm.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

#define RELEASE_3 (MBEDTLS_VERSION_NUMBER >= 0x03000000)

#if RELEASE_3
#include <psa/crypto.h>
#endif

enum {
    RECORD = 16384,
    /* Records that are under way at a time: the clock is read for a batch of them. */
    BATCH = 16,
    SMALL = 64,
    SMALL_BATCH = 64,
    ROOM = BATCH * (RECORD + 512),
    OPEN_AT_ONCE = 64,
    TICKET_LIFETIME = 86400,
};

/* Bytes on their way from one to the other. */
struct queue {
    size_t from;
    size_t to;
    unsigned char bytes[ROOM];
};

struct end {
    mbedtls_ssl_context ssl;
    struct queue *in;
    struct queue *out;
};

struct pair {
    struct end client;
    struct end server;
    struct queue to_server;
    struct queue to_client;
};

struct limit {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_x509_crt chain;
    mbedtls_pk_context key;
    mbedtls_ssl_ticket_context tickets;
    mbedtls_ssl_config client;
    mbedtls_ssl_config server;
    uint64_t spent; /* nanoseconds in the server's calls */
    uint64_t began;
};

static int refuse(const char *what, int result)
{
    char text[160];
    mbedtls_strerror(result, text, sizeof text);
    return bench_complain("%s: %s", what, text);
}

/* ---- the server's time ---- */

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void server_begins(struct limit *limit)
{
    limit->began = now();
}

static void server_ends(struct limit *limit)
{
    limit->spent += now() - limit->began;
}

/* ---- two ends ---- */

static int put(void *arg, const unsigned char *data, size_t size)
{
    struct end *end = arg;
    struct queue *queue = end->out;
    if (queue->from == queue->to) {
        queue->from = queue->to = 0;
    }
    if (size > ROOM - queue->to) {
        return MBEDTLS_ERR_SSL_WANT_WRITE;
    }
    memcpy(queue->bytes + queue->to, data, size);
    queue->to += size;
    return (int)size;
}

static int take(void *arg, unsigned char *data, size_t size)
{
    struct end *end = arg;
    struct queue *queue = end->in;
    size_t there = queue->to - queue->from;
    if (there == 0) {
        return MBEDTLS_ERR_SSL_WANT_READ;
    }
    size = size < there ? size : there;
    memcpy(data, queue->bytes + queue->from, size);
    queue->from += size;
    return (int)size;
}

static int begin_end(struct end *end, const mbedtls_ssl_config *config, struct queue *in, struct queue *out)
{
    end->in = in;
    end->out = out;
    mbedtls_ssl_init(&end->ssl);
    int result = mbedtls_ssl_setup(&end->ssl, config);
    mbedtls_ssl_set_bio(&end->ssl, end, put, take, NULL);
    return result == 0 ? 0 : refuse("mbedtls_ssl_setup", result);
}

static int begin_pair(struct limit *limit, struct pair *pair, const mbedtls_ssl_session *session)
{
    pair->to_server.from = pair->to_server.to = 0;
    pair->to_client.from = pair->to_client.to = 0;
    int result = begin_end(&pair->client, &limit->client, &pair->to_client, &pair->to_server);
    server_begins(limit);
    if (result == 0) {
        result = begin_end(&pair->server, &limit->server, &pair->to_server, &pair->to_client);
    }
    server_ends(limit);
    if (result == 0 && session != NULL) {
        result = mbedtls_ssl_set_session(&pair->client.ssl, session);
    }
    if (result == 0) {
        result = mbedtls_ssl_set_hostname(&pair->client.ssl, NULL);
    }
    return result;
}

static int shake_hands(struct limit *limit, struct pair *pair)
{
    int client;
    int server;
    do {
        client = mbedtls_ssl_handshake(&pair->client.ssl);
        server_begins(limit);
        server = mbedtls_ssl_handshake(&pair->server.ssl);
        server_ends(limit);
    } while ((client == 0 || client == MBEDTLS_ERR_SSL_WANT_READ) &&
             (server == 0 || server == MBEDTLS_ERR_SSL_WANT_READ) && (client != 0 || server != 0));
    return client == 0 && server == 0 ? 0 : refuse("handshake", client != 0 ? client : server);
}

static void end_pair(struct limit *limit, struct pair *pair)
{
    mbedtls_ssl_free(&pair->client.ssl);
    server_begins(limit);
    mbedtls_ssl_close_notify(&pair->server.ssl);
    mbedtls_ssl_free(&pair->server.ssl);
    server_ends(limit);
}

/* ---- what is measured ---- */

/* `count` records of `size` bytes: the server takes each and sends it back. */
static int echo_batch(struct limit *limit, struct pair *pair, size_t count, size_t size)
{
    static unsigned char bytes[RECORD];
    for (size_t i = 0; i < count; i++) {
        if (mbedtls_ssl_write(&pair->client.ssl, bytes, size) != (int)size) {
            return bench_complain("the client cannot write");
        }
    }
    server_begins(limit);
    for (size_t i = 0; i < count; i++) {
        if (mbedtls_ssl_read(&pair->server.ssl, bytes, size) != (int)size ||
            mbedtls_ssl_write(&pair->server.ssl, bytes, size) != (int)size) {
            return bench_complain("the server cannot echo");
        }
    }
    server_ends(limit);
    for (size_t i = 0; i < count; i++) {
        if (mbedtls_ssl_read(&pair->client.ssl, bytes, size) != (int)size) {
            return bench_complain("the client cannot read");
        }
    }
    return 0;
}

static int echo(struct limit *limit, struct pair *pair, uint64_t bytes, size_t size, size_t batch)
{
    if (begin_pair(limit, pair, NULL) < 0 || shake_hands(limit, pair) < 0 || echo_batch(limit, pair, batch, size) < 0) {
        return -1;
    }
    limit->spent = 0;
    for (uint64_t done = 0; done < bytes; done += batch * size) {
        if (echo_batch(limit, pair, batch, size) < 0) {
            return -1;
        }
    }
    uint64_t spent = limit->spent;
    end_pair(limit, pair);
    printf("%" PRIu64 "\n", spent);
    return 0;
}

static int handshakes(struct limit *limit, struct pair *pair, uint64_t count, bool resumed)
{
    mbedtls_ssl_session session;
    mbedtls_ssl_session_init(&session);
    if (begin_pair(limit, pair, NULL) < 0 || shake_hands(limit, pair) < 0 ||
        mbedtls_ssl_get_session(&pair->client.ssl, &session) != 0) {
        return bench_complain("there is no first session");
    }
    end_pair(limit, pair);
    limit->spent = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (begin_pair(limit, pair, resumed ? &session : NULL) < 0 || shake_hands(limit, pair) < 0) {
            return -1;
        }
        end_pair(limit, pair);
    }
    mbedtls_ssl_session_free(&session);
    printf("%" PRIu64 "\n", limit->spent);
    return 0;
}

/* Two numbers, bytes a session: all that the library keeps, and what its two record buffers are of it. */
static int memory(struct limit *limit, struct pair *pair)
{
    static struct end servers[OPEN_AT_ONCE];
    size_t buffers = 0;
    size_t all = 0;
    for (size_t i = 0; i < OPEN_AT_ONCE; i++) {
        size_t before = mallinfo2().uordblks;
        if (begin_pair(limit, pair, NULL) < 0 || shake_hands(limit, pair) < 0) {
            return -1;
        }
        mbedtls_ssl_free(&pair->client.ssl);
        all += mallinfo2().uordblks - before + sizeof(mbedtls_ssl_context);
        buffers += malloc_usable_size(pair->server.ssl.in_buf) + malloc_usable_size(pair->server.ssl.out_buf);
        servers[i] = pair->server;
    }
    for (size_t i = 0; i < OPEN_AT_ONCE; i++) {
        mbedtls_ssl_free(&servers[i].ssl);
    }
    printf("%zu %zu\n", all / OPEN_AT_ONCE, buffers / OPEN_AT_ONCE);
    return 0;
}

/* ---- set up ---- */

static int restrict_to_one(mbedtls_ssl_config *config)
{
    static const int suites[] = {MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0};
#if RELEASE_3
    static const uint16_t groups[] = {MBEDTLS_SSL_IANA_TLS_GROUP_SECP256R1, MBEDTLS_SSL_IANA_TLS_GROUP_NONE};
    mbedtls_ssl_conf_min_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_max_tls_version(config, MBEDTLS_SSL_VERSION_TLS1_2);
    mbedtls_ssl_conf_groups(config, groups);
#else
    static const mbedtls_ecp_group_id curves[] = {MBEDTLS_ECP_DP_SECP256R1, MBEDTLS_ECP_DP_NONE};
    mbedtls_ssl_conf_min_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_max_version(config, MBEDTLS_SSL_MAJOR_VERSION_3, MBEDTLS_SSL_MINOR_VERSION_3);
    mbedtls_ssl_conf_curves(config, curves);
#endif
    mbedtls_ssl_conf_ciphersuites(config, suites);
    mbedtls_ssl_conf_authmode(config, MBEDTLS_SSL_VERIFY_NONE);
    return 0;
}

static int read_identity(struct limit *limit, const char *folder)
{
    char path[256];
    snprintf(path, sizeof path, "%s/server.pem", folder);
    int result = mbedtls_x509_crt_parse_file(&limit->chain, path);
    if (result == 0) {
        snprintf(path, sizeof path, "%s/server.key", folder);
#if RELEASE_3
        result = mbedtls_pk_parse_keyfile(&limit->key, path, NULL, mbedtls_ctr_drbg_random, &limit->random);
#else
        result = mbedtls_pk_parse_keyfile(&limit->key, path, NULL);
#endif
    }
    return result == 0 ? 0 : refuse(path, result);
}

static int set_up(struct limit *limit, const char *folder)
{
    mbedtls_entropy_init(&limit->entropy);
    mbedtls_ctr_drbg_init(&limit->random);
    mbedtls_x509_crt_init(&limit->chain);
    mbedtls_pk_init(&limit->key);
    mbedtls_ssl_ticket_init(&limit->tickets);
    mbedtls_ssl_config_init(&limit->client);
    mbedtls_ssl_config_init(&limit->server);
#if RELEASE_3
    if (psa_crypto_init() != PSA_SUCCESS) {
        return bench_complain("psa_crypto_init failed");
    }
#endif
    int result = mbedtls_ctr_drbg_seed(&limit->random, mbedtls_entropy_func, &limit->entropy, NULL, 0);
    if (result == 0) {
        result = read_identity(limit, folder);
    }
    if (result == 0) {
        result = mbedtls_ssl_config_defaults(&limit->client, MBEDTLS_SSL_IS_CLIENT, MBEDTLS_SSL_TRANSPORT_STREAM,
                                             MBEDTLS_SSL_PRESET_DEFAULT);
    }
    if (result == 0) {
        result = mbedtls_ssl_config_defaults(&limit->server, MBEDTLS_SSL_IS_SERVER, MBEDTLS_SSL_TRANSPORT_STREAM,
                                             MBEDTLS_SSL_PRESET_DEFAULT);
    }
    if (result == 0) {
        result = mbedtls_ssl_ticket_setup(&limit->tickets, mbedtls_ctr_drbg_random, &limit->random,
                                          MBEDTLS_CIPHER_AES_256_GCM, TICKET_LIFETIME);
    }
    if (result == 0) {
        result = mbedtls_ssl_conf_own_cert(&limit->server, &limit->chain, &limit->key);
    }
    if (result != 0) {
        return refuse("mbedTLS cannot be set up", result);
    }
    mbedtls_ssl_conf_session_tickets_cb(&limit->server, mbedtls_ssl_ticket_write, mbedtls_ssl_ticket_parse,
                                        &limit->tickets);
    mbedtls_ssl_conf_rng(&limit->client, mbedtls_ctr_drbg_random, &limit->random);
    mbedtls_ssl_conf_rng(&limit->server, mbedtls_ctr_drbg_random, &limit->random);
    return restrict_to_one(&limit->client) + restrict_to_one(&limit->server);
}

static void tear_down(struct limit *limit)
{
    mbedtls_ssl_config_free(&limit->client);
    mbedtls_ssl_config_free(&limit->server);
    mbedtls_ssl_ticket_free(&limit->tickets);
    mbedtls_pk_free(&limit->key);
    mbedtls_x509_crt_free(&limit->chain);
    mbedtls_ctr_drbg_free(&limit->random);
    mbedtls_entropy_free(&limit->entropy);
}

static int run(struct limit *limit, struct pair *pair, const char *what, uint64_t work)
{
    if (strcmp(what, "ping-pong") == 0) {
        return echo(limit, pair, work * SMALL, SMALL, SMALL_BATCH);
    }
    if (strcmp(what, "stream") == 0) {
        return echo(limit, pair, work, RECORD, BATCH);
    }
    if (strcmp(what, "connect") == 0 || strcmp(what, "reconnect") == 0) {
        return handshakes(limit, pair, work, what[0] == 'r');
    }
    return strcmp(what, "idle") == 0 ? memory(limit, pair) : bench_complain("%s: not understood", what);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fputs("usage: bench_tls_limit ping-pong|stream|connect|reconnect|idle WORK FOLDER\n"
              "Prints nanoseconds of CPU time for WORK requests of 64 B, bytes or handshakes; or bytes of memory.\n"
              "FOLDER has server.pem and server.key.\n",
              stderr);
        return 2;
    }
    struct limit *limit = calloc(1, sizeof *limit);
    struct pair *pair = calloc(1, sizeof *pair);
    int result = -1;
    if (limit == NULL || pair == NULL) {
        bench_complain("out of memory");
    } else {
        result = set_up(limit, argv[3]);
        if (result == 0) {
            result = run(limit, pair, argv[1], strtoull(argv[2], NULL, 10));
        }
        tear_down(limit);
    }
    free(pair);
    free(limit);
    return result < 0 ? 1 : 0;
}
