/* SPDX-License-Identifier: MIT */
/* Users and groups: from names to numbers, and which peers a server admits (BN-24). */
#define _GNU_SOURCE

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

#include "ipc.h"

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

#define ENTRY_SIZE 16384

/* A member of a group list may be in very many groups; those that matter come first or are his own. */
#define PEER_GROUPS_MOST 1024

static bool is_number(const char *text, long *number)
{
    char *end;

    errno = 0;
    *number = strtol(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *number < (long)UINT_MAX;
}

/* `*id` -1: there is none of that name. */
static int find_user(const char *name, long *id)
{
    struct passwd entry;
    struct passwd *found = NULL;
    char *space = weir_malloc(ENTRY_SIZE);

    if (!space)
        return UV_ENOMEM;
    *id = getpwnam_r(name, &entry, space, ENTRY_SIZE, &found) == 0 && found ? (long)entry.pw_uid : -1;
    weir_free(space);
    return 0;
}

static int find_group(const char *name, long *id)
{
    struct group entry;
    struct group *found = NULL;
    char *space = weir_malloc(ENTRY_SIZE);

    if (!space)
        return UV_ENOMEM;
    *id = getgrnam_r(name, &entry, space, ENTRY_SIZE, &found) == 0 && found ? (long)entry.gr_gid : -1;
    weir_free(space);
    return 0;
}

/* A name, its number as text, or a number; what stands at `pointer`. */
static int read_id(weir_configure *configure, const char *pointer, const json_t *value, bool group, long *id)
{
    const char *name = json_string_value(value);
    int status;

    if (!name) {
        *id = (long)json_integer_value(value);
        return 0;
    }
    if (is_number(name, id))
        return 0;
    status = group ? find_group(name, id) : find_user(name, id);
    if (status || *id >= 0)
        return status;
    weir_configure_fault(configure, pointer, "there is no %s \"%s\"", group ? "group" : "user", name);
    return WEIR_EINVALID_CONFIG;
}

int weir__ipc_read_owner(weir_configure *configure, bool group, long *id)
{
    const char *option = group ? "group" : "user";
    const json_t *value = json_object_get(configure->options, option);

    *id = -1;
    return value ? read_id(configure, group ? "/group" : "/user", value, group, id) : 0;
}

int weir__ipc_read_list(weir_configure *configure, bool group, ipc_ids *list)
{
    const char *option = group ? "allowGroups" : "allowUsers";
    const json_t *values = json_object_get(configure->options, option);
    size_t count = json_array_size(values);
    int status = 0;
    size_t i;

    if (!count)
        return 0;
    list->ids = weir_calloc(count, sizeof(*list->ids));
    if (!list->ids)
        return UV_ENOMEM;
    for (i = 0; i < count && status != UV_ENOMEM; i++) {
        char pointer[48];
        int found;

        snprintf(pointer, sizeof(pointer), "/%s/%zu", option, i);
        found = read_id(configure, pointer, json_array_get(values, i), group, &list->ids[i]);
        if (found)
            status = found;
    }
    list->count = count;
    return status;
}

/* ---- admission ---- */

static bool contains(const ipc_ids *list, long id)
{
    size_t i;

    for (i = 0; i < list->count; i++)
        if (list->ids[i] == id)
            return true;
    return false;
}

/* Its supplementary groups, as they were when it connected. */
static bool in_a_group(const ipc_ids *list, int fd)
{
    gid_t groups[PEER_GROUPS_MOST];
    socklen_t size = sizeof(groups);
    size_t i;

    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size))
        return false;
    for (i = 0; i < size / sizeof(groups[0]); i++)
        if (contains(list, (long)groups[i]))
            return true;
    return false;
}

bool weir__ipc_admits(const ipc_context *ipc, int fd)
{
    int64_t pid;
    int64_t uid;
    int64_t gid;

    if (!ipc->users.count && !ipc->groups.count)
        return true;
    /* Whom the kernel does not name nobody is. */
    if (weir__ipc_peer(fd, &pid, &uid, &gid))
        return false;
    if (contains(&ipc->users, (long)uid) || contains(&ipc->groups, (long)gid))
        return true;
    return ipc->groups.count && in_a_group(&ipc->groups, fd);
}
