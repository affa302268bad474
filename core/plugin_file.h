/* SPDX-License-Identifier: MIT */
/* Plugins as files: which ones are trusted, and those that the process has loaded. */
#ifndef WEIR_PLUGIN_FILE_H
#define WEIR_PLUGIN_FILE_H

#include <weir/plugin.h>

/*
 * The plugin in a file, loaded into the process and checked; it stays there while the process lives, and runtimes of
 * any thread share it. Nothing of it is called but its constructors.
 *
 * Whoever can write to a plugin's file, or replace it, decides what this process does. So the file and its folder must
 * belong to root, to the user the process runs as, or to whoever can replace the program itself (the owner of its file
 * or folder: a plugin in a user's own clone, run by sudo); nobody else may write to them, be it by the group's mode
 * bits (a group counts that is root's, the process's effective one, or has write permission for the program or its
 * folder) or by everybody's. A folder that everybody may write to is refused with its sticky bit too: in /tmp anybody
 * can put a file before the plugin's author does. Symbolic links are followed first; both the folder that was named and
 * the one the file lies in are looked at.
 *
 * 0; WEIR_ENOPLUGIN: there is no such file; WEIR_EPLUGIN; UV_ENOMEM. `*error`, where error is not NULL, says which
 * file, what is wrong, and what to do; the caller releases it.
 */
int weir__plugin_file_load(weir_runtime *runtime, const char *path, const weir_plugin **plugin, weir_error **error);

#endif
