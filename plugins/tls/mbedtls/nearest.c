/* SPDX-License-Identifier: MIT */
/*
 * Which known names are near to one that is not known: by the letters that have to be changed, once what all names have
 * in common is left out, so that OpenSSL's ECDHE-RSA-AES128-GCM-SHA256 finds its IANA name; or because it is in them.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "mbed.h"

#define NAME_MOST  96
#define PIECE_MOST 3 /* letters of which a part of a name says something */

/* Lower case, without "TLS", "WITH" and anything that is no letter or digit. */
static size_t reduce(const char *name, char *reduced)
{
    size_t length = 0;

    while (*name && length < NAME_MOST - 1) {
        size_t word = 0;
        while (isalnum((unsigned char)name[word]))
            word++;
        int filler = (word == 3 && memcmp(name, "TLS", 3) == 0) || (word == 4 && memcmp(name, "WITH", 4) == 0);
        for (size_t i = 0; i < word && !filler && length < NAME_MOST - 1; i++)
            reduced[length++] = (char)tolower((unsigned char)name[i]);
        name += word ? word : 1;
    }
    reduced[length] = '\0';
    return length;
}

/* How many letters have to be put in, left out or changed (Levenshtein). */
static size_t distance(const char *one, size_t one_length, const char *other, size_t other_length)
{
    size_t row[NAME_MOST + 1];

    for (size_t i = 0; i <= other_length; i++)
        row[i] = i;
    for (size_t i = 1; i <= one_length; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= other_length; j++) {
            size_t above = row[j];
            size_t best = corner + (one[i - 1] != other[j - 1]);
            if (above + 1 < best)
                best = above + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            corner = above;
            row[j] = best;
        }
    }
    return row[other_length];
}

/* A piece of a name is as near to it as a letter's slip. */
static size_t apart(const char *wanted, size_t length, const char *known)
{
    char reduced[NAME_MOST];
    size_t letters = distance(wanted, length, reduced, reduce(known, reduced));

    return letters > 1 && length >= PIECE_MOST && strstr(reduced, wanted) ? 1 : letters;
}

int weir__mbed_nearest(const char *name, const char *(*names)(size_t i), char *text, size_t size)
{
    char wanted[NAME_MOST];
    size_t length = reduce(name, wanted);
    const char *best[2] = {NULL, NULL};
    size_t far[2] = {length / 2 + 1, length / 2 + 1};

    for (size_t i = 0; names(i); i++) {
        size_t now = apart(wanted, length, names(i));
        if (now < far[0]) {
            best[1] = best[0];
            far[1] = far[0];
            best[0] = names(i);
            far[0] = now;
        } else if (now < far[1]) {
            best[1] = names(i);
            far[1] = now;
        }
    }
    /* One that is the same but for its spelling needs no second. */
    if (!best[0])
        snprintf(text, size, "%s", "");
    else if (!best[1] || far[0] == 0)
        snprintf(text, size, "; did you mean %s?", best[0]);
    else
        snprintf(text, size, "; did you mean %s or %s?", best[0], best[1]);
    return best[0] != NULL;
}
