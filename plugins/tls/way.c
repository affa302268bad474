/* SPDX-License-Identifier: MIT */
/* Walking a path as the system does: a link's target goes in the place of its name. */
#define _GNU_SOURCE

#include "way.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#define LINKS_MOST 40 /* on the way to one file, as the system has it */

typedef struct way {
    char done[PATH_MAX]; /* no link in it; "" is the root */
    char rest[PATH_MAX];
    int links;
} way;

/* Moves the next name from `rest` to `done`: how long `done` was before. -1: there is none, or it is too long. */
static int step(way *self)
{
    size_t before = strlen(self->done);
    size_t skip = strspn(self->rest, "/");
    size_t length = strcspn(self->rest + skip, "/");

    if (length == 0 || before + 1 + length >= sizeof(self->done))
        return -1;
    self->done[before] = '/';
    memcpy(self->done + before + 1, self->rest + skip, length);
    self->done[before + 1 + length] = '\0';
    memmove(self->rest, self->rest + skip + length, strlen(self->rest + skip + length) + 1);
    return (int)before;
}

/* Puts a link's target in front of what is left. 0: it is too long. */
static int turn(way *self, const char *target, size_t length)
{
    size_t left = strlen(self->rest) + 1;

    if (++self->links > LINKS_MOST || length + left > sizeof(self->rest))
        return 0;
    memmove(self->rest + length, self->rest, left);
    memcpy(self->rest, target, length);
    if (target[0] == '/')
        self->done[0] = '\0';
    return 1;
}

void weir__tls_way_folders(const char *file, void (*visit)(const char *folder, void *arg), void *arg)
{
    way self = {.links = 0};
    char target[PATH_MAX];
    int before;

    if (strlen(file) >= sizeof(self.rest))
        return;
    memcpy(self.rest, file, strlen(file) + 1);
    while ((before = step(&self)) >= 0) {
        ssize_t length = readlink(self.done, target, sizeof(target));

        if (length <= 0 && self.rest[strspn(self.rest, "/")])
            continue;
        self.done[before] = '\0';
        visit(before ? self.done : "/", arg);
        if (length <= 0 || !turn(&self, target, (size_t)length))
            return;
    }
}
