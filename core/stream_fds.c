/* SPDX-License-Identifier: MIT */
/* Descriptors on their way out (SOCM-59): duplicates of the caller's, which live as long as the write they belong to. */
#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "memory.h"
#include "stream_private.h"

int weir__fds_duplicate(const int *fds, size_t count, weir__fds **made)
{
    weir__fds *copies = weir__malloc(sizeof(*copies) + count * sizeof(copies->fds[0]));
    if (copies == NULL) {
        return UV_ENOMEM;
    }
    for (copies->count = 0; copies->count < count; copies->count++) {
        int copy = fcntl(fds[copies->count], F_DUPFD_CLOEXEC, 0);
        if (copy < 0) {
            int status = uv_translate_sys_error(errno);
            weir__fds_close(copies);
            return status;
        }
        copies->fds[copies->count] = copy;
    }
    *made = copies;
    return 0;
}

void weir__fds_close(weir__fds *fds)
{
    if (fds == NULL) {
        return;
    }
    for (size_t i = 0; i < fds->count; i++) {
        close(fds->fds[i]);
    }
    weir__free(fds);
}
