/* SPDX-License-Identifier: MIT */
/*
 * The conformance suite of links: what weir/link.h promises, tried on any transport, bare and below a layer that does
 * everything a link may do (chaos). The streams are driven by the public functions; probes in the stack look at what
 * the links say to each other and make a test fail by themselves (tests/plugins/probe).
 *
 * A transport of one's own passes it by a program like test_links_mem.c.
 */
#ifndef WEIR_TEST_SUITE_H
#define WEIR_TEST_SUITE_H

#include "fixture.h"

typedef struct suite_transport {
    const char *name; /* for the tests' names: the plugin's, or more */

    /*
     * The transport's part of an endpoint in JSON, {"NAME": {...}}: to listen (server NULL), or to connect to a server.
     * The text lives as the fixture does. `index` tells apart servers that one test has at the same time.
     */
    const char *(*component)(fixture *f, const weir_server *server, int index);

    /*
     * Layers that belong to it, from the wire inwards: JSON as it stands between the brackets of "layers"; the options of
     * the listening side and of the connecting one. NULL: it has none.
     */
    const char *(*layers)(fixture *f, int listens);

    /* What the URL that reaches a server has to end in for those layers: "?servername=localhost". NULL: where there are
     * layers, a URL cannot say it. */
    const char *(*query)(fixture *f);

    int can_reset; /* it has a reset that the peer sees */

    /* How many bytes it and the system take from a writer whose peer does not read. */
    size_t holds_at_least;
    size_t holds_at_most;
} suite_transport;

/* Runs all of it, bare and with several seeds; the number of failed tests. WEIR_TEST_SEED=n: with that seed alone. */
int suite_run(const suite_transport *transport);

/* The same without the seeds. */
int suite_run_bare(const suite_transport *transport);

/* ---- transports ---- */

/* Components of tcp, ipc and mem, as suite_transport has them. */
const char *suite_tcp(fixture *f, const weir_server *server, int index);
const char *suite_ipc(fixture *f, const weir_server *server, int index);
const char *suite_mem(fixture *f, const weir_server *server, unsigned pipe_size);

/* ---- layers of TLS ---- */

/* A plugin that is one, and its texts: as it stands in "layers" on either side, and the query of suite_transport. */
typedef struct suite_tls {
    const char *plugin;
    const char *listens;
    const char *connects;
    const char *query;
} suite_tls;

/* What it stands on. Chaos is the layer that does everything a link may do, and comes with several seeds. */
typedef enum suite_tls_stack {
    SUITE_TLS_OVER_TCP,
    SUITE_TLS_OVER_IPC,
    SUITE_TLS_OVER_TLS,
    SUITE_TLS_OVER_CHAOS
} suite_tls_stack;

/* The number of failed tests. */
int suite_run_tls(const suite_tls *tls, suite_tls_stack stack);

/* The same for the plugin tls, skipped where it is not built. A program for each stack, because they take long. */
int suite_run_plugin_tls(suite_tls_stack stack);

/* ---- for the tests of the suite ---- */

typedef struct suite_variant {
    const suite_transport *transport;
    int chaos; /* the stack has the layer in it, on both sides */
    unsigned seed;
    int first_seed;
} suite_variant;

const suite_variant *suite_variant_of(const fixture *f);

/*
 * Endpoints in JSON with the variant's layers. `options` are members for the layer chaos ("\"failAt\": \"read:2\""),
 * which is then there in any variant; NULL: the variant's own.
 */
const char *suite_listen_text(fixture *f, const char *options, int index);
const char *suite_connect_text(fixture *f, const weir_server *server, const char *options);

/* Without any layer but the transport's own. */
const char *suite_bare_listen_text(fixture *f);
const char *suite_bare_connect_text(fixture *f, const weir_server *server);

/* What a client's URL ends in. Where a URL cannot say it, the test is skipped. */
const char *suite_query(fixture *f);

/* Members for a chaos that only fails, at one point, a write in the try or in earnest, and changes nothing else. */
const char *suite_fail_at(fixture *f, const char *point);

/* A server and a connection to it with the variant's layers. `half_open`: neither side ends by itself. */
pair suite_pair(fixture *f, int half_open);

/* The same for a client with layers of its own. */
weir_server *suite_server(fixture *f, int half_open);
pair suite_connect(fixture *f, weir_server *server, int half_open, const char *chaos);

/* SUITE_BYTES bytes of no pattern. */
#define SUITE_BYTES ((size_t)512 * 1024)
extern const char *suite_bytes;

/* As many bytes as a writer gets rid of without a reader, but few. */
size_t suite_few(const fixture *f);

/*
 * A whole life without anything of the fixture: a loop, a runtime, an echo server and a client that sends SUITE_BYTES,
 * gets them back and ends. It copes with whatever fails. Zero it, set `listen`, then the three functions in this order;
 * any thread may be the one that runs it.
 */
typedef struct suite_conversation {
    const char *listen; /* of suite_listen_text */
    const char *query;  /* of suite_query */
    int status;         /* of the first call or event that failed, 0: none */
    size_t received;
    size_t wrong;    /* data that was not what was sent */
    int connected;   /* connect() said 0 */
    int closed;      /* 'close' events of the client */
    int left_behind; /* the loop could not be closed, or somebody waited for ever */

    uv_loop_t loop;
    weir_runtime *runtime;
    weir_server *server;
    weir_stream *client;
} suite_conversation;

/*
 * The loop is made and closed apart: libuv closes its descriptors by a system call that the thread sanitizer does not
 * see, and a number that comes back in another thread looks like a race to it.
 */
void suite_conversation_open(suite_conversation *self);
void suite_conversation_run(void *conversation);
void suite_conversation_close(suite_conversation *self);

/* With which variants a test runs: some take long, and to some chaos makes no difference. */
typedef enum suite_scope { SUITE_ALL, SUITE_BARE, SUITE_ONE_SEED } suite_scope;

typedef struct suite_test {
    const char *name;
    void (*run)(void **state);
    suite_scope scope;
} suite_test;

#define SUITE_TEST(function)           \
    {                                  \
#function, function, SUITE_ALL \
    }
#define SUITE_TEST_BARE(function)       \
    {                                   \
#function, function, SUITE_BARE \
    }
#define SUITE_TEST_ONE_SEED(function)       \
    {                                       \
#function, function, SUITE_ONE_SEED \
    }

extern const suite_test suite_flow_tests[];   /* laws_flow.c; ended by a NULL name */
extern const suite_test suite_end_tests[];    /* laws_end.c */
extern const suite_test suite_inside_tests[]; /* laws_inside.c */
extern const suite_test suite_memory_tests[]; /* laws_memory.c */

#endif
