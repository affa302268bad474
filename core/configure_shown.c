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
#define BETWEEN " \t:;,\"'\\"

static bool is_text_of_lines(const char *text)
{
    return strpbrk(text, "\r\n\v\f") || strstr(text, "-----") ||
           (strstr(text, "BEGIN ") && strstr(text, "PRIVATE KEY"));
}

/* "30818702", "30:81:87:02", "30-81-87-02", "0x30, 0x81", "\x30\x81". */
static bool is_hexadecimal(const char *text)
{
    size_t digits = 0;
    while (*text) {
        if ((*text == '0' || *text == '\\') && (text[1] == 'x' || text[1] == 'X')) {
            text += 2;
            continue;
        }
        if (strchr(DIGIT "abcdefABCDEF", *text))
            digits++;
        else if (!strchr(BETWEEN "-_.", *text))
            return false;
        text++;
    }
    return digits >= HEX_LEAST;
}

/*
 * Base64, or base64url: a name of that length hardly ever has no '.', whatever letters it is made of. A path may: with a
 * '/' in it all kinds of letters are asked for.
 */
static bool is_base64(const char *text)
{
    size_t letters = 0;
    bool upper = false, lower = false, digit = false, slash = false, padded = false;
    for (; *text; text++) {
        if (strchr(BETWEEN, *text))
            continue;
        if (!strchr(UPPER LOWER DIGIT "+/-_=", *text))
            return false;
        letters++;
        upper |= strchr(UPPER, *text) != NULL;
        lower |= strchr(LOWER, *text) != NULL;
        digit |= strchr(DIGIT, *text) != NULL;
        slash |= *text == '/';
        padded = *text == '=';
    }
    return letters >= BASE64_LEAST && (padded || !slash || (upper && lower && digit));
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
        return secure_getenv(text) != NULL || (strspn(text, UPPER DIGIT "_") == strlen(text) && !is_hexadecimal(text));
    if (is_hexadecimal(text) || is_base64(text) || (named == WEIR_NAMED_SECRET && strpbrk(text, " \t")))
        return is_of_a_folder(configure, text);
    return 1;
}
