/* SPDX-License-Identifier: MIT */
/* Reading material: files whole and bounded, text as it stands; what was read is wiped when nobody uses it any more. */
#define _GNU_SOURCE

#include "material.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#define PEM_BEGINS "-----BEGIN"

void weir__tls_wipe(void *data, size_t size)
{
    if (data && size)
        explicit_bzero(data, size);
}

void weir__tls_free_secret(void *secret, size_t size)
{
    weir__tls_wipe(secret, size);
    weir_free(secret);
}

char *weir__tls_text_copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = weir_malloc(size);

    if (copy)
        memcpy(copy, text, size);
    return copy;
}

/* ---- bytes ---- */

static void wipe_and_free(void *data, size_t size, void *arg)
{
    (void)arg;
    weir__tls_free_secret(data, size);
}

/* Room for `size` bytes and a NUL. */
static int make_room(tls_material *material, size_t size)
{
    char *data = weir_malloc(size + 1);

    material->holder = data ? weir_buf_wrap(data, size + 1, wipe_and_free, NULL) : NULL;
    if (!material->holder) {
        weir_free(data);
        return UV_ENOMEM;
    }
    data[size] = '\0';
    material->data = data;
    material->size = size;
    return 0;
}

static int copy_bytes(tls_material *material, const char *bytes)
{
    size_t size = strlen(bytes);
    int status = make_room(material, size);

    if (status == 0)
        memcpy(material->holder->data, bytes, size);
    return status;
}

int weir__tls_material_share(const tls_material *from, const char *pointer, tls_material *material)
{
    const char *at = pointer ? pointer : from->pointer;

    memset(material, 0, sizeof(*material));
    if (!from->data)
        return 0;
    material->path = from->path ? weir__tls_text_copy(from->path) : NULL;
    material->pointer = at ? weir__tls_text_copy(at) : NULL;
    if ((from->path && !material->path) || (at && !material->pointer)) {
        weir__tls_material_free(material);
        return UV_ENOMEM;
    }
    material->holder = weir_buf_retain(from->holder);
    material->data = from->data;
    material->size = from->size;
    material->stamp = from->stamp;
    return 0;
}

void weir__tls_material_free(tls_material *material)
{
    weir_buf_release(material->holder);
    weir_free(material->path);
    weir_free(material->pointer);
    memset(material, 0, sizeof(*material));
}

/* ---- files ---- */

static uint64_t mix(uint64_t sum, uint64_t value)
{
    sum ^= value;
    return sum * 0x9e3779b97f4a7c15u ^ sum >> 29;
}

static uint64_t stamp_of(const struct stat *about)
{
    uint64_t sum = 1;

    sum = mix(sum, (uint64_t)about->st_dev);
    sum = mix(sum, (uint64_t)about->st_ino);
    sum = mix(sum, (uint64_t)about->st_size);
    sum = mix(sum, (uint64_t)about->st_mtim.tv_sec);
    sum = mix(sum, (uint64_t)about->st_mtim.tv_nsec);
    return sum ? sum : 1;
}

uint64_t weir__tls_material_stamp(const char *path)
{
    struct stat about;

    return stat(path, &about) == 0 ? stamp_of(&about) : 0;
}

static int read_all(int file, tls_material *material)
{
    size_t done = 0;

    while (done < material->size) {
        ssize_t got = read(file, material->holder->data + done, material->size - done);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    material->holder->data[done] = '\0';
    material->size = done;
    return 0;
}

static int read_open_file(int file, tls_material *material)
{
    struct stat about;
    int status;

    if (fstat(file, &about) != 0)
        return -errno;
    if (!S_ISREG(about.st_mode))
        return S_ISDIR(about.st_mode) ? UV_EISDIR : UV_EINVAL;
    if (about.st_size > (off_t)TLS_MATERIAL_MOST)
        return UV_EFBIG;
    status = make_room(material, (size_t)about.st_size);
    if (status == 0)
        status = read_all(file, material);
    material->stamp = stamp_of(&about);
    return status;
}

int weir__tls_material_file(const char *path, tls_material *material)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    int status;

    memset(material, 0, sizeof(*material));
    if (file < 0)
        return -errno;
    status = read_open_file(file, material);
    close(file);
    if (status == 0) {
        material->path = weir__tls_text_copy(path);
        status = material->path ? 0 : UV_ENOMEM;
    }
    if (status)
        weir__tls_material_free(material);
    return status;
}

/* Whoever wrote the key itself where its file or variable is to be named does not find it in a log. */
static void refuse_hidden(const char *member, const char *pointer, tls_report *report)
{
    if (member)
        weir__tls_fault(
            report, pointer,
            "\"%s\" takes the name of a %s, and there is none of this name, which is not shown: it could be "
            "the key itself; PEM text is given without \"%s\"",
            member, strcmp(member, "env") == 0 ? "variable of the environment" : "file", member);
    else
        weir__tls_fault(report, pointer,
                        "this is neither the name of a file nor PEM text, which has a line that begins with "
                        "'" PEM_BEGINS "'; it is not shown, it could be the key itself");
}

/* `member`: the option's, or NULL: it is a text. */
static int read_path(const char *given, const char *member, const char *folder, const char *pointer, tls_report *report,
                     tls_material *material)
{
    const weir_configure configure = {.size = sizeof(configure), .folder = folder};
    char *path = weir_configure_path(&configure, given);
    int status = path ? weir__tls_material_file(path, material) : UV_ENOMEM;

    if (status && status != UV_ENOMEM && !weir_configure_may_show(&configure, WEIR_NAMED_KEY, given)) {
        refuse_hidden(member, pointer, report);
        status = 0;
    } else if (status == 0 && material->size == 0) {
        weir__tls_fault(report, pointer, "%s is empty", path);
        weir__tls_material_free(material);
    } else if (status == UV_EFBIG) {
        weir__tls_fault(report, pointer, "%s is larger than 4 MiB", path);
        status = 0;
    } else if (status == UV_EINVAL) {
        weir__tls_fault(report, pointer, "%s is not a regular file", path);
        status = 0;
    } else if (status == UV_ENAMETOOLONG) {
        weir__tls_fault(report, pointer,
                        "no file can have a name of %zu bytes; text is PEM, with a line that begins with "
                        "'" PEM_BEGINS "'",
                        strlen(given));
        status = 0;
    } else if (status && status != UV_ENOMEM) {
        weir__tls_fault(report, pointer, "cannot read %s: %s (%s)", path, weir_error_text(status),
                        weir_error_name(status));
        status = 0;
    }
    weir_free(path);
    return status;
}

static int read_environment(const char *name, const char *pointer, tls_report *report, tls_material *material)
{
    const weir_configure configure = {.size = sizeof(configure), .folder = ""};
    const char *text = secure_getenv(name);

    if (text && *text)
        return copy_bytes(material, text);
    if (weir_configure_may_show(&configure, WEIR_NAMED_VARIABLE, name))
        weir__tls_fault(report, pointer, "the variable %s of the environment is %s", name, text ? "empty" : "not set");
    else
        refuse_hidden("env", pointer, report);
    return 0;
}

static int read_value(const json_t *value, const char *folder, const char *pointer, tls_report *report,
                      tls_material *material)
{
    const char *text = json_string_value(value);
    const char *file = json_string_value(json_object_get(value, "file"));
    const char *variable = json_string_value(json_object_get(value, "env"));

    /* What tools write in front of it, lines about it or an empty one, does no harm. */
    if (text && strstr(text, PEM_BEGINS))
        return copy_bytes(material, text);
    if (variable)
        return read_environment(variable, pointer, report, material);
    return read_path(text ? text : file ? file : "", text ? NULL : "file", folder, pointer, report, material);
}

int weir__tls_material_read(const json_t *value, const char *folder, const char *pointer, tls_report *report,
                            tls_material *material)
{
    int status;

    memset(material, 0, sizeof(*material));
    status = read_value(value, folder, pointer, report, material);
    if (status == 0 && material->data) {
        material->pointer = weir__tls_text_copy(pointer);
        status = material->pointer ? 0 : UV_ENOMEM;
    }
    if (status)
        weir__tls_material_free(material);
    return status;
}

/* Where a certificate was given instead, that is the fault, and everybody may read it. */
static int may_hold_key(const tls_material *material)
{
    return !strstr(material->data, PEM_BEGINS) || strstr(material->data, "KEY-----");
}

void weir__tls_material_check_mode(const tls_material *material, tls_report *report)
{
    struct stat about;

    if (material->path && may_hold_key(material) && stat(material->path, &about) == 0 && about.st_mode & S_IROTH)
        weir__tls_warning(report, material->pointer ? material->pointer : "",
                          "everybody may read the private key in %s: let nobody but its owner (chmod 600)",
                          material->path);
}
