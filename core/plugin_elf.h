/* SPDX-License-Identifier: MIT */
/* A look into a shared object before the dynamic linker gets it: it trusts the file, and a wrong one ends the process.
 */
#ifndef WEIR_PLUGIN_ELF_H
#define WEIR_PLUGIN_ELF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "faults.h"

/* The symbol of a plugin, and how what it names begins. */
#define WEIR__PLUGIN_SYMBOL "weir_plugin_main"

typedef struct weir__plugin_head {
    uint32_t abi_major;
    uint32_t abi_minor;
    size_t size;
} weir__plugin_head;

/*
 * Checks a file of `size` bytes: that it is a shared object for this machine, that every segment and section lies
 * inside of it (a cut-off one is mapped all the same, and touching it is a SIGBUS), and that it exports a plugin's
 * symbol.
 * `*head` is what the symbol's value begins with, `*head_known` false where the file has no section headers to find it
 * by. 0; UV_EINVAL with what is wrong in `why`; UV_ENOMEM; or the error of reading.
 */
int weir__elf_check(int fd, uint64_t size, weir__plugin_head *head, bool *head_known, weir__message *why);

#endif
