/* SPDX-License-Identifier: MIT */
/* Pairs of one authority that take each other's place, under load. */
#define _GNU_SOURCE

#include "tls_renewal.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "child.h"
#include "tls_service.h"

/* ---- pairs ---- */

static char made[256]; /* the folder that has them: 0.pem, 0.key ... ca.pem */

const char *pair_file(fixture *f, size_t which, const char *end)
{
    return fixture_text(f, "%s/%zu.%s", made, which, end);
}

void make_pairs(void)
{
    int code;
    tls_need();
    if (made[0])
        return;
    tls_folder(made, sizeof(made), "renewed");
    for (int i = 0; i < PAIRS; i++) {
        const char name[] = {(char)('0' + i), '\0'};
        child_free(CHILD_RUN(&code, "cert", "--host", "localhost", "--out", made, "--file", name));
        assert_int_equal(code, 0);
    }
}

const char *file_content(fixture *f, const char *path)
{
    char bytes[16384];
    int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(file >= 0);
    ssize_t size = read(file, bytes, sizeof(bytes) - 1);
    assert_true(size > 0);
    close(file);
    bytes[size] = '\0';
    return fixture_text(f, "%s", bytes);
}

void write_over(const char *path, const char *text)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), (ssize_t)strlen(text));
    close(file);
}

void copy_file(fixture *f, const char *from, const char *to)
{
    write_over(to, file_content(f, from));
}

/* ---- where they stand ---- */

const char *in_folder(const pair_place *at, const char *name)
{
    return fixture_path(at->f, name);
}

void by_rename(const pair_place *at, size_t which)
{
    copy_file(at->f, pair_file(at->f, which, "key"), in_folder(at, "fresh.key"));
    copy_file(at->f, pair_file(at->f, which, "pem"), in_folder(at, "fresh.pem"));
    assert_int_equal(rename(in_folder(at, "fresh.key"), at->key), 0);
    assert_int_equal(rename(in_folder(at, "fresh.pem"), at->cert), 0);
}

void prepare_plainly(pair_place *at, size_t which)
{
    at->cert = in_folder(at, "site.pem");
    at->key = in_folder(at, "site.key");
    by_rename(at, which);
}

/* ---- servers ---- */

static const weir_tls *interface_of(fixture *f)
{
    const weir_plugin *plugin;
    assert_code(weir_runtime_load_plugin(f->runtime, "tls", &plugin, NULL), 0);
    const weir_tls *tls = weir_tls_of(plugin);
    assert_non_null(tls);
    assert_int_equal(tls->size, sizeof(weir_tls));
    return tls;
}

tls_site site_make(fixture *f, const char *options)
{
    tls_site self = {.tls = interface_of(f)};
    const weir_tls_options wanted = {.size = sizeof(wanted), .role = WEIR_SERVER, .options = options};
    weir_error *error = NULL;
    if (self.tls->context_new(f->runtime, &wanted, &self.context, &error) != 0)
        fail_msg("%s", error->message);
    return self;
}

tls_site site_serve(fixture *f, const char *options)
{
    tls_site self = site_make(f, options);
    assert_code(self.tls->context_register(self.context, "site"), 0);
    self.server = fixture_listen(f, "tls+tcp://127.0.0.1:0?context=site", NULL);
    return self;
}

void site_reload(const tls_site *self)
{
    weir_error *error = NULL;
    if (self->tls->context_reload(self->context, NULL, &error) != 0)
        fail_msg("%s", error->message);
}

void site_refuse(const tls_site *self, const char *why)
{
    weir_error *error = NULL;
    assert_code(self->tls->context_reload(self->context, NULL, &error), WEIR_EINVALID_CONFIG);
    if (!strstr(error->message, why))
        fail_msg("%s", error->message);
    weir_error_release(error);
}

weir_server *site_watching(const pair_place *at, const char *more)
{
    return fixture_listen(at->f,
                          fixture_text(at->f,
                                       "{\"tcp\": {\"host\": \"127.0.0.1\", \"port\": 0}, \"layers\": [{\"tls\": {"
                                       "\"cert\": \"%s\", \"key\": \"%s\", \"watch\": true%s}}]}",
                                       at->cert, at->key, more),
                          NULL);
}

/* ---- load ---- */

void load_start(tls_load *self, fixture *f, const weir_server *server)
{
    weir_address address;
    f->record = 0;
    assert_int_equal(weir_server_address(server, &address), 0);
    tls_load_start(self, f, address.port, fixture_text(f, "%s/ca.pem", made));
}

/* The last certificate of the file may be the authority's. */
size_t serves(tls_load *self)
{
    self->mark++;
    tls_load_turns(self, 1);
    for (size_t i = 0; i < PAIRS; i++) {
        if (strncmp(file_content(self->f, pair_file(self->f, i, "pem")), self->now, strlen(self->now)) == 0)
            return i;
    }
    fail_msg("a certificate of nobody's:\n%s", self->now);
    return PAIRS;
}

void load_until(tls_load *self, const char *line, size_t count)
{
    while (fixture_times(fixture_log(self->f), line) < count)
        tls_load_turns(self, 1);
}
