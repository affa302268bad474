/* SPDX-License-Identifier: MIT */
/*
 * The ClientHello, read before any engine is started: which name the client asks for and which protocols it speaks decide
 * which context serves it (TLS-10). Records and handshake messages as RFC 8446 and RFC 5246 lay them out.
 */
#ifndef WEIR_TLS_HELLO_H
#define WEIR_TLS_HELLO_H

#include <stddef.h>
#include <stdint.h>

/* What is looked at at most, record headers included; a real one is a few hundred bytes, some with large keys 2 KiB. */
#define TLS_HELLO_MOST 16384

#define TLS_NAME_MOST 255

#define TLS_HELLO_VERSION(version) (1u << ((version)-0x0300)) /* 0x0300 is SSL 3, 0x0304 TLS 1.3 */

typedef enum tls_hello_verdict {
    TLS_HELLO_MORE,      /* it goes on: ask again with more bytes */
    TLS_HELLO_DONE,      /* it is whole, and read */
    TLS_HELLO_HTTP,      /* somebody speaks plain HTTP */
    TLS_HELLO_NOT_TLS,   /* no TLS at all */
    TLS_HELLO_SSL2,      /* the first message of SSL 2, which some old clients and scanners send */
    TLS_HELLO_ALERT,     /* TLS, but an alert: it gives up before it has begun */
    TLS_HELLO_MALFORMED, /* TLS, but not a ClientHello that can be read */
    TLS_HELLO_ODD_NAME,  /* one that asks for a name (SNI) which can be none */
    TLS_HELLO_TOO_LONG   /* more than TLS_HELLO_MOST */
} tls_hello_verdict;

typedef struct tls_hello {
    char server_name[TLS_NAME_MOST + 1]; /* in lower case, "" when none was sent */
    unsigned versions;                   /* that are offered, a bit each: TLS_HELLO_VERSION */
    int early_data;                      /* is offered */
    int odd_name;                        /* why it is malformed: there are other characters in its name than in any */
    size_t alpn_count;
    size_t alpn_size;
    unsigned char alpn[1024]; /* each name behind its length; a longer list is cut behind its last whole name */
    size_t records;           /* it came in so many */
    size_t size;              /* of these, headers included; 0: something else follows it in the last one */
} tls_hello;

/*
 * Reads the client's first bytes, all `size` that have come so far. `hello` is filled on DONE. The verdict is the same for
 * a ClientHello in one record or cut into many; before DONE the same bytes and more are to be given again.
 */
tls_hello_verdict weir__tls_hello_read(const unsigned char *data, size_t size, tls_hello *hello);

/*
 * A ClientHello of several records as one, which every engine can read, into `record` with room for as much as it has on
 * the wire: its size. `data` and `hello` are what was DONE, with its `size` not 0.
 */
size_t weir__tls_hello_join(const unsigned char *data, const tls_hello *hello, unsigned char *record);

/* What is wrong, its code first: "ERR_SSL_HTTP_REQUEST: the client speaks plain HTTP". "" for MORE and DONE. From MALFORMED
 * on the client is owed an alert. */
const char *weir__tls_hello_reason(tls_hello_verdict verdict);

/*
 * The first of `names` (the server's order) that the client offers too, or -1: TLS-11.
 */
int weir__tls_hello_choose(const tls_hello *hello, const char *const *names, size_t count);

#endif
