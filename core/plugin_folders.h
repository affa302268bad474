/* SPDX-License-Identifier: MIT */
/* Where plugins are looked for: the folders, in their order, and what lies in them. */
#ifndef WEIR_PLUGIN_FOLDERS_H
#define WEIR_PLUGIN_FOLDERS_H

#include <stddef.h>

/* Texts in the order they were added, or sorted. */
typedef struct weir__names {
    char **items;
    size_t count, capacity;
} weir__names;

/* Adds a copy. 0 or UV_ENOMEM. */
int weir__names_add(weir__names *names, const char *text, size_t length);
void weir__names_free(weir__names *names);

/* Absolute paths: first those that were configured, then those of the environment, last the installed one. */
typedef struct weir__plugin_folders {
    weir__names paths;
    size_t configured;
} weir__plugin_folders;

/*
 * WEIR_PLUGIN_PATH (folders between colons; not read where the process has more rights than its user) and the installed
 * folder. 0 or UV_ENOMEM.
 */
int weir__plugin_folders_init(weir__plugin_folders *folders);
void weir__plugin_folders_free(weir__plugin_folders *folders);

/* One more behind those configured before it, relative to the working folder of now. 0, UV_EINVAL, UV_ENOMEM. */
int weir__plugin_folders_add(weir__plugin_folders *folders, const char *folder);

/* "FOLDER/NAME.so" in new memory. NULL without. */
char *weir__plugin_path(const char *folder, const char *name);

/* The name that a file's path gives a plugin: "/a/tcp.so" "tcp", "/a/tcp" "tcp", in new memory. NULL without. */
char *weir__plugin_path_name(const char *path);

/* The first folder's file of that name, whatever is wrong with it, in new memory. 0, UV_ENOENT, UV_ENOMEM. */
int weir__plugin_folders_find(const weir__plugin_folders *folders, const char *name, char **path);

/* Adds the names of all NAME.so in a folder, sorted. 0, UV_ENOMEM, or the error of reading it. */
int weir__plugin_folder_read(const char *folder, weir__names *names);

#endif
