/* SPDX-License-Identifier: MIT */
/* The layers of an endpoint, by the dice: those that one end has for itself, and those that both ends must have. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "localhost_cert.h"
#include "soak.h"

/* Room for what one end has for itself: probe, chaos, probe. */
#define PLAIN_MOST 400

const char *soak_plugins[SOAK_PLUGINS_MOST + 1] = {"tcp", "ipc", "mem", "chaos", "probe", "tls-fake"};

void soak_find_plugins(void)
{
    if (access(WEIR_TEST_PLUGINS "/tls.so", R_OK) == 0)
        soak_plugins[SOAK_PLUGINS_MOST - 1] = "tls";
}

static int has_tls(void)
{
    return soak_plugins[SOAK_PLUGINS_MOST - 1] != NULL;
}

/* ---- those that change no byte ---- */

static void chaos(soak_dice *dice, int faults, int handshake, char *text, size_t size)
{
    static const char *const points[] = {"open", "read", "write", "shutdown"};
    static const char *const codes[] = {"EIO", "ECONNRESET", "EPIPE", "ETIMEDOUT"};
    int length = snprintf(text, size, "{\"chaos\": {\"seed\": %u, \"delay\": %u, \"again\": %u, \"cut\": %s%s",
                          dice_below(dice, 1000000), dice_below(dice, 5), dice_below(dice, 101),
                          dice_percent(dice, 80) ? "true" : "false", handshake ? ", \"handshake\": true" : "");
    if (faults && dice_percent(dice, 15))
        length += snprintf(text + length, size - (size_t)length, ", \"failAt\": \"%s:%u\", \"failCode\": \"%s\"",
                           points[dice_below(dice, 4)], 1 + dice_below(dice, 20), codes[dice_below(dice, 4)]);
    snprintf(text + length, size - (size_t)length, "}}");
}

/* Each with a comma behind it. */
static void plain(soak_dice *dice, int faults, char *text, size_t size)
{
    char middle[200];
    unsigned roll = dice_below(dice, 100);
    chaos(dice, faults, 0, middle, sizeof(middle));
    if (roll < 33)
        text[0] = '\0';
    else if (roll < 55)
        snprintf(text, size, "{\"probe\": {\"name\": \"only\"}}, ");
    else if (roll < 66)
        snprintf(text, size, "%s, ", middle);
    else
        snprintf(text, size, "{\"probe\": {\"name\": \"low\"}}, %s, {\"probe\": {\"name\": \"high\"}}, ", middle);
}

/* ---- those that both ends have ---- */

/*
 * Servers of a runtime speak TLS 1.2, all of them, or 1.3. Clients keep sessions by options, name and port, and what has
 * no port (ipc, mem) is one place to them: after a session of 1.3 they offer nothing older there, which a server that
 * speaks 1.2 must refuse.
 */
need soak_need(soak_world *world)
{
    unsigned roll = dice_below(&world->dice, 100);
    if (roll < 10)
        return NEED_HELLO;
    if (roll < 40)
        return NEED_TLS_FAKE;
    if (roll < 50 && has_tls())
        return world->old_tls ? NEED_TLS_1_2 : NEED_TLS;
    return NEED_NOTHING;
}

int soak_is_secure(need what)
{
    return what == NEED_TLS_FAKE || what == NEED_TLS || what == NEED_TLS_1_2;
}

/* The engine of the tests can be told to make small records, a long last flight, or to answer each record. */
static void fake_tls(soak_dice *dice, weir_role role, char *text, size_t size)
{
    static const char *const whims[] = {"FAKE_RECORD=700", "FAKE_RECORD=5000", "FAKE_LAST_FLIGHT=50000",
                                        "FAKE_CHATTY=300"};
    unsigned count = role == WEIR_SERVER ? 4 : 1;
    char whim[60] = "";
    if (dice_percent(dice, 25))
        snprintf(whim, sizeof(whim), ", \"ciphers\": [\"%s\"]", whims[dice_below(dice, count)]);
    if (role == WEIR_SERVER)
        snprintf(text, size,
                 "{\"tls-fake\": {\"cert\": \"-----BEGIN FAKE CERTIFICATE-----\\nsubject=server\\nissuer=ca\\n"
                 "name=localhost\\n\", \"key\": \"-----BEGIN FAKE KEY-----\\nsubject=server\\n\"%s}}",
                 whim);
    else
        snprintf(text, size,
                 "{\"tls-fake\": {\"ca\": \"-----BEGIN FAKE CERTIFICATE-----\\nsubject=ca\\nissuer=ca\\n\", "
                 "\"servername\": \"localhost\"%s}}",
                 whim);
}

/* A client may speak less than the server: its sessions are apart from those of clients that speak more. */
static void real_tls(soak_dice *dice, weir_role role, int old, char *text, size_t size)
{
    if (role == WEIR_CLIENT)
        old = dice_percent(dice, 30);
    const char *version = old ? ", \"maxVersion\": \"TLSv1.2\"" : "";
    if (role == WEIR_SERVER)
        snprintf(text, size, "{\"tls\": {\"cert\": \"" LOCALHOST_CERT "\", \"key\": \"" LOCALHOST_KEY "\"%s}}",
                 version);
    else
        snprintf(text, size, "{\"tls\": {\"ca\": \"" LOCALHOST_CA "\", \"servername\": \"localhost\"%s}}", version);
}

static void needed(soak_dice *dice, need what, weir_role role, char *text, size_t size)
{
    switch (what) {
    case NEED_HELLO:
        chaos(dice, 0, 1, text, size);
        break;
    case NEED_TLS_FAKE:
        fake_tls(dice, role, text, size);
        break;
    case NEED_TLS:
    case NEED_TLS_1_2:
        real_tls(dice, role, what == NEED_TLS_1_2, text, size);
        break;
    default:
        text[0] = '\0';
        break;
    }
}

void soak_layers(soak_dice *dice, need what, weir_role role, int faults, char *text, size_t size)
{
    char below[PLAIN_MOST];
    char above[PLAIN_MOST] = "";
    char middle[SOAK_LAYERS_MOST - 2 * PLAIN_MOST];
    plain(dice, faults, below, sizeof(below));
    needed(dice, what, role, middle, sizeof(middle));
    if (what != NEED_NOTHING)
        plain(dice, faults, above, sizeof(above));
    snprintf(text, size, "[%s%s%s%s", below, middle, what != NEED_NOTHING ? ", " : "", above);
    size_t length = strlen(text);
    if (length > 1)
        length -= 2; /* the last comma */
    snprintf(text + length, size - length, "]");
}

weir_endpoint *soak_added_layers(actor *who, need what)
{
    char layers[SOAK_LAYERS_MOST];
    char text[SOAK_ENDPOINT_MOST];
    weir_role role = who->accepted ? WEIR_SERVER : WEIR_CLIENT;
    weir_endpoint *endpoint = NULL;
    do
        soak_layers(&who->dice, what, role, 0, layers, sizeof(layers));
    while (strcmp(layers, "[]") == 0);
    snprintf(text, sizeof(text), "{\"mem\": {\"path\": \"unused\"}, \"layers\": %s}", layers);
    if (weir_endpoint_parse(who->world->runtime, text, role, NULL, &endpoint, NULL))
        soak_breach(who->world, who, "layers: %s", text);
    return endpoint;
}
