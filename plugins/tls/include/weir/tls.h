/* SPDX-License-Identifier: MIT */
/*
 * The layer tls for C programs: contexts made and changed while they are in use, callbacks, and what a stream's
 * certificate and session are. There is nothing to link to: the plugin gives a table.
 *
 *     const weir_plugin *plugin;
 *     weir_runtime_load_plugin(runtime, "tls", &plugin, NULL);
 *     const weir_tls *tls = weir_tls_of(plugin);
 *
 *     weir_tls_options options = {.size = sizeof(options), .role = WEIR_SERVER};
 *     options.options = "{\"cert\": \"server.pem\", \"key\": \"server.key\"}";
 *     weir_tls_context *context;
 *     tls->context_new(runtime, &options, &context, &error);
 *     tls->context_register(context, "front");
 *     weir_server_listen(server, "tls+tcp://[::]:8443?context=front", NULL, NULL);
 *     ...
 *     tls->context_reload(context, NULL, &error);
 *
 * All of it is called in the runtime's thread. The layer's facts are asked for with weir_stream_get ("tls.version",
 * "tls.authorized" ...: the plugin's README lists them), in 'error' too: there, and in 'clientError', "tls.error" is the code
 * in letters of why it failed ("CERT_HAS_EXPIRED", "ECONNRESET"). Its events come as WEIR_EVENT_LAYER:
 *
 *     secureConnect   the handshake is over and the peer is who it should be; before 'ready'; no payload
 *     session         client: something to resume by came (on TLS 1.3 often several); the payload is what
 *                     stream_set_session takes: a secret
 *     keylog          only with the option: one line of a key log, without its end
 */
#ifndef WEIR_TLS_H
#define WEIR_TLS_H

#include <stddef.h>
#include <stdint.h>

#include <weir/endpoint.h>
#include <weir/options.h>
#include <weir/plugin.h>
#include <weir/runtime.h>
#include <weir/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEIR_TLS_VERSION 1

typedef struct weir_tls_context weir_tls_context;

/* What a client says at first: valid during the call. */
typedef struct weir_tls_hello {
    size_t size;             /* sizeof(weir_tls_hello) */
    const char *server_name; /* in lower case; NULL: none was asked for */
    const char *const *alpn; /* the protocols it offers */
    size_t alpn_count;
} weir_tls_hello;

/*
 * Which context is to serve a client, with its own callback for pre-shared keys; the callback's answer is of the same
 * runtime, a server's, and borrowed for the call. Its own table under SNI is not looked into; its option `watch` holds from
 * the first connection it serves. NULL (and so is a context that will not do): the table of the option SNI decides, and in
 * the end the context itself.
 */
typedef weir_tls_context *(*weir_tls_server_name_function)(const weir_tls_hello *hello, void *arg);

/*
 * Server: the key of a client that names itself so; at most `room` bytes. Its length, 0: it is not known, and the
 * handshake fails. Called within the handshake: do not write to the stream from there.
 */
typedef size_t (*weir_tls_psk_function)(const void *identity, size_t length, void *key, size_t room, void *arg);

/* Client: who we are for this server, asked before the handshake. Texts and bytes are copied when the callback returns. */
typedef struct weir_tls_psk {
    size_t size; /* sizeof(weir_tls_psk) */
    const char *identity;
    const void *key;
    size_t key_size; /* 16 to 64; mbedTLS 2.28 takes at most 32, 3.6 at most 48 */
} weir_tls_psk;
/* 1: `*psk` is filled in (with what cannot be a key the connection fails: UV_EINVAL); 0: no key for it, the handshake
 * goes by certificates. */
typedef int (*weir_tls_client_psk_function)(const char *server_name, weir_tls_psk *psk, void *arg);

/* What a context is made of. Fill with weir_options_init, then set what is wanted. */
typedef struct weir_tls_options {
    size_t size; /* sizeof(weir_tls_options): see weir/options.h */
    weir_role role;
    const char *options; /* a JSON object of the layer's options but `context`; files, or PEM as it stands; NULL: {} */
    const char *folder;  /* what relative files are relative to; NULL: the working folder */
    weir_tls_server_name_function server_name;
    weir_tls_psk_function psk;
    weir_tls_client_psk_function client_psk;
    void *arg; /* of all three */
} weir_tls_options;

/* Of the connections that a context serves: one that a callback chose another context for is counted there. */
typedef struct weir_tls_counters {
    size_t size;                 /* sizeof(weir_tls_counters), set by the caller */
    uint64_t handshakes_full;    /* that were completed, those of contexts under SNI included */
    uint64_t handshakes_resumed; /* by a session or a ticket */
    uint64_t handshakes_failed; /* and those that the peer gave up; before one is chosen, of the context that listens */
    uint64_t reloads;           /* that took effect */
    uint64_t reloads_refused;
} weir_tls_counters;

/* The table; it grows by appending. */
typedef struct weir_tls {
    size_t size; /* sizeof(weir_tls) */

    /*
     * A context with one reference, the caller's, to be given up before the runtime ends. 0, or below 0 with `*error`
     * (where error is not NULL; the caller's) that names every fault: WEIR_EINVALID_CONFIG (and where they are no JSON
     * object), UV_EINVAL, UV_ENOMEM. `options` is copied.
     */
    int (*context_new)(weir_runtime *runtime, const weir_tls_options *options, weir_tls_context **context,
                       weir_error **error);
    weir_tls_context *(*context_retain)(weir_tls_context *context);
    void (*context_release)(weir_tls_context *context);

    /* The option context of endpoints that are parsed from now on may name it so; such an endpoint has no other option of
     * the layer. The name is given up with `name` NULL, or with the last reference, those of endpoints and connections
     * among them. 0, UV_EINVAL, UV_EEXIST (another context has it), UV_ENOMEM. */
    int (*context_register)(weir_tls_context *context, const char *name);

    /*
     * Reads all files again; with `options` not NULL, those of `options` instead (its role and callbacks are not looked
     * at). New handshakes go by what was read; connections that stand go on as they are. When anything is wrong, an
     * error as of context_new, and the context serves on as it did.
     */
    int (*context_reload)(weir_tls_context *context, const weir_tls_options *options, weir_error **error);

    void (*context_counters)(const weir_tls_context *context, weir_tls_counters *counters);

    /* The context of an endpoint's layer tls (not the one that a callback chose), borrowed from the stream; a stream with
     * several has the top one's. NULL: none. */
    weir_tls_context *(*stream_context)(weir_stream *stream);

    /* The peer's certificate in DER, valid until the stream's 'close' ('error' comes before): 0, UV_ENOENT, UV_ENOTCONN. As
     * PEM it is the fact "tls.peer.pem". */
    int (*stream_peer)(weir_stream *stream, const void **der, size_t *size);

    /* Client: a session to resume by in a later connection to the same server with the same options: a secret, to be
     * wiped and given to weir_free. 0, UV_ENOENT (there is none yet: wait for the event `session`), UV_ENOTCONN, UV_ENOMEM. */
    int (*stream_session)(weir_stream *stream, void **session, size_t *size);

    /* Client, after weir_stream_connect and before 'connect': resume by this instead of what the layer has kept. With size 0:
     * resume by nothing. One that was made for another name, or with options that let others in, is passed over, and with
     * the option `tickets` off any is. 0, UV_EINVAL, UV_ENOTCONN, UV_EALREADY (the handshake has begun), UV_ENOMEM. */
    int (*stream_set_session)(weir_stream *stream, const void *session, size_t size);

    /* Exported keying material (RFC 5705, RFC 9266). `context` NULL: none. 0, UV_EINVAL, UV_ENOTSUP, UV_ENOTCONN. */
    int (*stream_export)(weir_stream *stream, const char *label, const void *context, size_t context_size, void *out,
                         size_t size);
} weir_tls;

/* The table of a plugin; NULL: it has none of this version. */
static inline const weir_tls *weir_tls_of(const weir_plugin *plugin)
{
    return plugin != NULL && plugin->interface != NULL ? (const weir_tls *)plugin->interface("tls", WEIR_TLS_VERSION)
                                                       : NULL;
}

#ifdef __cplusplus
}
#endif
#endif
