/* SPDX-License-Identifier: MIT */
/* Certificates with keys on P-256. mbedTLS 2.28 writes no alternative names and no uses of keys: they are put together here. */
#define _GNU_SOURCE

#include "make_cert.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <uv.h>

#include <weir/runtime.h>

#include "mbed.h"

enum {
    PEM_MOST = 16384,
    NAMES_MOST = 8192,
    HOST_MOST = 253,
    LABEL_MOST = 63,
    FAULT_MOST = 1024,
    SERIAL = 16,
    TAG_DNS = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 2,
    TAG_ADDRESS = MBEDTLS_ASN1_CONTEXT_SPECIFIC | 7
};

/* ---- extensions ---- */

static int is_address(const char *host, unsigned char address[16])
{
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static int is_name(const char *host)
{
    size_t length = strlen(host);

    if (length == 0 || length > HOST_MOST ||
        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                     "0123456789-._*") != length)
        return 0;
    const char *star = strrchr(host, '*');
    return !star || (star == host && host[1] == '.');
}

static int has_hyphen_outside(const char *host)
{
    size_t length = strlen(host);

    return host[0] == '-' || host[length - 1] == '-' || strstr(host, ".-") || strstr(host, "-.");
}

/* No name of DNS ends in a number: what does is taken for an address, by browsers and resolvers, too. */
static int ends_in_number(const char *host)
{
    const char *dot = strrchr(host, '.');
    const char *last = dot ? dot + 1 : host;

    return strspn(last, "0123456789") == strlen(last) ||
           (last[0] == '0' && (last[1] | 0x20) == 'x' &&
            strspn(last + 2, "0123456789abcdefABCDEF") == strlen(last + 2));
}

static int has_long_label(const char *host)
{
    size_t length = 0;

    for (; *host && length <= LABEL_MOST; host++)
        length = *host == '.' ? 0 : length + 1;
    return length > LABEL_MOST;
}

/* A label that is empty, as the one behind a last dot is, stands in no name that clients ask for. */
const char *weir__mbed_cert_host_fault(const char *host)
{
    unsigned char address[16];

    if (is_address(host, address))
        return NULL;
    if (!is_name(host) || host[0] == '.' || host[strlen(host) - 1] == '.' || strstr(host, ".."))
        return "is neither a name (ASCII letters, as DNS has it) nor an address";
    if (ends_in_number(host))
        return "is no address, though it ends in a number: those are four of 0 to 255 with dots between them";
    if (has_hyphen_outside(host))
        return "begins or ends with '-', or a part between two dots does, which no name in DNS does";
    if (has_long_label(host))
        return "has more than 63 letters between two dots, which no name in DNS has";
    if (host[0] == '*' && !strchr(host + 2, '.'))
        return "is a wildcard that clients refuse: two labels have to stand behind the star, as in *.example.org";
    return NULL;
}

/* One GeneralName, written from its end to its beginning as mbedTLS writes. */
static int put_host(unsigned char **at, unsigned char *start, const char *host)
{
    unsigned char address[16];
    const unsigned char *data = (const unsigned char *)host;
    size_t size = strlen(host);
    unsigned char tag = TAG_DNS;

    if (is_address(host, address)) {
        size = strchr(host, ':') ? 16 : 4;
        data = address;
        tag = TAG_ADDRESS;
    } else if (!is_name(host)) {
        return MBEDTLS_ERR_X509_INVALID_NAME;
    }
    int length = mbedtls_asn1_write_raw_buffer(at, start, data, size);
    int more = length < 0 ? length : mbedtls_asn1_write_len(at, start, size);
    if (more >= 0) {
        length += more;
        more = mbedtls_asn1_write_tag(at, start, tag);
    }
    return more < 0 ? more : length + more;
}

static int put_sequence(unsigned char **at, unsigned char *start, int length)
{
    int more = mbedtls_asn1_write_len(at, start, (size_t)length);

    if (more >= 0) {
        length += more;
        more = mbedtls_asn1_write_tag(at, start, MBEDTLS_ASN1_CONSTRUCTED | MBEDTLS_ASN1_SEQUENCE);
    }
    return more < 0 ? more : length + more;
}

static int add_names(mbedtls_x509write_cert *writer, const mbed_cert_request *request)
{
    unsigned char names[NAMES_MOST] = {0};
    unsigned char *at = names + sizeof(names);
    int length = 0;

    if (request->host_count == 0)
        return 0;
    for (size_t i = request->host_count; i-- > 0;) {
        int one = put_host(&at, names, request->hosts[i]);
        if (one < 0)
            return one;
        length += one;
    }
    length = put_sequence(&at, names, length);
    if (length < 0)
        return length;
    return mbedtls_x509write_crt_set_extension(writer, MBEDTLS_OID_SUBJECT_ALT_NAME,
                                               MBEDTLS_OID_SIZE(MBEDTLS_OID_SUBJECT_ALT_NAME), 0, at, (size_t)length);
}

static int add_uses(mbedtls_x509write_cert *writer, int uses)
{
    unsigned char oids[64] = {0};
    unsigned char *at = oids + sizeof(oids);
    int length = 0;

    if (uses & MBED_FOR_CLIENT)
        length += mbedtls_asn1_write_oid(&at, oids, MBEDTLS_OID_CLIENT_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_CLIENT_AUTH));
    if (uses & MBED_FOR_SERVER)
        length += mbedtls_asn1_write_oid(&at, oids, MBEDTLS_OID_SERVER_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH));
    if (length == 0)
        return 0;
    length = put_sequence(&at, oids, length);
    return mbedtls_x509write_crt_set_extension(writer, MBEDTLS_OID_EXTENDED_KEY_USAGE,
                                               MBEDTLS_OID_SIZE(MBEDTLS_OID_EXTENDED_KEY_USAGE), 0, at, (size_t)length);
}

/* ---- parts ---- */

/* All that one certificate is made with. */
typedef struct making {
    const mbed_cert_request *request;
    mbed_instance *instance;
    mbedtls_pk_context key;
    mbedtls_pk_context issuer_key;
    mbedtls_x509_crt issuer;
    mbedtls_x509write_cert writer;
    char fault[FAULT_MOST]; /* in place of mbedTLS's words; "": none */
    char buffer[PEM_MOST];
} making;

static int make_key(making *state)
{
    int result = mbedtls_pk_setup(&state->key, mbedtls_pk_info_from_type(MBEDTLS_PK_ECKEY));

    return result == 0 ? mbedtls_ecp_gen_key(MBEDTLS_ECP_DP_SECP256R1, mbedtls_pk_ec(state->key), weir__mbed_random,
                                             state->instance)
                       : result;
}

/* Nobody would take what others sign. */
static int check_issuer(making *state)
{
    const mbedtls_x509_crt *issuer = &state->issuer;

    if (!issuer->ca_istrue || mbedtls_x509_crt_check_key_usage(issuer, MBEDTLS_X509_KU_KEY_CERT_SIGN) != 0)
        snprintf(state->fault, sizeof(state->fault),
                 "the authority's certificate is not one of an authority (CA:TRUE, keyCertSign)");
    else if (mbedtls_x509_time_is_past(&issuer->valid_to))
        snprintf(state->fault, sizeof(state->fault),
                 "the authority has expired: remove its certificate and key, and another one is made");
    return state->fault[0] ? MBEDTLS_ERR_X509_BAD_INPUT_DATA : 0;
}

/* Which file it is: mbedTLS does not know. */
static int tell_issuer(making *state, int result, const char *file, const char *holds)
{
    const char *folder = state->request->issuer_folder;
    char text[160];

    if (result == 0 || weir__mbed_is_no_memory(result))
        return result;
    weir__mbed_text(result, text, sizeof(text));
    snprintf(state->fault, sizeof(state->fault), "%s%s%s %s that can be read: %s", folder ? folder : "",
             folder ? "/" : "", file, holds, text);
    return result;
}

static int check_issuer_pair(making *state)
{
    const char *folder = state->request->issuer_folder ? state->request->issuer_folder : ".";
#if MBED_3
    int result = mbedtls_pk_check_pair(&state->issuer.pk, &state->issuer_key, weir__mbed_random, state->instance);
#else
    int result = mbedtls_pk_check_pair(&state->issuer.pk, &state->issuer_key);
#endif

    if (result != 0 && !weir__mbed_is_no_memory(result))
        snprintf(state->fault, sizeof(state->fault), "%s/ca.key is not the private key of %s/ca.pem", folder, folder);
    return result;
}

static int read_issuer(making *state)
{
    const mbed_cert_request *request = state->request;
    const unsigned char *key = (const unsigned char *)request->issuer_key;

    int result = mbedtls_x509_crt_parse(&state->issuer, (const unsigned char *)request->issuer_cert,
                                        strlen(request->issuer_cert) + 1);
    if (result > 0) /* so many could not be read */
        return tell_issuer(state, MBEDTLS_ERR_X509_INVALID_FORMAT, "ca.pem", "holds something besides certificates");
    if (result != 0)
        return tell_issuer(state, result, "ca.pem", "holds no certificate");
#if MBED_3
    result = mbedtls_pk_parse_key(&state->issuer_key, key, strlen(request->issuer_key) + 1, NULL, 0, weir__mbed_random,
                                  state->instance);
#else
    result = mbedtls_pk_parse_key(&state->issuer_key, key, strlen(request->issuer_key) + 1, NULL, 0);
#endif
    if (result != 0)
        return tell_issuer(state, result, "ca.key", "holds no private key");
    result = check_issuer_pair(state);
    return result == 0 ? check_issuer(state) : result;
}

static int put_serial(making *state)
{
    unsigned char serial[SERIAL];
    int result = weir__mbed_random(state->instance, serial, sizeof(serial));

    if (result != 0)
        return result;
    serial[0] = (unsigned char)((serial[0] & 0x7F) | 0x40);
#if MBED_3
    return mbedtls_x509write_crt_set_serial_raw(&state->writer, serial, sizeof(serial));
#else
    mbedtls_mpi number;
    mbedtls_mpi_init(&number);
    result = mbedtls_mpi_read_binary(&number, serial, sizeof(serial));
    if (result == 0)
        result = mbedtls_x509write_crt_set_serial(&state->writer, &number);
    mbedtls_mpi_free(&number);
    return result;
#endif
}

static int put_validity(making *state)
{
    time_t from = (time_t)state->request->from;
    time_t until = (time_t)state->request->until;
    struct tm parts;
    char first[20];
    char last[20];

    gmtime_r(&from, &parts);
    strftime(first, sizeof(first), "%Y%m%d%H%M%S", &parts);
    gmtime_r(&until, &parts);
    strftime(last, sizeof(last), "%Y%m%d%H%M%S", &parts);
    return mbedtls_x509write_crt_set_validity(&state->writer, first, last);
}

static int put_who(making *state)
{
    const mbed_cert_request *request = state->request;
    char issuer[1024];
    int result = mbedtls_x509write_crt_set_subject_name(&state->writer, request->subject);

    if (result != 0)
        return result;
    if (!request->issuer_cert)
        return mbedtls_x509write_crt_set_issuer_name(&state->writer, request->subject);
    result = mbedtls_x509_dn_gets(issuer, sizeof(issuer), &state->issuer.subject);
    return result < 0 ? result : mbedtls_x509write_crt_set_issuer_name(&state->writer, issuer);
}

static int put_extensions(making *state)
{
    const mbed_cert_request *request = state->request;
    unsigned usage = request->is_authority ? MBEDTLS_X509_KU_KEY_CERT_SIGN | MBEDTLS_X509_KU_CRL_SIGN
                                           : MBEDTLS_X509_KU_DIGITAL_SIGNATURE;
    int result = mbedtls_x509write_crt_set_basic_constraints(&state->writer, request->is_authority, -1);

    if (result == 0)
        result = mbedtls_x509write_crt_set_key_usage(&state->writer, (unsigned char)usage);
    if (result == 0)
        result = mbedtls_x509write_crt_set_subject_key_identifier(&state->writer);
    if (result == 0)
        result = mbedtls_x509write_crt_set_authority_key_identifier(&state->writer);
    if (result == 0)
        result = add_uses(&state->writer, request->uses);
    return result == 0 ? add_names(&state->writer, request) : result;
}

/* ---- the whole ---- */

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = weir_malloc(size);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

static int compose(making *state, mbed_cert *made)
{
    const mbed_cert_request *request = state->request;
    unsigned char *buffer = (unsigned char *)state->buffer;
    int result = make_key(state);

    if (result == 0 && request->issuer_cert)
        result = read_issuer(state);
    if (result != 0)
        return result;
    mbedtls_x509write_crt_set_version(&state->writer, MBEDTLS_X509_CRT_VERSION_3);
    mbedtls_x509write_crt_set_md_alg(&state->writer, MBEDTLS_MD_SHA256);
    mbedtls_x509write_crt_set_subject_key(&state->writer, &state->key);
    mbedtls_x509write_crt_set_issuer_key(&state->writer, request->issuer_cert ? &state->issuer_key : &state->key);
    result = put_serial(state);
    if (result == 0)
        result = put_validity(state);
    if (result == 0)
        result = put_who(state);
    if (result == 0)
        result = put_extensions(state);
    if (result == 0)
        result = mbedtls_x509write_crt_pem(&state->writer, buffer, sizeof(state->buffer), weir__mbed_random,
                                           state->instance);
    if (result != 0)
        return result;
    made->cert = copy_text(state->buffer);
    result = mbedtls_pk_write_key_pem(&state->key, buffer, sizeof(state->buffer));
    if (result != 0)
        return result;
    made->key = copy_text(state->buffer);
    return made->cert && made->key ? 0 : MBEDTLS_ERR_X509_ALLOC_FAILED;
}

static int conclude(const making *state, int result, weir_error **error)
{
    char text[160];

    if (result == 0)
        return 0;
    int code = weir__mbed_is_no_memory(result) ? UV_ENOMEM : UV_EINVAL;
    weir__mbed_text(result, text, sizeof(text));
    *error = code == UV_ENOMEM ? weir_error_new(code, NULL, NULL, -1)
                               : weir_error_newf(code, NULL, NULL, -1, "the certificate cannot be made: %s",
                                                 state->fault[0] ? state->fault : text);
    return code;
}

int weir__mbed_cert_make(const mbed_cert_request *request, mbed_cert *made, weir_error **error)
{
    making *state = weir_calloc(1, sizeof(*state));
    void *instance = NULL;
    int status = state ? weir__tls_engine.init(&instance, error) : UV_ENOMEM;

    *made = (mbed_cert){0};
    if (status) {
        weir_free(state);
        if (!*error)
            *error = weir_error_new(status, NULL, NULL, -1);
        return status;
    }
    state->request = request;
    state->instance = instance;
    mbedtls_pk_init(&state->key);
    mbedtls_pk_init(&state->issuer_key);
    mbedtls_x509_crt_init(&state->issuer);
    mbedtls_x509write_crt_init(&state->writer);
    status = conclude(state, compose(state, made), error);
    mbedtls_x509write_crt_free(&state->writer);
    mbedtls_x509_crt_free(&state->issuer);
    mbedtls_pk_free(&state->issuer_key);
    mbedtls_pk_free(&state->key);
    weir__mbed_free_secret(state, sizeof(*state));
    weir__tls_engine.exit(instance);
    if (status)
        weir__mbed_cert_clear(made);
    return status;
}

int weir__mbed_cert_is_of(const char *cert, const char *authority)
{
    mbedtls_x509_crt one;
    mbedtls_x509_crt other;
    uint32_t flags = 0;

    mbedtls_x509_crt_init(&one);
    mbedtls_x509_crt_init(&other);
    int is_of = mbedtls_x509_crt_parse(&other, (const unsigned char *)authority, strlen(authority) + 1) != 0;
    if (!is_of && mbedtls_x509_crt_parse(&one, (const unsigned char *)cert, strlen(cert) + 1) == 0) {
        int result = mbedtls_x509_crt_verify(&one, &other, NULL, NULL, &flags, NULL, NULL);
        is_of = result == 0 ||
                (result == MBEDTLS_ERR_X509_CERT_VERIFY_FAILED && !(flags & MBEDTLS_X509_BADCERT_NOT_TRUSTED));
    }
    mbedtls_x509_crt_free(&one);
    mbedtls_x509_crt_free(&other);
    return is_of;
}

void weir__mbed_cert_clear(mbed_cert *made)
{
    weir_free(made->cert);
    weir__mbed_free_secret(made->key, made->key ? strlen(made->key) : 0);
    *made = (mbed_cert){0};
}
