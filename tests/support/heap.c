/* SPDX-License-Identifier: MIT */
/* The heap of this process, read as a file is, since it is no array of anybody's. */
#define _GNU_SOURCE

#include "heap.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096
#define MOST 64

size_t heap_holds(const void *wanted, size_t size)
{
    char line[512], bytes[PAGE + MOST];
    size_t found = 0, from, to;
    FILE *maps = fopen("/proc/self/maps", "re");
    int memory = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    while (maps && memory >= 0 && fgets(line, sizeof(line), maps)) {
        if (!strstr(line, "[heap]") || sscanf(line, "%zx-%zx", &from, &to) != 2)
            continue;
        for (; from < to; from += PAGE) {
            ssize_t got = pread(memory, bytes, sizeof(bytes), (off_t)from);
            found += got > 0 && memmem(bytes, (size_t)got, wanted, size) != NULL;
        }
    }
    if (maps)
        fclose(maps);
    if (memory >= 0)
        close(memory);
    explicit_bzero(bytes, sizeof(bytes));
    return found;
}
