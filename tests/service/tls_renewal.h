/* SPDX-License-Identifier: MIT */
/* For tests of certificates that are replaced: three pairs of one authority, servers of files, and which pair is served. */
#ifndef WEIR_TEST_TLS_RENEWAL_H
#define WEIR_TEST_TLS_RENEWAL_H

#include <weir/tls.h>

#include "fixture.h"
#include "tls_load.h"

/* ---- pairs of localhost ---- */

enum { PAIRS = 3 };

/* Makes them, once for the program; skips the test where there is no plugin tls. */
void make_pairs(void);

/* The path of one's "pem" or "key". */
const char *pair_file(fixture *f, size_t which, const char *end);

/* ---- files ---- */

const char *file_content(fixture *f, const char *path);

/* In place: what stood there is overwritten. */
void write_over(const char *path, const char *text);
void copy_file(fixture *f, const char *from, const char *to);

/* Where a server has its pair: in the fixture's folder. */
typedef struct pair_place {
    fixture *f;
    const char *cert;
    const char *key;
} pair_place;

const char *in_folder(const pair_place *at, const char *name);

/* Under another name first, and then renamed: the usual way. */
void by_rename(const pair_place *at, size_t which);

/* site.pem and site.key, with this pair. */
void prepare_plainly(pair_place *at, size_t which);

/* ---- servers ---- */

/* A context of a program's; and, but for site_make, a server of it. */
typedef struct tls_site {
    const weir_tls *tls;
    weir_tls_context *context;
    weir_server *server;
} tls_site;

tls_site site_make(fixture *f, const char *options);
tls_site site_serve(fixture *f, const char *options);
void site_reload(const tls_site *self);

/* A reload is refused, in words with this text in them. */
void site_refuse(const tls_site *self, const char *why);

/* A server by an endpoint that watches its files; `more` are members of its options. */
weir_server *site_watching(const pair_place *at, const char *more);

/* What its log says. */
#define WAS_READ    "the files have changed and were read again"
#define WAS_REFUSED "cannot be used; what was read before serves on"

/* ---- load ---- */

/* Clients of the server that come all the time; to be ended by tls_load_end. */
void load_start(tls_load *self, fixture *f, const weir_server *server);

/* Which pair a handshake is served that begins now. */
size_t serves(tls_load *self);

/* Until the log has this so often. */
void load_until(tls_load *self, const char *line, size_t count);

#endif
