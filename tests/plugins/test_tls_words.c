/* SPDX-License-Identifier: MIT */
/* The README of the layer tls against its sources: every code that a message may begin with stands in the table. */
#include <dirent.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"

enum { CODES_MOST = 128, CODE_SIZE = 64 };

typedef struct codes {
    char names[CODES_MOST][CODE_SIZE];
    size_t count;
} codes;

static int has(const codes *all, const char *name)
{
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->names[i], name) == 0)
            return 1;
    }
    return 0;
}

static char *read_text(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 262144);
    assert_non_null(text);
    assert_true(fread(text, 1, 262143, file) > 0);
    fclose(file);
    return text;
}

/* Adds what the pattern's first group matches, anywhere in the text. */
static void collect(codes *all, const char *text, const char *pattern)
{
    regex_t compiled;
    regmatch_t found[2];
    assert_int_equal(regcomp(&compiled, pattern, REG_EXTENDED), 0);
    for (; regexec(&compiled, text, 2, found, 0) == 0; text += found[1].rm_eo) {
        char name[CODE_SIZE];
        size_t length = (size_t)(found[1].rm_eo - found[1].rm_so);
        assert_true(length < sizeof(name));
        memcpy(name, text + found[1].rm_so, length);
        name[length] = '\0';
        if (has(all, name))
            continue;
        assert_true(all->count < CODES_MOST);
        memcpy(all->names[all->count++], name, length + 1);
    }
    regfree(&compiled);
}

/* Of all sources the ERR_ ones; of the file of verdicts all names in capitals. */
static void collect_folder(codes *all, const char *name)
{
    char folder[512], path[1024];
    snprintf(folder, sizeof(folder), "%s/plugins/tls/%s", WEIR_TEST_SOURCE, name);
    DIR *open = opendir(folder);
    assert_non_null(open);
    for (const struct dirent *entry; (entry = readdir(open)) != NULL;) {
        size_t length = strlen(entry->d_name);
        if (length < 3 || strcmp(entry->d_name + length - 2, ".c") != 0)
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        char *text = read_text(path);
        collect(all, text, "\"(ERR_(SSL|TLS)_[A-Z_]+[A-Z])");
        if (strcmp(entry->d_name, "verify.c") == 0)
            collect(all, text, "\"([A-Z]+_[A-Z_]+[A-Z])\"");
        free(text);
    }
    closedir(open);
}

static char *codes_section(void)
{
    char *text = read_text(WEIR_TEST_SOURCE "/plugins/tls/README.md");
    char *section = strstr(text, "\n## Codes\n");
    assert_non_null(section);
    char *next = strstr(section + 5, "\n## ");
    assert_non_null(next);
    *next = '\0';
    char *copy = strdup(strstr(section, "|---|"));
    free(text);
    return copy;
}

static void TLS_07_every_code_stands_in_the_readme_and_no_other(void **state)
{
    static codes said, told;
    (void)state;
    collect_folder(&said, "");
    collect_folder(&said, "mbedtls");
    assert_true(has(&said, "CERT_HAS_EXPIRED") && has(&said, "ERR_SSL_HTTP_REQUEST"));
    /* It is the core's own word, under which the layer reports it. */
    memcpy(said.names[said.count++], "ERR_TLS_TRUNCATED", sizeof("ERR_TLS_TRUNCATED"));
    char *section = codes_section();
    collect(&told, section, "`([A-Z]+_[A-Z_]+[A-Z])`");
    for (size_t i = 0; i < said.count; i++) {
        if (!has(&told, said.names[i]))
            fail_msg("%s is not in the README's table of codes", said.names[i]);
    }
    for (size_t i = 0; i < told.count; i++) {
        if (strcmp(told.names[i], "WEIR_ETLSTRUNCATED") != 0 && !has(&said, told.names[i]))
            fail_msg("the README's table has %s, which nothing says", told.names[i]);
    }
    free(section);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(TLS_07_every_code_stands_in_the_readme_and_no_other),
    };
    return cmocka_run_group_tests_name("tls_words", tests, NULL, NULL);
}
