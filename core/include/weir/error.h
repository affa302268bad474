/* SPDX-License-Identifier: MIT */
/* Errors: codes, names and the object that an 'error' event carries. */
#ifndef WEIR_ERROR_H
#define WEIR_ERROR_H

#include <stddef.h>

#include <weir/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Codes. A function of weir returns 0 (or a count) or a code below 0. System errors are libuv's (UV_EADDRINUSE,
 * UV_ECONNRESET, ...; include <uv.h> for them), weir's own are in this table: code, Node's name, default text
 * (rows LIFE-17, SRV-40, SOCM-27 and the rows that name a code).
 *
 * One is a word that a row lays down and that no function of the core returns by itself: ETLSTRUNCATED (BN-17). Plugins
 * and applications may, and what it means stays the same.
 */
/* clang-format off */
#define WEIR_ERROR_MAP(X)                                                                                            \
    X(EABORTED,                   -20001, "ABORT_ERR",                            "the operation was aborted")        \
    X(EINVALIDARGTYPE,            -20002, "ERR_INVALID_ARG_TYPE",                 "an argument has the wrong type")   \
    X(EINVALIDARGVALUE,           -20003, "ERR_INVALID_ARG_VALUE",                "an argument has an invalid value") \
    X(EOUTOFRANGE,                -20004, "ERR_OUT_OF_RANGE",                     "a value is out of range")          \
    X(EMISSINGARGS,               -20005, "ERR_MISSING_ARGS",                     "an argument is missing")           \
    X(EINVALIDADDRESS,            -20006, "ERR_INVALID_ADDRESS",                  "not an address")                   \
    X(EINVALIDIPADDRESS,          -20007, "ERR_INVALID_IP_ADDRESS",               "not an IP address")                \
    X(EINVALIDADDRESSFAMILY,      -20008, "ERR_INVALID_ADDRESS_FAMILY",           "not an address family")            \
    X(EINVALIDFDTYPE,             -20009, "ERR_INVALID_FD_TYPE",                  "the descriptor is no stream socket") \
    X(EINVALIDHANDLETYPE,         -20010, "ERR_INVALID_HANDLE_TYPE",              "this kind of stream cannot do that") \
    X(ESOCKETBADPORT,             -20011, "ERR_SOCKET_BAD_PORT",                  "a port is a number from 0 to 65535") \
    X(ESOCKET_CLOSED,             -20012, "ERR_SOCKET_CLOSED",                    "the stream is closed")             \
    X(ECLOSED_BEFORE_CONNECTION,  -20013, "ERR_SOCKET_CLOSED_BEFORE_CONNECTION",  "the stream was closed before it was connected") \
    X(ESERVER_ALREADY_LISTEN,     -20014, "ERR_SERVER_ALREADY_LISTEN",            "listen was called more than once without closing") \
    X(ESERVER_NOT_RUNNING,        -20015, "ERR_SERVER_NOT_RUNNING",               "the server is not running")        \
    X(ESTREAM_DESTROYED,          -20016, "ERR_STREAM_DESTROYED",                 "the stream was destroyed")         \
    X(EWRITE_AFTER_END,           -20017, "ERR_STREAM_WRITE_AFTER_END",           "write after end")                  \
    X(EALREADY_FINISHED,          -20018, "ERR_STREAM_ALREADY_FINISHED",          "the stream has already finished")  \
    X(EPREMATURE_CLOSE,           -20019, "ERR_STREAM_PREMATURE_CLOSE",           "the stream closed before its end") \
    X(ESTREAM_NULL_VALUES,        -20020, "ERR_STREAM_NULL_VALUES",               "there is nothing to write: the data is NULL") \
    X(EUNSHIFT_AFTER_END,         -20021, "ERR_STREAM_UNSHIFT_AFTER_END_EVENT",   "unshift after 'end'")              \
    X(EUNKNOWN_ENCODING,          -20022, "ERR_UNKNOWN_ENCODING",                 "unknown encoding")                 \
    X(EWRITEQUEUEFULL,            -20023, "ERR_WRITE_QUEUE_FULL",                 "the write would pass maxWriteQueue") \
    X(EPLUGIN,                    -20024, "ERR_PLUGIN",                           "a plugin cannot be used")          \
    X(ENOPLUGIN,                  -20025, "ERR_NO_PLUGIN",                        "no such plugin")                   \
    X(EINVALID_CONFIG,            -20026, "ERR_INVALID_CONFIG",                   "the configuration is invalid")     \
    X(EINVALID_ENDPOINT,          -20027, "ERR_INVALID_ENDPOINT",                 "not an endpoint")                  \
    X(ETLSTRUNCATED,              -20028, "ERR_TLS_TRUNCATED",                    "the peer closed the connection without close_notify") \
    X(EIP_BLOCKED,                -20029, "ERR_IP_BLOCKED",                       "the address is on the block list")
/* clang-format on */

enum {
#define WEIR_ERROR_CODE(id, value, name, text) WEIR_##id = (value),
    WEIR_ERROR_MAP(WEIR_ERROR_CODE)
#undef WEIR_ERROR_CODE
};

/* Node's name of a code: "ERR_SERVER_ALREADY_LISTEN", "ECONNRESET", or "UNKNOWN". Never NULL; static text. */
WEIR_EXPORT const char *weir_error_name(int code);

/* A short text for a code ("connection reset by peer"). Never NULL; static text. Safe in any thread. */
WEIR_EXPORT const char *weir_error_text(int code);

/*
 * What an 'error' event carries, and what weir_stream_errored returns (row SOCK-35). Immutable and counted; fields that
 * do not apply are NULL or -1. The message says what was attempted, on what, why it failed and, where there is one,
 * what to do: "connect tcp://127.0.0.1:9: connection refused (ECONNREFUSED)".
 */
typedef struct weir_error weir_error;
struct weir_error {
    int code;                        /* below 0: UV_E... or WEIR_E... */
    int port;                        /* -1: none */
    const char *name;                /* weir_error_name(code) */
    const char *message;             /* never NULL */
    const char *syscall;             /* "connect", "listen", "read", "getaddrinfo" ... or NULL */
    const char *address;             /* an IP address, a path (abstract names begin with @), or NULL */
    size_t error_count;              /* an aggregate's errors, in order; otherwise 0 (row CONN-31) */
    const weir_error *const *errors; /* error_count of them, owned by this one */
    const char *local_address;       /* of a connect whose local end was given (CONN-13, CONN-14): that end, or NULL */
    int local_port;                  /* -1: none */
};

/*
 * Makes an error with one reference. `syscall` and `address` may be NULL, `port` -1; texts are copied. The message is
 * composed: "SYSCALL ADDRESS:PORT: TEXT OF CODE (NAME)", an IPv6 address in brackets where there is a port. Never NULL:
 * without memory a static error of code UV_ENOMEM comes back, which may be retained and released like any other.
 */
WEIR_EXPORT weir_error *weir_error_new(int code, const char *syscall, const char *address, int port);

/* The same with a message of the caller's own (printf). */
WEIR_EXPORT weir_error *weir_error_newf(int code, const char *syscall, const char *address, int port,
                                        const char *format, ...) WEIR_PRINTF(5, 6);

/* An aggregate: its code is the first one's, its message names every error (row CONN-31, BN-02). Takes no references.
 */
WEIR_EXPORT weir_error *weir_error_new_aggregate(const weir_error *const *errors, size_t count, const char *what);

/*
 * A copy of a single error that also names the local end: in its fields, and behind its message ("; from ADDRESS:PORT").
 * `port` -1: not known. Takes no references. Without memory, or of an aggregate, the error itself with one more reference.
 */
WEIR_EXPORT weir_error *weir_error_new_from(const weir_error *error, const char *address, int port);

/* One more reference. Returns its argument; NULL is let pass. */
WEIR_EXPORT weir_error *weir_error_retain(const weir_error *error);

/* One reference less. NULL is let pass. */
WEIR_EXPORT void weir_error_release(const weir_error *error);

#ifdef __cplusplus
}
#endif
#endif
