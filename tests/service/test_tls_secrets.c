/* SPDX-License-Identifier: MIT */
/* A key or passphrase written where the name of its file or variable belongs: nothing that `weir` prints shows it. */
#define _GNU_SOURCE

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "fixture.h"
#include "tls_service.h"

enum { PIECE = 12, ROOM = 1024 }; /* letters of a secret that may not be seen; of a spelling of it */

/* ---- spellings ---- */

/* Made up, and nobody's key. There is no digit among the first 40 letters, as it may happen. */
static const char body[] = "MHcCAQEEIOGzcQmbcxVccxVjcmVzcxVjcmVzcxVjoAoGCCqGSM49AwEHoUQDQgAE"
                           "x7Rk+Vd0pZ/uQ3mJb8sTtY2hWnKf6LgXeN5aRcPiDv1OyB+4zM9qSwUtGlHkEjF3"
                           "rAoIbCdJ0VxT8f7mNpQwKw==";

static void spell_lines(const char *between, char *text)
{
    *text = '\0';
    for (size_t at = 0; at < strlen(body); at += 64)
        sprintf(text + strlen(text), "%s%.64s", at ? between : "", body + at);
}

static void spell_hex(const char *between, char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned held = 0, bits = 0;
    *text = '\0';
    for (const char *at = body; *at && *at != '='; at++) {
        held = held << 6 | (unsigned)(strchr(digits, *at) - digits);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            sprintf(text + strlen(text), "%s%02x", *text ? between : "", held >> bits & 0xff);
        }
    }
}

enum { SPELLINGS = 14, PEM = SPELLINGS - 1 };

static void spell(char all[SPELLINGS][ROOM])
{
    strcpy(all[0], body);
    strcpy(all[1], body);
    for (char *at = all[1]; *at; at++)
        *at = (char)(*at == '+' ? '-' : *at == '/' ? '_' : *at);
    all[1][strcspn(all[1], "=")] = '\0';
    spell_hex("", all[2]);
    spell_hex(":", all[3]);
    sprintf(all[4], "0x%.200s", all[2]);
    sprintf(all[5], "%.60s", body);
    sprintf(all[6], "%.40s", body);
    assert_null(strpbrk(all[6], "0123456789"));
    spell_lines("\n", all[7]);
    spell_lines("\\n", all[8]);
    spell_hex("-", all[9]);
    spell_hex(".", all[10]);
    spell_hex("_", all[11]);
    spell_hex(", 0x", all[12]);
    sprintf(all[PEM], "-----BEGIN PRIVATE KEY %.900s", body);
}

/* ---- what is printed ---- */

static void assert_hidden(const child *weir, const char *secret)
{
    char piece[PIECE + 1];
    for (size_t at = 0; at + PIECE <= strlen(secret); at++) {
        snprintf(piece, sizeof(piece), "%.*s", PIECE, secret + at);
        if (!strstr("-----BEGIN PRIVATE KEY ", piece) &&
            (strstr(weir->out_text, piece) || strstr(weir->err_text, piece)))
            fail_msg("'%s' of '%s' is shown: %s%s", piece, secret, weir->out_text, weir->err_text);
    }
}

/* What it prints is JSON, in which quotes have a backslash in front. */
static void assert_says(const child *weir, const char *says)
{
    char *text = calloc(1, weir->err_size + 1);
    assert_non_null(text);
    for (size_t i = 0, at = 0; i < weir->err_size; i++)
        if (weir->err_text[i] != '\\')
            text[at++] = weir->err_text[i];
    tls_expect(text, says);
    free(text);
}

/* What check and run say of a service whose layer has this option, which it takes over: `says`, and nothing of `secret`. */
static void assert_refused(const char *name, json_t *value, const char *secret, const char *says)
{
    static const char *const commands[] = {"check", "run"};
    int code;
    json_t *options = json_pack("{s:s}", "cert", tls_cert("server.pem"));
    if (strcmp(name, "key") != 0)
        json_object_set_new(options, "key", json_string(tls_cert("server.key")));
    json_object_set_new(options, name, value);
    json_t *document = json_pack("{s:[{s:s,s:{s:{}},s:{s:{s:s,s:i},s:[{s:o}]}}]}", "servers", "name", "x", "handler",
                                 "echo", "listen", "tcp", "host", "127.0.0.1", "port", 0, "layers", "tls", options);
    assert_non_null(document);
    char *text = json_dumps(document, 0);
    const char *file = child_file("weir.json", text);
    for (size_t i = 0; i < 2; i++) {
        child *weir = CHILD_RUN(&code, commands[i], file);
        assert_int_not_equal(code, 0);
        assert_says(weir, says);
        assert_hidden(weir, secret);
        child_free(weir);
    }
    free(text);
    json_decref(document);
}

static void TLS_14_no_spelling_of_a_key_is_shown(void **state)
{
    static char all[SPELLINGS][ROOM];
    (void)state;
    tls_need();
    spell(all);
    for (size_t i = 0; i < SPELLINGS; i++) {
        int is_pem = i == PEM;
        assert_refused("key", json_string(all[i]), all[i], is_pem ? "/tls/key" : "this is neither the name of a file");
        assert_refused("key", json_pack("{s:s}", "file", all[i]), all[i], "\"file\" takes the name of a file");
        assert_refused("key", json_pack("{s:s}", "env", all[i]), all[i], "\"env\" takes the name of a variable");
        assert_refused("passphrase", json_pack("{s:s}", "file", all[i]), all[i], "it could be the secret itself");
        assert_refused("passphrase", json_pack("{s:s}", "env", all[i]), all[i], "it could be the secret itself");
    }
}

static void TLS_14_a_passphrase_is_shown_nowhere(void **state)
{
    static const char phrase[] = "correct horse battery";
    (void)state;
    tls_need();
    assert_refused("passphrase", json_pack("{s:s}", "file", phrase), phrase, "it could be the secret itself");
    assert_refused("passphrase", json_pack("{s:s}", "env", phrase), phrase, "it could be the secret itself");
    assert_refused("psk", json_pack("{s:s}", "file", phrase), phrase, "it could be the secret itself");
}

/* What is a name is told, or nobody finds the fault. */
static void TLS_14_names_of_files_are_shown(void **state)
{
    static const char *const names[] = {
        "server.key",
        "/nix/store/zq3vhjyWd0q2r5cPbm1xkgl4z8s7a9n6-example-certificates-2024/server.key",
        "/etc/3f786850e387550fdab836ed7e6dc881de23001b9e107d9d372bb6826bd81d35",
        "/etc/letsencrypt/live/example/private-key-of-the-server",
    };
    (void)state;
    tls_need();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_refused("key", json_string(names[i]), "", names[i]);
        assert_refused("key", json_pack("{s:s}", "file", names[i]), "", names[i]);
        char quoted[41]; /* long ones are cut */
        snprintf(quoted, sizeof(quoted), "%s", names[i]);
        assert_refused("passphrase", json_pack("{s:s}", "file", names[i]), "", quoted);
    }
    assert_refused("passphrase", json_pack("{s:s}", "file", "/etc/my pass"), "", "/etc/my pass");
    assert_refused("key", json_pack("{s:s}", "env", "WEIR_NO_SUCH_KEY"), "", "WEIR_NO_SUCH_KEY");
}

/* ---- URLs ---- */

/* Every byte as %XX. */
static void escape(const char *text, char *escaped, size_t size)
{
    *escaped = '\0';
    for (; *text && strlen(escaped) + 4 < size; text++)
        sprintf(escaped + strlen(escaped), "%%%02X", (unsigned char)*text);
    assert_int_equal(*text, 0);
}

static void read_whole(const char *name, char *text, size_t size)
{
    FILE *file = fopen(tls_cert(name), "r");
    assert_non_null(file);
    size_t length = fread(text, 1, size - 1, file);
    text[length] = '\0';
    assert_true(length > 0);
    fclose(file);
}

static child *check_url(const char *option, const char *value, int *code)
{
    char text[16384];
    snprintf(text, sizeof(text),
             "{\"servers\": [{\"name\": \"x\", \"handler\": {\"echo\": {}}, \"listen\": "
             "\"tls+tcp://127.0.0.1:0?cert=%s&%s=%s\"}]}",
             tls_cert("server.pem"), option, value);
    return CHILD_RUN(code, "check", child_file("url.json", text));
}

/* A command line, and with it a URL, can be seen by everybody. */
static void TLS_14_a_private_key_does_not_stand_in_a_url(void **state)
{
    char key[4096], ca[4096], value[12400], url[13000];
    int code;
    (void)state;
    tls_need();
    read_whole("server.key", key, sizeof(key));
    escape(key, value, sizeof(value));
    child *weir = check_url("key", value, &code);
    assert_int_equal(code, 2);
    assert_says(weir, "the option \"key\" holds a private key, and no secret may stand in a URL");
    assert_says(weir, "the name of its file");
    assert_hidden(weir, key + strlen("-----BEGIN PRIVATE KEY-----"));
    child_free(weir);
    snprintf(url, sizeof(url), "tls+tcp://127.0.0.1:1?tls.key=%s", value);
    weir = CHILD_RUN(&code, "connect", url);
    assert_int_not_equal(code, 0);
    assert_says(weir, "the option \"tls.key\" holds a private key");
    child_free(weir);
    /* its file's name may, and what is no secret */
    weir = check_url("key", tls_cert("server.key"), &code);
    assert_int_equal(code, 0);
    child_free(weir);
    read_whole("ca.pem", ca, sizeof(ca));
    escape(ca, value, sizeof(value));
    snprintf(url, sizeof(url), "%s&requestCert=true&key=%s", value, tls_cert("server.key"));
    weir = check_url("ca", url, &code);
    assert_int_equal(code, 0);
    child_free(weir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(TLS_14_no_spelling_of_a_key_is_shown, child_setup),
        cmocka_unit_test_setup(TLS_14_a_passphrase_is_shown_nowhere, child_setup),
        cmocka_unit_test_setup(TLS_14_names_of_files_are_shown, child_setup),
        cmocka_unit_test_setup(TLS_14_a_private_key_does_not_stand_in_a_url, child_setup),
    };
    return cmocka_run_group_tests_name("service.tls_secrets", tests, tls_group_setup, NULL);
}
