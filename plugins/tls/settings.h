/* SPDX-License-Identifier: MIT */
/*
 * Settings: the options of a context read, files included, into what an engine makes credentials of. And the report, by
 * which faults of them are told where they stand.
 */
#ifndef WEIR_TLS_SETTINGS_H
#define WEIR_TLS_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#include <weir/buffer.h>
#include <weir/plugin.h>

#define TLS_DIGEST_SIZE   32
#define TLS_PSK_LEAST     16
#define TLS_PSK_MOST      64 /* bytes of a pre-shared key: what mbedTLS takes by default is 32, 3.6 takes 48 */
#define TLS_VERSION_12    0x0303
#define TLS_VERSION_13    0x0304
#define TLS_MATERIAL_MOST (4u * 1024 * 1024) /* bytes of one file; a system's bundle has some 220 KiB */

typedef struct tls_bytes {
    const void *data;
    size_t size;
} tls_bytes;

/*
 * A certificate, a chain, a key, a CRL: bytes as they stand in the file or in the option. data[size] is NUL, so that PEM
 * can be parsed in place; DER is told from PEM by the engine.
 */
typedef struct tls_material {
    const char *data; /* NULL: not given */
    size_t size;
    char *path;       /* absolute; NULL: it stood in the options, or came from the environment */
    char *pointer;    /* of the option it came from, for the report: "/cert", "/ca/1" */
    weir_buf *holder; /* keeps the data, which contexts under SNI share: the same `data` is the same material */
    uint64_t stamp;   /* of the file when it was read: which it was, how long, and of when; 0 without one */
} tls_material;

typedef struct tls_list {
    char **items; /* each ended by NUL */
    size_t count; /* 0: not given, the engine's own default */
    int is_array; /* it stands there as one: its faults are those of an element (weir__tls_item) */
} tls_list;

/* Of one context, immutable once made; the names are those of the options. */
typedef struct tls_settings {
    weir_role role;
    int incomplete; /* some of it, or of what is around it, was faulty and has been told: it is only to be checked */
    int partial;    /* that is so of options that are not there any more: what is missing may have been said */

    tls_material cert;  /* the own certificate, those that lead to its root behind it; none on clients without one */
    tls_material key;   /* where only cert is given, the same bytes: a file may hold both */
    int cert_is_around; /* under SNI: both are those of the context around, where all that is wrong with them is told */
    char *passphrase;   /* NULL: none, or forgotten */

    tls_material *ca; /* whom to trust; of a client without `ca` the system's bundle, flagged: */
    size_t ca_count;
    int ca_is_system; /* a certificate in it that cannot be parsed is passed over */
    tls_material *crl;
    size_t crl_count;

    char *servername; /* client: NULL: the host that is connected to */
    char *served;     /* server: under SNI, the name ("*.example.org") that the certificate is to bear; NULL: any */
    tls_list alpn;    /* ALPNProtocols, in the order of preference */
    int min_version;  /* TLS_VERSION_... */
    int max_version;  /* 0: the newest the engine has */
    tls_list ciphers; /* IANA names: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256; faults: weir__tls_item "ciphers" */
    tls_list groups;  /* x25519, secp256r1, secp384r1, secp521r1 ...; faults: weir__tls_item "groups" */
    int request_cert; /* server: ask the client for a certificate */
    int reject_unauthorized;

    char *psk_identity; /* with psk: one pre-shared key; NULL: none */
    unsigned char *psk;
    size_t psk_size;
    int psk_callback; /* server: an application answers for identities: PSK suites are to be offered though psk is NULL */

    unsigned char (*pins)[TLS_DIGEST_SIZE]; /* pinSha256, decoded: of SubjectPublicKeyInfo; any of them will do */
    size_t pin_count;

    int tickets;              /* resumption: server: tickets are given and taken; client: sessions are kept and used */
    uint32_t ticket_lifetime; /* seconds */
    uint32_t session_timeout; /* seconds that a TLS 1.2 session stays in a server's cache, 0: no cache */

    int allow_truncation; /* BN-17 */
    int keylog;           /* lines of key logs are wanted */
    char *keylog_path;    /* NULL: as events only */
    int watch;            /* reload when a file changes */

    /* What decides which clients are let in (requestCert, rejectUnauthorized, ca, crl, pins, psk): see tls_ticket_key. */
    unsigned char binding[TLS_DIGEST_SIZE];
} tls_settings;

/* ---- the report ---- */

/* Where faults and warnings go: to the configuration that is being read (holder.c), at their places. */
typedef struct tls_report {
    void (*tell)(const struct tls_report *report, int warning, const char *pointer, const char *message);
    void *arg;         /* of tell */
    const char *base;  /* what stands before every pointer: "", "/SNI/www.example.org" */
    const json_t *own; /* the options of a name under SNI: what it has not itself it has from around; or NULL */
    size_t faults;
    char *told; /* what names that have taken it over do not tell again, in new memory; or NULL */
} tls_report;

/* `pointer`: of the option inside the context ("/cert", "" the whole). Never quotes a secret. */
void weir__tls_fault(tls_report *report, const char *pointer, const char *format, ...) WEIR_PRINTF(3, 4);
void weir__tls_warning(tls_report *report, const char *pointer, const char *format, ...) WEIR_PRINTF(3, 4);

/* The pointer for a fault of one item of the list that the option `name` is, in `room`: "/ciphers/1", or "/ciphers". */
#define TLS_POINTER_MOST 48
const char *weir__tls_item(const tls_list *list, size_t index, const char *name, char room[TLS_POINTER_MOST]);

void weir__tls_report_end(tls_report *report);

/* ---- reading ---- */

/*
 * What is read: `options` valid by the schema, defaults filled in. Of a name under SNI, `around` are the settings of the
 * context around it, from which comes what the options do not say: all but cert, key and passphrase, which go together.
 */
typedef struct tls_source {
    const json_t *options;
    const char *folder; /* what relative files are relative to */
    weir_role role;
    const tls_settings *around; /* NULL: this is the outermost */
    const char *name;           /* under SNI: which */
    int psk_callback;           /* an application answers for identities */
    int partial;                /* as weir_configure has it: there are options that are faulty and not here */
    weir_hostless hostless;     /* likewise */
    const json_t *given;        /* the options as they were written, without defaults; of the outermost; NULL: none */
} tls_source;

struct tls_instance;

/*
 * 0 with `*settings`; WEIR_EINVALID_CONFIG after faults were told, with `*settings` that are incomplete and good for
 * finding more of them; UV_ENOMEM. Every file is read, each that cannot be is a
 * fault. A key's file that others may read is a warning, and so is what decides nothing.
 */
int weir__tls_settings_read(const tls_source *source, struct tls_instance *instance, tls_report *report,
                            tls_settings **settings);

/* Wipes the passphrase: the key has been read. */
void weir__tls_settings_forget(tls_settings *settings);

/* Wipes what is secret. NULL is let pass. */
void weir__tls_settings_free(tls_settings *settings);

/* memset that no compiler leaves out. */
void weir__tls_wipe(void *data, size_t size);

/* Wipes and frees it; NULL is let pass. */
void weir__tls_free_secret(void *secret, size_t size);

#endif
