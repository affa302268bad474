/* SPDX-License-Identifier: MIT */
/* The link of a TLS connection, and which file does what for it. */
#ifndef WEIR_TLS_LAYER_H
#define WEIR_TLS_LAYER_H

#include <weir/layer.h>

#include "context.h"
#include "engine.h"
#include "hello.h"
#include "transfer.h"

/* What one turn of the loop may take: the others have theirs. */
#define TLS_TURN_BYTES  ((size_t)256 * 1024)
#define TLS_TURN_ROUNDS 4 /* of filling the queue that goes out */

typedef enum tls_state {
    TLS_NEW,
    TLS_HELLO,     /* server: the ClientHello is collected */
    TLS_HANDSHAKE, /* the engine has it */
    TLS_FINISHING, /* it is over, its last flight is still here: not open yet, and nothing is read */
    TLS_UNSENT,    /* that cannot be sent: fails, once it is known whether the peer has said why */
    TLS_OPEN,
    TLS_BROKEN /* failed was reported */
} tls_state;

/* Something to resume by: a secret. */
typedef struct tls_given tls_given;
struct tls_given {
    tls_given *next;
    size_t size;
    char bytes[];
};

typedef struct tls_link {
    weir_link link;
    weir_runtime *runtime;
    weir_tls_context *holder;
    tls_context *context;     /* the one that serves this connection; NULL before it is chosen */
    weir_tls_context *chosen; /* server: whose context that is, where a callback chose another holder's; else NULL */
    tls_session *session;
    weir_role role;
    tls_state state;
    unsigned began : 1;   /* the link below is open, or was */
    unsigned shaken : 1;  /* the engine's handshake is over */
    unsigned refused : 1; /* client: whom the engine has let pass is not taken all the same */
    unsigned looks : 4;   /* TLS_UNSENT: turns in which the peer's word may still come */

    /* whom it is about */
    char *name;          /* client: whom to verify; server: what the client asked for. NULL: nobody, nothing */
    int name_is_address; /* client */
    char *kept_name;     /* client: what its sessions are kept under; NULL: they are not */
    const char *alpn;    /* server: chosen; of the settings */

    /* reading */
    tls_in in;
    weir_error *below_error; /* the link below has failed: told behind what is here */
    unsigned end_below : 1;  /* its end has come */
    unsigned dry : 1;        /* the engine has nothing more, of all that came */
    unsigned notified : 1;   /* the peer's close_notify has come */
    unsigned ended : 1;      /* end was reported */
    unsigned pumping : 1;
    unsigned was_open : 1;

    /* writing */
    unsigned writing : 1; /* a write of the link above is outstanding */
    unsigned shutting : 1;
    unsigned shut_below : 1;
    unsigned closing : 1;
    tls_out out;
    size_t below; /* bytes of the write that is outstanding below; 0: none is */
    size_t held;  /* ciphertext, in front of the queue, of bytes that were taken by try_write */
    size_t ahead; /* bytes of the next write that are encrypted already */
    tls_cursor cursor;
    int write_error;  /* latched */
    char failure[64]; /* the code of what it failed by, or cannot write by, in letters; "": nothing */

    weir_task later; /* reports that must not come inside the call that earned them */
    weir_task turn;  /* what goes on in the next turn of the loop */

    /* what the engine told during a call, for after it */
    tls_given *given; /* client: sessions to resume by, the oldest first */
    tls_given *fresh; /* the one that was told last, for whoever asks */
    char *keylog;     /* lines, each ended by NUL */
    size_t keylog_size;
    int keylog_error; /* why a line is not in the file */

    /* client: a session that the application gave to resume by */
    void *offered;
    size_t offered_size;
    int offered_set;
} tls_link;

/* Its name and what is in it is the application's to see no more: closed, or failed. */
int weir__tls_gone(const tls_link *self);

/* ---- layer.c: life ---- */

extern const weir_layer weir__tls_layer;

/* Whose context serves it, as far as that has been chosen: it counts the connection, and answers for pre-shared keys. */
weir_tls_context *weir__tls_serving(const tls_link *self);

/* Notes the code of what it fails by. */
void weir__tls_name_failure(tls_link *self, const weir_error *error);

/* Fails the link with this error, which it releases: alerts that wait are sent as far as that goes at once. */
void weir__tls_fail(tls_link *self, weir_error *error);

/* ---- open.c: the handshake ---- */

void weir__tls_open(weir_link *link);

/* Bytes came before it was open. */
void weir__tls_open_data(tls_link *self);

/* The link below has failed before it was open. */
void weir__tls_open_failed(tls_link *self, const weir_error *error);

/* The peer's end came before it was open. */
void weir__tls_open_ended(tls_link *self);

/* What was to be sent has gone, or not: goes on with the handshake. */
void weir__tls_open_written(tls_link *self);

/* TLS_UNSENT: one turn less. */
void weir__tls_open_turn(tls_link *self);

/* ---- host.c: what the engine asks for ---- */

extern const tls_host weir__tls_host;

/* Wipes and frees a list of them. */
void weir__tls_given_free(tls_given *given);

/* Events for what the engine told during its call. Look whether the link is gone after it. */
void weir__tls_tell(tls_link *self);

/* ---- read.c ---- */

void weir__tls_read_start(weir_link *link);
void weir__tls_read_stop(weir_link *link);
weir_buf *weir__tls_on_buffer(weir_link *link, size_t suggested);
void weir__tls_on_data(weir_link *link, weir_buf *buf);
void weir__tls_on_end(weir_link *link);

/* Reports what can be reported, as much as a turn may, and asks for more below. */
void weir__tls_read_turn(tls_link *self);

/* Reads below, or no more, as is right now. */
void weir__tls_ask_below(tls_link *self);

/* ---- write.c ---- */

ssize_t weir__tls_try_write(weir_link *link, const struct iovec *bufs, size_t count);
int weir__tls_write(weir_link *link, const struct iovec *bufs, size_t count);
int weir__tls_shutdown(weir_link *link);
void weir__tls_on_written(weir_link *link, int status);

/* Hands the queue to the link below, as much as it takes. */
void weir__tls_send(tls_link *self);

/* Goes on with a write that had to wait for its turn; reports it when it is done. */
void weir__tls_write_turn(tls_link *self);

/* Nothing more is sent. */
void weir__tls_latch(tls_link *self, int status);

/* Everything that was to be sent has gone. */
int weir__tls_sent_all(const tls_link *self);

/* ---- facts.c ---- */

int weir__tls_get(weir_link *link, const char *name, weir_value *value);

/* The top link of this plugin in a stream's stack, or NULL. */
tls_link *weir__tls_link_of(weir_stream *stream);

/* ---- interface.c ---- */

const void *weir__tls_interface(const char *name, unsigned version);

#endif
