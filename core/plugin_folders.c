/* SPDX-License-Identifier: MIT */
/* The folders that plugins are looked for in. */
#define _GNU_SOURCE

#include "plugin_folders.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include "memory.h"

#define SUFFIX ".so"

int weir__names_add(weir__names *names, const char *text, size_t length)
{
    void *items = names->items;
    int status = weir__array_reserve(&items, names->count, &names->capacity, sizeof(names->items[0]));
    names->items = items;
    char *copy = status == 0 ? weir__strndup(text, length) : NULL;
    if (!copy)
        return UV_ENOMEM;
    names->items[names->count++] = copy;
    return 0;
}

void weir__names_free(weir__names *names)
{
    for (size_t i = 0; i < names->count; i++)
        weir__free(names->items[i]);
    weir__free(names->items);
    *names = (weir__names){0};
}

static bool has_name(const weir__names *names, const char *text, size_t length)
{
    for (size_t i = 0; i < names->count; i++)
        if (strncmp(names->items[i], text, length) == 0 && names->items[i][length] == '\0')
            return true;
    return false;
}

/* Absolute, so that a later chdir of the program changes nothing; without slashes at the end, so that equals are seen.
 */
static int add_path(weir__names *paths, const char *folder, size_t length)
{
    char path[PATH_MAX];
    int used = 0;
    if (folder[0] != '/') {
        if (!getcwd(path, sizeof(path)))
            return -errno;
        used = (int)strlen(path);
    }
    while (length > 1 && folder[length - 1] == '/')
        length--;
    size_t room = sizeof(path) - (size_t)used;
    int more = snprintf(path + used, room, "%s%.*s", used ? "/" : "", (int)length, folder);
    if (length >= PATH_MAX || more < 0 || (size_t)more >= room)
        return UV_ENAMETOOLONG;
    size_t whole = (size_t)used + (size_t)more;
    return has_name(paths, path, whole) ? 0 : weir__names_add(paths, path, whole);
}

static int add_environment(weir__names *paths)
{
    const char *at = secure_getenv("WEIR_PLUGIN_PATH");
    int status = 0;
    while (at && *at && status != UV_ENOMEM) {
        size_t length = strcspn(at, ":");
        /* An empty part is no folder, least of all the working one; one that cannot have a path holds nothing. */
        if (length > 0)
            status = add_path(paths, at, length);
        at += length + (at[length] == ':');
    }
    return status == UV_ENOMEM ? status : 0;
}

int weir__plugin_folders_init(weir__plugin_folders *folders)
{
    *folders = (weir__plugin_folders){0};
    int status = add_environment(&folders->paths);
    if (status == 0)
        status = add_path(&folders->paths, WEIR_PLUGIN_DIR, strlen(WEIR_PLUGIN_DIR));
    if (status != 0)
        weir__plugin_folders_free(folders);
    return status;
}

void weir__plugin_folders_free(weir__plugin_folders *folders)
{
    weir__names_free(&folders->paths);
    folders->configured = 0;
}

int weir__plugin_folders_add(weir__plugin_folders *folders, const char *folder)
{
    weir__names *paths = &folders->paths;
    weir__names added = {0};
    if (!folder || !folder[0])
        return UV_EINVAL;
    int status = add_path(&added, folder, strlen(folder));
    if (added.count == 0) {
        weir__names_free(&added);
        return status == UV_ENOMEM ? status : UV_EINVAL;
    }
    size_t at = 0;
    while (at < paths->count && strcmp(paths->items[at], added.items[0]) != 0)
        at++;
    if (at == paths->count)
        status = weir__names_add(paths, added.items[0], strlen(added.items[0]));
    weir__names_free(&added);
    if (status != 0)
        return status == UV_ENOMEM ? status : UV_EINVAL;
    if (at < folders->configured)
        return 0;
    /* It moves to the end of the configured ones, also when the environment had it already. */
    char *moved = paths->items[at];
    memmove(&paths->items[folders->configured + 1], &paths->items[folders->configured],
            (at - folders->configured) * sizeof(paths->items[0]));
    paths->items[folders->configured++] = moved;
    return 0;
}

char *weir__plugin_path(const char *folder, const char *name)
{
    size_t size = strlen(folder) + 1 + strlen(name) + sizeof(SUFFIX);
    char *path = weir__malloc(size);
    if (path)
        snprintf(path, size, "%s/%s%s", strcmp(folder, "/") == 0 ? "" : folder, name, SUFFIX);
    return path;
}

static size_t stem_length(const char *file)
{
    size_t length = strlen(file), suffix = strlen(SUFFIX);
    return length > suffix && strcmp(file + length - suffix, SUFFIX) == 0 ? length - suffix : 0;
}

char *weir__plugin_path_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *file = slash ? slash + 1 : path;
    size_t length = stem_length(file);
    return weir__strndup(file, length ? length : strlen(file));
}

int weir__plugin_folders_find(const weir__plugin_folders *folders, const char *name, char **path)
{
    for (size_t i = 0; i < folders->paths.count; i++) {
        struct stat found;
        *path = weir__plugin_path(folders->paths.items[i], name);
        if (!*path)
            return UV_ENOMEM;
        /* One that cannot be looked at is found too: what is wrong with it is said, rather than another one taken. */
        if (lstat(*path, &found) == 0 || (errno != ENOENT && errno != ENOTDIR))
            return 0;
        weir__free(*path);
    }
    *path = NULL;
    return UV_ENOENT;
}

static int by_text(const void *left, const void *right)
{
    const char *const *a = left, *const *b = right;
    return strcmp(*a, *b);
}

int weir__plugin_folder_read(const char *folder, weir__names *names)
{
    DIR *stream = opendir(folder);
    int status = 0;
    if (!stream)
        return -errno;
    while (status == 0) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (!entry) {
            status = -errno;
            break;
        }
        size_t length = entry->d_name[0] == '.' ? 0 : stem_length(entry->d_name);
        if (length)
            status = weir__names_add(names, entry->d_name, length);
    }
    closedir(stream);
    if (names->count > 1)
        qsort(names->items, names->count, sizeof(names->items[0]), by_text);
    return status;
}
