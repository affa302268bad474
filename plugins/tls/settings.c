/* SPDX-License-Identifier: MIT */
/* Reading options into settings: what is said here, what comes from the context around, and what must go together. */
#define _GNU_SOURCE

#include "settings.h"

#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "engine.h"
#include "instance.h"
#include "keylog.h"
#include "material.h"

/* Where systems keep the certificates that everybody trusts. */
static const char *const bundles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
};

typedef struct reading {
    const tls_source *source;
    tls_instance *instance;
    tls_report *report;
    tls_settings *into;
} reading;

static const json_t *option(const reading *state, const char *name)
{
    return json_object_get(state->source->options, name);
}

/* ---- texts and lists ---- */

static int take_text(const reading *state, const char *name, char **text)
{
    const char *value = json_string_value(option(state, name));

    if (!value)
        return 0;
    *text = weir__tls_text_copy(value);
    return *text ? 0 : UV_ENOMEM;
}

static void free_list(tls_list *list)
{
    size_t i;

    for (i = 0; i < list->count; i++)
        weir_free(list->items[i]);
    weir_free(list->items);
    memset(list, 0, sizeof(*list));
}

static int list_add(tls_list *list, const char *text, size_t length)
{
    char **grown = weir_realloc(list->items, (list->count + 1) * sizeof(*grown));
    char *item = grown ? weir_malloc(length + 1) : NULL;

    if (grown)
        list->items = grown;
    if (!item)
        return UV_ENOMEM;
    memcpy(item, text, length);
    item[length] = '\0';
    list->items[list->count++] = item;
    return 0;
}

static int list_copy(const tls_list *from, tls_list *to)
{
    int status = 0;
    size_t i;

    to->is_array = from->is_array;
    for (i = 0; i < from->count && status == 0; i++)
        status = list_add(to, from->items[i], strlen(from->items[i]));
    return status;
}

/* "a:b:c", with nothing empty in it. */
static int split(const reading *state, const char *pointer, const char *text, tls_list *list)
{
    int status = 0;

    while (status == 0) {
        size_t length = strcspn(text, ":");

        if (length == 0)
            weir__tls_fault(state->report, pointer, "there is an empty name in the list");
        else
            status = list_add(list, text, length);
        if (!text[length])
            break;
        text += length + 1;
    }
    return status;
}

static int take_list(const reading *state, const char *name, const tls_list *around, tls_list *list)
{
    const json_t *value = option(state, name);
    char pointer[32];
    const json_t *item;
    size_t index;
    int status = 0;

    snprintf(pointer, sizeof(pointer), "/%s", name);
    if (!value)
        return around ? list_copy(around, list) : 0;
    if (json_is_string(value))
        return split(state, pointer, json_string_value(value), list);
    list->is_array = 1;
    json_array_foreach(value, index, item)
    {
        if (status == 0)
            status = list_add(list, json_string_value(item), json_string_length(item));
    }
    return status;
}

/* ---- material ---- */

static int take_material(const reading *state, const char *name, tls_material *material)
{
    const json_t *value = option(state, name);
    char pointer[32];

    snprintf(pointer, sizeof(pointer), "/%s", name);
    return value ? weir__tls_material_read(value, state->source->folder, pointer, state->report, material) : 0;
}

static int share_all(const tls_material *from, size_t count, tls_material **to, size_t *to_count)
{
    int status = 0;

    if (count == 0)
        return 0;
    *to = weir_calloc(count, sizeof(**to));
    if (!*to)
        return UV_ENOMEM;
    for (*to_count = 0; *to_count < count && status == 0; ++*to_count)
        status = weir__tls_material_share(&from[*to_count], NULL, &(*to)[*to_count]);
    return status;
}

/* One value, or an array of them. */
static int take_materials(const reading *state, const char *name, tls_material **all, size_t *count)
{
    const json_t *value = option(state, name);
    size_t most = json_is_array(value) ? json_array_size(value) : 1;
    char pointer[48];
    int status = 0;
    size_t i;

    if (!value)
        return 0;
    *all = weir_calloc(most, sizeof(**all));
    if (!*all)
        return UV_ENOMEM;
    for (i = 0; i < most && status == 0; i++) {
        if (json_is_array(value))
            snprintf(pointer, sizeof(pointer), "/%s/%zu", name, i);
        else
            snprintf(pointer, sizeof(pointer), "/%s", name);
        status = weir__tls_material_read(json_is_array(value) ? json_array_get(value, i) : value, state->source->folder,
                                         pointer, state->report, &(*all)[*count]);
        if (status == 0 && (*all)[*count].data)
            ++*count;
    }
    return status;
}

/* cert, key and passphrase: of the context around only when none of them is said here. */
static int take_identity(const reading *state)
{
    tls_settings *into = state->into;
    const tls_settings *around = state->source->around;
    int status;

    if (around && !option(state, "cert") && !option(state, "key") && !option(state, "passphrase")) {
        into->cert_is_around = 1;
        status = weir__tls_material_share(&around->cert, NULL, &into->cert);
        if (status == 0)
            status = weir__tls_material_share(&around->key, NULL, &into->key);
        if (status == 0 && around->passphrase)
            status = (into->passphrase = weir__tls_text_copy(around->passphrase)) ? 0 : UV_ENOMEM;
        return status;
    }
    status = take_material(state, "cert", &into->cert);
    if (status == 0)
        status = take_material(state, "key", &into->key);
    if (status == 0)
        status = take_text(state, "passphrase", &into->passphrase);
    if (status == 0 && option(state, "key") && !option(state, "cert") && !into->partial)
        weir__tls_fault(state->report, "/key", "a key without its certificate: \"cert\" is missing");
    if (status == 0 && into->cert.data && !option(state, "key") && !into->partial)
        status = weir__tls_material_share(&into->cert, "/cert", &into->key);
    if (status == 0 && into->key.data)
        weir__tls_material_check_mode(&into->key, state->report);
    return status;
}

/* ---- trust ---- */

/* The system's bundle is read once a runtime, and again when it has changed. */
static int take_system_bundle(const reading *state)
{
    tls_settings *into = state->into;
    tls_material *kept = &state->instance->system_ca;
    int status = UV_ENOENT;
    size_t i;

    if (kept->data && weir__tls_material_stamp(kept->path) != kept->stamp)
        weir__tls_material_free(kept);
    for (i = 0; i < sizeof(bundles) / sizeof(bundles[0]) && !kept->data && status != UV_ENOMEM; i++)
        status = weir__tls_material_file(bundles[i], kept);
    if (!kept->data)
        return status == UV_ENOMEM ? UV_ENOMEM : 0;
    status = share_all(kept, 1, &into->ca, &into->ca_count);
    into->ca_is_system = status == 0;
    return status;
}

static int take_trust(const reading *state)
{
    tls_settings *into = state->into;
    const tls_settings *around = state->source->around;
    int status = take_materials(state, "ca", &into->ca, &into->ca_count);

    if (status == 0)
        status = take_materials(state, "crl", &into->crl, &into->crl_count);
    if (status == 0 && around && !option(state, "ca"))
        status = share_all(around->ca, around->ca_count, &into->ca, &into->ca_count);
    if (status == 0 && around && !option(state, "crl"))
        status = share_all(around->crl, around->crl_count, &into->crl, &into->crl_count);
    if (status == 0 && into->role == WEIR_CLIENT && !option(state, "ca"))
        status = take_system_bundle(state);
    return status;
}

/* ---- keys that are agreed on, keys that are expected ---- */

static int hex_digit(char digit)
{
    return digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

static int take_psk(const reading *state)
{
    tls_settings *into = state->into;
    const tls_settings *around = state->source->around;
    const char *digits = json_string_value(option(state, "psk"));
    int status;
    size_t i;

    if (!digits && !option(state, "pskIdentity") && around && around->psk) {
        into->psk_identity = weir__tls_text_copy(around->psk_identity);
        into->psk = weir_malloc(around->psk_size);
        into->psk_size = into->psk ? around->psk_size : 0;
        if (!into->psk_identity || !into->psk)
            return UV_ENOMEM;
        memcpy(into->psk, around->psk, around->psk_size);
        return 0;
    }
    status = take_text(state, "pskIdentity", &into->psk_identity);
    if (status || (!digits && !into->psk_identity))
        return status;
    if (!digits || !into->psk_identity) {
        if (!into->partial)
            weir__tls_fault(state->report, digits ? "/psk" : "/pskIdentity", "\"psk\" and \"pskIdentity\" go together");
        return 0;
    }
    into->psk_size = strlen(digits) / 2;
    into->psk = weir_malloc(into->psk_size);
    for (i = 0; into->psk && i < into->psk_size; i++)
        into->psk[i] = (unsigned char)(hex_digit(digits[2 * i]) << 4 | hex_digit(digits[2 * i + 1]));
    return into->psk ? 0 : UV_ENOMEM;
}

static unsigned base64_digit(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return (unsigned)(digit - 'A');
    if (digit >= 'a' && digit <= 'z')
        return (unsigned)(digit - 'a') + 26;
    if (digit >= '0' && digit <= '9')
        return (unsigned)(digit - '0') + 52;
    return digit == '+' ? 62 : 63;
}

/* 43 digits and a '=', as the schema has it, are 258 bits. */
static void decode_pin(const char *text, unsigned char pin[TLS_DIGEST_SIZE])
{
    unsigned bits = 0;
    unsigned held = 0;
    size_t at = 0;

    for (; *text != '=' && at < TLS_DIGEST_SIZE; text++) {
        held = held << 6 | base64_digit(*text);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            pin[at++] = (unsigned char)(held >> bits);
        }
    }
}

static int take_pins(const reading *state)
{
    tls_settings *into = state->into;
    const tls_settings *around = state->source->around;
    const json_t *value = option(state, "pinSha256");
    size_t count = json_is_array(value) ? json_array_size(value) : value ? 1 : around ? around->pin_count : 0;
    size_t i;

    if (count == 0)
        return 0;
    into->pins = weir_calloc(count, sizeof(*into->pins));
    if (!into->pins)
        return UV_ENOMEM;
    into->pin_count = count;
    if (!value)
        memcpy(into->pins, around->pins, count * sizeof(*into->pins));
    for (i = 0; value && i < count; i++)
        decode_pin(json_string_value(json_is_array(value) ? json_array_get(value, i) : value), into->pins[i]);
    return 0;
}

/* ---- the rest ---- */

static int is_on(const reading *state, const char *name, int otherwise)
{
    const json_t *value = option(state, name);

    return value ? json_is_true(value) : otherwise;
}

static int version_of(const reading *state, const char *name, int otherwise)
{
    const char *text = json_string_value(option(state, name));

    if (!text)
        return otherwise;
    return strcmp(text, "TLSv1.3") == 0 ? TLS_VERSION_13 : TLS_VERSION_12;
}

/* Whole ones: of less than one, one, so that only 0 is none. */
static uint32_t seconds_of(const reading *state, const char *name, uint64_t otherwise)
{
    union {
        const json_t *borrowed;
        json_t *options;
    } options = {.borrowed = state->source->options}; /* it is only read */
    const weir_configure configure = {.size = sizeof(configure), .options = options.options};

    return (uint32_t)((weir_configure_duration(&configure, name, otherwise) + 999) / 1000);
}

static int take_keylog(const reading *state)
{
    const char *path = json_string_value(option(state, "keylog"));
    const weir_configure configure = {.size = sizeof(configure), .folder = state->source->folder};

    state->into->keylog = path || json_is_true(option(state, "keylog"));
    if (!path)
        return 0;
    state->into->keylog_path = weir_configure_path(&configure, path);
    if (!state->into->keylog_path)
        return UV_ENOMEM;
    weir__tls_keylog_check(state->into->keylog_path, state->report);
    return 0;
}

/* Of a context under SNI, what is said around it alone. */
static int take_common(const reading *state)
{
    tls_settings *into = state->into;
    const tls_settings *around = state->source->around;

    if (around) {
        into->tickets = around->tickets;
        into->ticket_lifetime = around->ticket_lifetime;
        into->session_timeout = around->session_timeout;
        into->allow_truncation = around->allow_truncation;
        into->keylog = around->keylog;
        into->watch = around->watch;
        into->keylog_path = around->keylog_path ? weir__tls_text_copy(around->keylog_path) : NULL;
        return around->keylog_path && !into->keylog_path ? UV_ENOMEM : 0;
    }
    into->tickets = is_on(state, "tickets", 1);
    into->ticket_lifetime = seconds_of(state, "ticketLifetime", 7200000);
    into->session_timeout = seconds_of(state, "sessionTimeout", 300000);
    into->allow_truncation = is_on(state, "allowTruncation", 0);
    into->watch = is_on(state, "watch", 0);
    return take_keylog(state);
}

/* The schema counts letters, the protocol bytes. */
static void check_protocols(const reading *state)
{
    const tls_list *list = &state->into->alpn;
    char pointer[48];
    size_t i;

    for (i = 0; i < list->count; i++) {
        snprintf(pointer, sizeof(pointer), "/ALPNProtocols/%zu", i);
        if (strlen(list->items[i]) > 255)
            weir__tls_fault(state->report, pointer, "a protocol's name has at most 255 bytes");
    }
}

static int take_plain(const reading *state)
{
    tls_settings *into = state->into;
    const tls_settings *around = state->source->around;
    int status;

    into->psk_callback = state->source->psk_callback;
    into->min_version = version_of(state, "minVersion", around ? around->min_version : TLS_VERSION_12);
    into->max_version = version_of(state, "maxVersion", around ? around->max_version : 0);
    into->request_cert = is_on(state, "requestCert", around ? around->request_cert : 0);
    into->reject_unauthorized = is_on(state, "rejectUnauthorized", around ? around->reject_unauthorized : 1);
    status = take_text(state, "servername", &into->servername);
    if (status == 0 && state->source->name)
        status = (into->served = weir__tls_text_copy(state->source->name)) ? 0 : UV_ENOMEM;
    if (status == 0)
        status = take_list(state, "ALPNProtocols", around ? &around->alpn : NULL, &into->alpn);
    check_protocols(state);
    if (status == 0)
        status = take_list(state, "ciphers", around ? &around->ciphers : NULL, &into->ciphers);
    if (status == 0)
        status = take_list(state, "groups", around ? &around->groups : NULL, &into->groups);
    return status;
}

/* Does a name under SNI ask its clients, and inherit what is said around it? */
static int is_asked_by_name(const reading *state)
{
    union {
        const json_t *borrowed;
        json_t *object;
    } names = {.borrowed = option(state, "SNI")}; /* only gone through */
    const char *name;
    json_t *context;

    json_object_foreach(names.object, name, context)
    {
        if (json_is_true(json_object_get(context, "requestCert")))
            return 1;
    }
    return 0;
}

/* What the other role alone heeds. SNI is more than that on a client: a fault (context.c). */
static void check_role(const reading *state)
{
    static const struct {
        const char *name;
        weir_role role; /* that heeds it */
        const char *instead;
    } options[] = {
        {"servername", WEIR_CLIENT,
         "it is for connecting; a listener has its names under \"SNI\", or in its certificate"},
        {"requestCert", WEIR_SERVER, "it is for listening; a server always shows its certificate"},
        {"ticketLifetime", WEIR_SERVER, "it is for listening; how long its tickets are good the server decides"},
        {"sessionTimeout", WEIR_SERVER, "it is for listening; how long a session is kept the server decides"},
    };
    char pointer[32];
    size_t i;

    for (i = 0; i < sizeof(options) / sizeof(options[0]) && !state->source->around; i++) {
        snprintf(pointer, sizeof(pointer), "/%s", options[i].name);
        if (options[i].role != state->into->role && json_object_get(state->source->given, options[i].name))
            weir__tls_warning(state->report, pointer, "this decides nothing: %s", options[i].instead);
    }
}

/* What is to decide about clients and is never asked: it is told once, of the first that is there. */
static void check_unasked(const reading *state)
{
    static const char *const options[] = {"ca", "crl", "rejectUnauthorized"};
    const json_t *said = state->source->around ? state->source->options : state->source->given;
    char pointer[32];
    size_t i;

    if (state->into->role != WEIR_SERVER || state->into->request_cert || state->into->partial ||
        is_asked_by_name(state))
        return;
    if (option(state, "pinSha256"))
        weir__tls_fault(state->report, "/pinSha256", "clients are not asked for a certificate: set \"requestCert\"");
    for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (!json_object_get(said, options[i]))
            continue;
        snprintf(pointer, sizeof(pointer), "/%s", options[i]);
        weir__tls_warning(state->report, pointer,
                          "this decides nothing: without \"requestCert\" no client is asked for a certificate%s",
                          state->into->cert.data ? ", and everybody is let in" : "");
        return;
    }
}

/* Whose name is the server's certificate to bear? */
static void check_host(const reading *state)
{
    static const char gives[] = "give \"servername\" (or \"pinSha256\")";
    const tls_settings *into = state->into;

    if (into->role != WEIR_CLIENT || into->servername || !into->reject_unauthorized || into->pin_count > 0 ||
        into->psk || into->psk_callback)
        return;
    if (state->source->hostless == WEIR_HOST_NONE)
        weir__tls_fault(state->report, "", "there is no host whose name the certificate could bear: %s", gives);
    else if (state->source->hostless == WEIR_HOST_OF_A_LAYER)
        weir__tls_warning(state->report, "",
                          "there is no host whose name the certificate could bear, unless a layer below knows one: %s",
                          gives);
}

/* What each option may be, the schema says; here, what they must be together: nothing is missing that could not be read. */
static void check_together(const reading *state)
{
    const tls_settings *into = state->into;

    check_role(state);
    check_unasked(state);
    if (into->max_version && into->min_version > into->max_version)
        weir__tls_fault(state->report, "/minVersion", "it is higher than maxVersion: no version is left");
    if (into->incomplete)
        return;
    check_host(state);
    if (into->role == WEIR_SERVER && !into->cert.data && !into->psk && !into->psk_callback)
        weir__tls_fault(state->report, "", "listening needs a certificate: give \"cert\" and \"key\" (or a \"psk\")");
    if (into->role == WEIR_SERVER && into->request_cert && into->reject_unauthorized && into->ca_count == 0)
        weir__tls_fault(state->report, "/requestCert",
                        "no client could be let in: give in \"ca\" whose certificates are trusted");
    if (into->role == WEIR_CLIENT && into->ca_count == 0 && into->reject_unauthorized && !into->psk &&
        !into->psk_callback)
        weir__tls_fault(state->report, "",
                        "the system has no bundle of trusted certificates (looked for %s and others): install "
                        "ca-certificates, or give \"ca\"",
                        bundles[0]);
}

/* ---- what tickets are bound to ---- */

/* The sum of all of one list of material, so that "a" and "b" are not "ab". */
static int sum_materials(const reading *state, const tls_material *all, size_t count,
                         unsigned char sum[TLS_DIGEST_SIZE])
{
    int status = 0;
    size_t i;

    memset(sum, 0, TLS_DIGEST_SIZE);
    for (i = 0; i < count && status == 0; i++) {
        const tls_bytes pieces[] = {{sum, TLS_DIGEST_SIZE}, {all[i].data, all[i].size}};

        status = weir__tls_engine.digest(state->instance->engine, pieces, 2, sum);
    }
    return status;
}

static int sum_up(const reading *state)
{
    tls_settings *into = state->into;
    unsigned char ca[TLS_DIGEST_SIZE];
    unsigned char crl[TLS_DIGEST_SIZE];
    const unsigned char flags[] = {into->role == WEIR_SERVER, into->request_cert != 0, into->reject_unauthorized != 0,
                                   into->psk_callback != 0, into->psk != NULL};
    const char *identity = into->psk_identity ? into->psk_identity : "";
    const tls_bytes pieces[] = {{flags, sizeof(flags)},      {ca, sizeof(ca)},
                                {crl, sizeof(crl)},          {identity, strlen(identity) + 1},
                                {into->psk, into->psk_size}, {into->pins, into->pin_count * TLS_DIGEST_SIZE}};
    int status = sum_materials(state, into->ca, into->ca_count, ca);

    if (status == 0)
        status = sum_materials(state, into->crl, into->crl_count, crl);
    if (status == 0)
        status =
            weir__tls_engine.digest(state->instance->engine, pieces, sizeof(pieces) / sizeof(pieces[0]), into->binding);
    return status;
}

/* ---- all of it ---- */

int weir__tls_settings_read(const tls_source *source, tls_instance *instance, tls_report *report,
                            tls_settings **settings)
{
    static int (*const steps[])(const reading *) = {take_common, take_plain, take_identity,
                                                    take_trust,  take_psk,   take_pins};
    size_t faults = report->faults;
    reading state = {source, instance, report, weir_calloc(1, sizeof(tls_settings))};
    int status = state.into ? 0 : UV_ENOMEM;
    size_t i;

    if (state.into) {
        state.into->role = source->role;
        state.into->partial = source->partial;
        state.into->incomplete = source->partial || (source->around && source->around->incomplete);
    }
    for (i = 0; i < sizeof(steps) / sizeof(steps[0]) && status == 0; i++)
        status = steps[i](&state);
    if (status == 0) {
        state.into->incomplete |= report->faults != faults;
        check_together(&state);
        state.into->incomplete |= report->faults != faults;
        status = sum_up(&state);
    }
    if (status) {
        weir__tls_settings_free(state.into);
        return status;
    }
    *settings = state.into;
    return state.into->incomplete ? WEIR_EINVALID_CONFIG : 0;
}

static void free_materials(tls_material *all, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++)
        weir__tls_material_free(&all[i]);
    weir_free(all);
}

void weir__tls_settings_forget(tls_settings *settings)
{
    weir__tls_free_secret(settings->passphrase, settings->passphrase ? strlen(settings->passphrase) : 0);
    settings->passphrase = NULL;
}

void weir__tls_settings_free(tls_settings *settings)
{
    if (!settings)
        return;
    weir__tls_material_free(&settings->cert);
    weir__tls_material_free(&settings->key);
    weir__tls_settings_forget(settings);
    free_materials(settings->ca, settings->ca_count);
    free_materials(settings->crl, settings->crl_count);
    weir_free(settings->servername);
    weir_free(settings->served);
    free_list(&settings->alpn);
    free_list(&settings->ciphers);
    free_list(&settings->groups);
    weir_free(settings->psk_identity);
    weir__tls_free_secret(settings->psk, settings->psk_size);
    weir_free(settings->pins);
    weir_free(settings->keylog_path);
    weir_free(settings);
}
