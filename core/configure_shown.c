/* SPDX-License-Identifier: MIT */
/* What may be shown of a text that was to name a file or a variable, and that could be the secret itself. */
#define _GNU_SOURCE

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <weir/plugin.h>

#include "memory.h"

#define HEX_LEAST    32 /* digits: a key of 128 bits */
#define BASE64_LEAST 40 /* of 240 */

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGIT "0123456789"

/* What may stand between the digits of a key that was copied from somewhere: "30:81:87", "\n" as two letters. */
static const char between[] = " \t:;,\"'\\";

static bool is_text_of_lines(const char *text)
{
    return strpbrk(text, "\r\n\v\f") || strstr(text, "-----") ||
           (strstr(text, "BEGIN ") && strstr(text, "PRIVATE KEY"));
}

/* Hexadecimal digits, base64, or base64url: a name of that length is hardly ever made of nothing else. */
static bool is_key_material(const char *text)
{
    size_t letters = 0, hex = 0;
    bool upper = false, lower = false, digit = false, padded = false;
    if (strncmp(text, "0x", 2) == 0 || strncmp(text, "0X", 2) == 0)
        text += 2;
    for (; *text; text++) {
        if (strchr(between, *text))
            continue;
        if (!strchr(UPPER LOWER DIGIT "+/-_=", *text))
            return false;
        letters++;
        hex += strchr(DIGIT "abcdefABCDEF", *text) != NULL;
        upper |= strchr(UPPER, *text) != NULL;
        lower |= strchr(LOWER, *text) != NULL;
        digit |= strchr(DIGIT, *text) != NULL;
        padded = *text == '=';
    }
    if (hex == letters)
        return letters >= HEX_LEAST;
    return letters >= BASE64_LEAST && (padded || (upper && lower && digit));
}

/* That file is there, or the folder it would be in; the root is in front of any text that begins with '/'. */
static bool is_of_a_folder(const weir_configure *configure, const char *text)
{
    const char *slash = strrchr(text, '/');
    size_t length = slash ? (size_t)(slash - text) : 0;
    char *path = weir_configure_path(configure, text);
    struct stat about;
    if (!path)
        return false;
    bool found = stat(path, &about) == 0;
    if (!found && strspn(text, "/") < length) {
        path[strlen(path) - strlen(slash)] = '\0';
        found = stat(path, &about) == 0 && S_ISDIR(about.st_mode);
    }
    weir__free(path);
    return found;
}

int weir_configure_may_show(const weir_configure *configure, weir_named named, const char *text)
{
    if (is_text_of_lines(text))
        return 0;
    if (named == WEIR_NAMED_VARIABLE)
        return secure_getenv(text) != NULL || (strspn(text, UPPER DIGIT "_") == strlen(text) && !is_key_material(text));
    if (is_key_material(text) || (named == WEIR_NAMED_SECRET && strpbrk(text, " \t")))
        return is_of_a_folder(configure, text);
    return 1;
}
