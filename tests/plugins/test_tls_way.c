/* SPDX-License-Identifier: MIT */
/* The way to a file that is watched: every folder in which a change may bring another file to the path. */
#define _GNU_SOURCE

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fixture.h"

#include "plugins/tls/way.h"

/* In a fixture's folder, whose own path is no part of what is told: it is "~". */
typedef struct walk {
    char root[PATH_MAX];
    char seen[8192];
} walk;

static void note(const char *folder, void *arg)
{
    walk *self = arg;
    size_t length = strlen(self->root);
    int inside = strncmp(folder, self->root, length) == 0;
    snprintf(self->seen + strlen(self->seen), sizeof(self->seen) - strlen(self->seen), "%s%s ", inside ? "~" : "",
             inside ? folder + length : folder);
}

static void expect_way(fixture *f, const char *path, const char *folders)
{
    walk self = {.seen = ""};
    assert_non_null(realpath(f->folder, self.root));
    weir__tls_way_folders(fixture_text(f, "%s/%s", self.root, path), note, &self);
    assert_string_equal(self.seen, folders);
}

static void make_link(fixture *f, const char *target, const char *name)
{
    assert_int_equal(symlink(target, fixture_path(f, name)), 0);
}

static void TLS_15_the_folder_of_every_link_counts(void **state)
{
    fixture *f = *state;
    char root[PATH_MAX];
    assert_non_null(realpath(f->folder, root));
    assert_int_equal(mkdir(fixture_path(f, "one"), 0700), 0);
    assert_int_equal(mkdir(fixture_path(f, "two"), 0700), 0);
    make_link(f, "one", "now");
    make_link(f, "../two/key.pem", "one/key.pem");
    make_link(f, fixture_text(f, "%s/two/cert.pem", root), "one/cert.pem");
    expect_way(f, "one/plain.pem", "~/one ");
    expect_way(f, "missing/plain.pem", "~/missing ");
    expect_way(f, "now/plain.pem", "~ ~/one ");
    expect_way(f, "now//key.pem", "~ ~/one ~/one/../two ");
    expect_way(f, "now/cert.pem", "~ ~/one ~/two ");
    walk self = {.root = "/none"};
    weir__tls_way_folders("/plain.pem", note, &self);
    assert_string_equal(self.seen, "/ ");
}

static void TLS_15_links_in_a_circle_come_to_an_end(void **state)
{
    fixture *f = *state;
    walk self = {.seen = ""};
    make_link(f, "there", "here");
    make_link(f, "here", "there");
    assert_non_null(realpath(f->folder, self.root));
    weir__tls_way_folders(fixture_text(f, "%s/here", self.root), note, &self);
    assert_int_equal(strlen(self.seen), 2 * 41); /* as many as the system follows, and one */
}

/* Nothing can stand at such a path. */
static void TLS_15_a_way_that_is_too_long_is_not_gone(void **state)
{
    fixture *f = *state;
    char path[2 * PATH_MAX], *at = path;
    char part[201];
    memset(part, 'x', 200);
    part[200] = '\0';
    /* where the link stands there is room, behind it there is not: it is told all the same */
    for (int i = 0; i < 10; i++) {
        at += sprintf(at, i ? "/%s" : "%s", part);
        assert_int_equal(mkdir(fixture_path(f, path), 0700), 0);
    }
    *at = '\0';
    const char *folder = fixture_text(f, "%s", path);
    char target[PATH_MAX];
    at = target;
    for (int i = 0; i < 12; i++)
        at += sprintf(at, "%s/", part);
    sprintf(at, "cert.pem");
    make_link(f, target, fixture_text(f, "%s/link", folder));
    expect_way(f, fixture_text(f, "%s/link", folder), fixture_text(f, "~/%s ", folder));
    /* and what is left behind a link has room with it, or has not */
    const char *rest = fixture_text(f, "%s/link/%s/%s/%s/%s/%s/%s/%s/%s/%s", folder, part, part, part, part, part, part,
                                    part, part, part);
    expect_way(f, rest, fixture_text(f, "~/%s ", folder));
    memset(path, 'y', sizeof(path) - 1);
    path[sizeof(path) - 1] = '\0';
    expect_way(f, path, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(TLS_15_the_folder_of_every_link_counts),
        FIXTURE_TEST(TLS_15_links_in_a_circle_come_to_an_end),
        FIXTURE_TEST(TLS_15_a_way_that_is_too_long_is_not_gone),
    };
    return cmocka_run_group_tests_name("tls_way", tests, NULL, NULL);
}
