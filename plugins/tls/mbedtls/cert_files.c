/* SPDX-License-Identifier: MIT */
/* The maker of certificates as programs see it: an authority in a folder, and files that it signs. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <uv.h>

#include <weir/runtime.h>

#include "make_cert.h"
#include "mbed.h"

enum { DAYS_USUAL = 397, DAYS_AUTHORITY = 3650, DAYS_MOST = 36500, FILE_MOST = 65536, DAY = 86400, HOUR = 3600 };

static char *path_of(const char *folder, const char *name, const char *ending)
{
    size_t size = strlen(folder) + strlen(name) + strlen(ending) + 2;
    char *path = weir_malloc(size);

    if (path)
        snprintf(path, size, "%s/%s%s", folder, name, ending);
    return path;
}

static int refuse(int code, const char *path, const char *what, weir_error **error)
{
    *error = weir_error_newf(code, NULL, path, -1, "%s %s: %s (%s)", what, path ? path : "", weir_error_text(code),
                             weir_error_name(code));
    return code;
}

/* ---- files ---- */

static int read_file(const char *path, char **text)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t got = 1;
    size_t size = 0;

    *text = NULL;
    if (file < 0)
        return -errno;
    char *read_in = weir_calloc(1, FILE_MOST + 1);
    while (read_in && size < FILE_MOST && got > 0) {
        got = read(file, read_in + size, FILE_MOST - size);
        if (got > 0)
            size += (size_t)got;
        else if (got < 0 && errno == EINTR)
            got = 1;
    }
    int status = !read_in ? UV_ENOMEM : got < 0 ? -errno : size == FILE_MOST ? UV_EFBIG : 0;
    close(file);
    if (status)
        weir__mbed_free_secret(read_in, read_in ? FILE_MOST : 0);
    else
        *text = read_in;
    return status;
}

static int write_all(int file, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        ssize_t put = write(file, text, left);
        if (put < 0 && errno != EINTR)
            return -errno;
        if (put > 0) {
            text += put;
            left -= (size_t)put;
        }
    }
    return fsync(file) == 0 ? 0 : -errno;
}

/* A file that stands beside its place, until all that belong together are there. */
typedef struct pending {
    char *path;
    char *beside;
    int written;
} pending;

/* A key is never readable by others, not for a moment. */
static int prepare(pending *file, const char *text, mode_t mode, weir_error **error)
{
    if (!file->path || !file->beside)
        return refuse(UV_ENOMEM, file->path, "cannot write", error);
    unlink(file->beside);
    int opened = open(file->beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    int status = opened < 0 ? -errno : write_all(opened, text);
    file->written = opened >= 0;
    if (opened >= 0 && close(opened) != 0 && status == 0)
        status = -errno;
    return status == 0 ? 0 : refuse(status, file->path, "cannot write", error);
}

static int put_in_place(pending *file, weir_error **error)
{
    if (rename(file->beside, file->path) != 0)
        return refuse(-errno, file->path, "cannot write", error);
    file->written = 0;
    return 0;
}

static void forget(pending *file)
{
    if (file->written)
        unlink(file->beside);
    weir_free(file->path);
    weir_free(file->beside);
}

static int write_pair(const char *folder, const char *name, const mbed_cert *made, weir_error **error)
{
    pending cert = {.path = path_of(folder, name, ".pem"), .beside = path_of(folder, name, ".pem~")};
    pending key = {.path = path_of(folder, name, ".key"), .beside = path_of(folder, name, ".key~")};
    int status = prepare(&key, made->key, 0600, error);

    if (status == 0)
        status = prepare(&cert, made->cert, 0644, error);
    if (status == 0)
        status = put_in_place(&key, error);
    if (status == 0)
        status = put_in_place(&cert, error);
    forget(&key);
    forget(&cert);
    return status;
}

/* ---- the authority ---- */

/* Two of one name in a list of those who are trusted would be taken for one another. */
static int make_subject(char *subject, size_t size, weir_error **error)
{
    unsigned char tail[4];
    char host[128] = "";

    if (getentropy(tail, sizeof(tail)) != 0)
        return refuse(-errno, "the authority", "no random name for", error);
    if (gethostname(host, sizeof(host) - 1) != 0 || strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                                 "0123456789-.") != strlen(host))
        host[0] = '\0';
    /* A common name has 64 characters. */
    snprintf(subject, size, "CN=weir authority %02x%02x%02x%02x%s%.32s", tail[0], tail[1], tail[2], tail[3],
             *host ? " of " : "", host);
    return 0;
}

static int make_authority(const char *folder, mbed_cert *authority, weir_error **error)
{
    char subject[256];
    int64_t now = (int64_t)time(NULL);
    const mbed_cert_request request = {
        .subject = subject, .from = now - HOUR, .until = now + (int64_t)DAYS_AUTHORITY * DAY, .is_authority = 1};
    int status = make_subject(subject, sizeof(subject), error);

    if (status == 0)
        status = weir__mbed_cert_make(&request, authority, error);
    return status == 0 ? write_pair(folder, "ca", authority, error) : status;
}

/* Both files, or neither (nothing is read then): half an authority is somebody's mistake, which is not to be covered up. */
static int read_authority(const char *folder, mbed_cert *authority, weir_error **error)
{
    char *cert = path_of(folder, "ca", ".pem");
    char *key = path_of(folder, "ca", ".key");
    int status = cert && key ? 0 : refuse(UV_ENOMEM, folder, "cannot read", error);

    if (status == 0) {
        int have_cert = read_file(cert, &authority->cert);
        int have_key = read_file(key, &authority->key);
        if (have_cert == UV_ENOENT && have_key == UV_ENOENT)
            status = 0;
        else if (have_cert == UV_ENOMEM || have_key == UV_ENOMEM)
            status = refuse(UV_ENOMEM, folder, "cannot read", error);
        else if (have_cert != 0)
            status = refuse(have_cert, cert, "cannot read the authority's certificate", error);
        else if (have_key != 0)
            status = refuse(have_key, key, "cannot read the authority's key", error);
    }
    weir_free(cert);
    weir_free(key);
    return status;
}

/* ---- what it signs ---- */

/* What nobody can say who made it is not taken for what was signed here before. */
static int check_place(const char *folder, const char *name, const char *authority, weir_error **error)
{
    char *cert = path_of(folder, name, ".pem");
    char *key = path_of(folder, name, ".key");
    char *text = NULL;
    int status = cert && key ? 0 : refuse(UV_ENOMEM, folder, "cannot read", error);

    if (status == 0) {
        int found = read_file(cert, &text);
        int is_own = found == 0 && authority && weir__mbed_cert_is_of(text, authority);
        if (found == UV_ENOMEM)
            status = refuse(UV_ENOMEM, cert, "cannot read", error);
        else if (!is_own && (found != UV_ENOENT || access(key, F_OK) == 0))
            status = UV_EEXIST;
    }
    if (status == UV_EEXIST)
        *error = weir_error_newf(status, NULL, cert, -1,
                                 "%s stands there, and was not made by this folder's authority: it is not replaced; "
                                 "remove it and its key, or give the files another name",
                                 access(cert, F_OK) == 0 ? cert : key);
    weir_free(text);
    weir_free(cert);
    weir_free(key);
    return status;
}

static int sign(const weir_tls_cert_options *options, const char *name, const mbed_cert *authority, weir_error **error)
{
    int64_t now = (int64_t)time(NULL);
    unsigned days = options->days ? options->days : DAYS_USUAL;
    char subject[128];
    mbed_cert made;

    snprintf(subject, sizeof(subject), "CN=%.64s", options->hosts[0]);
    const mbed_cert_request request = {.subject = subject,
                                       .hosts = options->hosts,
                                       .host_count = options->host_count,
                                       .from = now - HOUR,
                                       .until = now + (int64_t)days * DAY,
                                       .uses = options->client ? MBED_FOR_CLIENT : MBED_FOR_SERVER | MBED_FOR_CLIENT,
                                       .issuer_cert = authority->cert,
                                       .issuer_key = authority->key,
                                       .issuer_folder = options->folder};
    int status = weir__mbed_cert_make(&request, &made, error);
    if (status == 0)
        status = write_pair(options->folder, name, &made, error);
    weir__mbed_cert_clear(&made);
    return status;
}

/* A name that somebody can find again, and give to other programs: "\"\"" comes of quotes that a shell has left. */
static int is_file_name(const char *name)
{
    int has_letter = 0;

    for (const char *at = name; *at; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte < ' ' || byte == 127 || strchr("/\"'", *at))
            return 0;
        has_letter |= byte >= 128 || (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
    }
    return has_letter && strcmp(name, "ca") != 0;
}

/* What is wrong with the options: 0, or UV_EINVAL with the error. Nothing is written before all of them are right. */
static int check_options(const weir_tls_cert_options *options, const char *name, weir_error **error)
{
    const char *fault = NULL;

    if (!options->folder || strspn(options->folder, "\"'") == strlen(options->folder))
        fault = "a folder is wanted";
    else if (!options->hosts || options->host_count == 0)
        fault = "at least one host is wanted";
    else if (!is_file_name(name))
        fault = "the files' name is one without '/' and quotes, with a letter or a digit in it, and not \"ca\"";
    else if (options->days > DAYS_MOST)
        fault = "a hundred years are enough";
    if (fault) {
        *error = weir_error_newf(UV_EINVAL, NULL, NULL, -1, "%s", fault);
        return UV_EINVAL;
    }
    for (size_t i = 0; i < options->host_count; i++) {
        const char *host = options->hosts[i] ? options->hosts[i] : "";
        fault = weir__mbed_cert_host_fault(host);
        if (!fault)
            continue;
        *error = weir_error_newf(UV_EINVAL, NULL, NULL, -1, "\"%s\" %s", host, fault);
        return UV_EINVAL;
    }
    return 0;
}

static int make(const weir_tls_cert_options *given, weir_error **error)
{
    weir_tls_cert_options known;
    const weir_tls_cert_options *options = &known;
    weir_error *ignored = NULL;
    mbed_cert authority = {0};

    if (!error)
        error = &ignored;
    *error = NULL;
    weir_options_init(&known, sizeof(known));
    int status = given ? weir_options_take(&known, sizeof(known), given) : UV_EINVAL;
    if (status != 0) {
        *error = weir_error_newf(status, NULL, NULL, -1, "%s",
                                 status == UV_E2BIG ? "the options are of a newer version than this plugin"
                                                    : "the options' size is not set");
        weir_error_release(ignored);
        return status;
    }
    const char *name = options->name ? options->name : options->client ? "client" : "server";
    status = check_options(options, name, error);
    if (status == 0 && mkdir(options->folder, 0755) != 0 && errno != EEXIST)
        status = refuse(-errno, options->folder, "cannot make the folder", error);
    if (status == 0)
        status = read_authority(options->folder, &authority, error);
    if (status == 0)
        status = check_place(options->folder, name, authority.cert, error);
    if (status == 0 && !authority.cert)
        status = make_authority(options->folder, &authority, error);
    if (status == 0)
        status = sign(options, name, &authority, error);
    weir__mbed_cert_clear(&authority);
    weir_error_release(ignored);
    return status;
}

const weir_tls_cert weir__mbed_cert = {.size = sizeof(weir_tls_cert), .make = make};
