/* SPDX-License-Identifier: MIT */
/* Opens a plugin's file, looks at it from outside, has the dynamic linker load that very file, and looks at it again.
 */
#define _GNU_SOURCE

#include "plugin_file.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <uv.h>

#include "plugin_check.h"
#include "plugin_elf.h"

typedef struct {
    const char *path;    /* as it was asked for; what messages begin with */
    char real[PATH_MAX]; /* without symbolic links: what is opened, and what debuggers are told */
    int fd;
    struct stat found;
    weir_error **error;
} plugin_file;

static int refuse_code(const plugin_file *file, int code)
{
    if (code == UV_ENOMEM) {
        weir__plugin_refuse(file->error, code, file->path, "there is no memory to load it");
        return code;
    }
    return weir__plugin_refuse(file->error, code == UV_ENOENT || code == UV_ENOTDIR ? WEIR_ENOPLUGIN : WEIR_EPLUGIN,
                               file->path, "cannot be opened: %s (%s)", weir_error_text(code), weir_error_name(code));
}

/* ---- who can write to it ---- */

typedef struct {
    uid_t users[4];
    gid_t groups[4];
    size_t user_count, group_count;
} trust;

static void trust_writers(trust *trusted, const char *path)
{
    struct stat found;
    if (stat(path, &found) != 0)
        return;
    trusted->users[trusted->user_count++] = found.st_uid;
    if (found.st_mode & S_IWGRP)
        trusted->groups[trusted->group_count++] = found.st_gid;
}

/* Those who can make this process do anything without a plugin: nothing is gained by refusing theirs. */
static void find_trusted(trust *trusted)
{
    char program[PATH_MAX];
    *trusted = (trust){.users = {0, geteuid()}, .groups = {0, getegid()}, .user_count = 2, .group_count = 2};
    ssize_t length = readlink("/proc/self/exe", program, sizeof(program) - 1);
    if (length <= 0)
        return;
    program[length] = '\0';
    trust_writers(trusted, program);
    char *slash = strrchr(program, '/');
    if (slash)
        slash[slash == program] = '\0';
    trust_writers(trusted, program);
}

static int check_writers(const plugin_file *file, const trust *trusted, const char *folder, const struct stat *found)
{
    char what[PATH_MAX + 16] = "";
    unsigned mode = (unsigned)found->st_mode & 07777;
    const char *path = folder ? folder : file->path;
    bool user = false, group = !(mode & S_IWGRP);
    if (folder)
        snprintf(what, sizeof(what), "its folder %s ", folder);
    for (size_t i = 0; i < trusted->user_count; i++)
        user = user || trusted->users[i] == found->st_uid;
    for (size_t i = 0; i < trusted->group_count; i++)
        group = group || trusted->groups[i] == found->st_gid;
    if (mode & S_IWOTH && folder && mode & S_ISVTX)
        return weir__plugin_refuse(file->error, WEIR_EPLUGIN, file->path,
                                   "everybody may put files into its folder %s (mode %04o): put the plugin into a "
                                   "folder of its own",
                                   folder, mode);
    if (mode & S_IWOTH)
        return weir__plugin_refuse(file->error, WEIR_EPLUGIN, file->path,
                                   "%scan be written to by everybody (mode %04o): run chmod o-w %s", what, mode, path);
    if (!user)
        return weir__plugin_refuse(file->error, WEIR_EPLUGIN, file->path,
                                   "%sbelongs to user %u, and must belong to root, to the user this program runs as "
                                   "(%u) or to the program's owner: run chown on %s",
                                   what, (unsigned)found->st_uid, (unsigned)geteuid(), path);
    if (!group)
        return weir__plugin_refuse(file->error, WEIR_EPLUGIN, file->path,
                                   "%scan be written to by group %u (mode %04o): run chmod g-w %s", what,
                                   (unsigned)found->st_gid, mode, path);
    return 0;
}

/* The folder of a path, checked; `*found` is the one that was checked already, if any. */
static int check_folder(const plugin_file *file, const trust *trusted, const char *path, struct stat *found)
{
    char folder[PATH_MAX];
    struct stat now;
    const char *slash = strrchr(path, '/');
    size_t length = slash ? (size_t)(slash - path) : 0;
    if (length >= sizeof(folder))
        return refuse_code(file, UV_ENAMETOOLONG); /* COVERAGE: realpath has refused it before */
    memcpy(folder, path, length);
    folder[length] = '\0';
    if (length == 0)
        strcpy(folder, slash ? "/" : ".");
    if (stat(folder, &now) != 0)
        return refuse_code(file, -errno);
    if (found->st_ino == now.st_ino && found->st_dev == now.st_dev)
        return 0;
    *found = now;
    return check_writers(file, trusted, folder, &now);
}

static int check_trust(const plugin_file *file)
{
    trust trusted;
    struct stat folder = {0};
    find_trusted(&trusted);
    int status = check_writers(file, &trusted, NULL, &file->found);
    if (status == 0)
        status = check_folder(file, &trusted, file->real, &folder);
    if (status == 0)
        status = check_folder(file, &trusted, file->path, &folder);
    return status;
}

/* ---- opening ---- */

static int check_kind(const plugin_file *file)
{
    mode_t mode = file->found.st_mode;
    if (S_ISREG(mode))
        return 0;
    return weir__plugin_refuse(file->error, WEIR_EPLUGIN, file->path, "is %s, not a plugin's file",
                               S_ISDIR(mode)    ? "a folder"
                               : S_ISFIFO(mode) ? "a FIFO"
                               : S_ISSOCK(mode) ? "a socket"
                                                : "a device");
}

static int open_file(plugin_file *file)
{
    if (!realpath(file->path, file->real))
        return refuse_code(file, -errno);
    /* Before it is opened: opening a device may do something. */
    if (stat(file->real, &file->found) != 0)
        return refuse_code(file, -errno);
    int status = check_kind(file);
    if (status != 0)
        return status;
    file->fd = open(file->real, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW);
    if (file->fd < 0 || fstat(file->fd, &file->found) != 0)
        return refuse_code(file, -errno);
    return check_kind(file);
}

static int check_elf(const plugin_file *file)
{
    weir__plugin_head head;
    weir__message why;
    bool head_known = false;
    weir__message_start(&why);
    int status = weir__elf_check(file->fd, (uint64_t)file->found.st_size, &head, &head_known, &why);
    if (status == UV_EINVAL && why.length)
        return weir__plugin_refuse(file->error, WEIR_EPLUGIN, file->path, "%s", why.text);
    if (status != 0)
        return refuse_code(file, status);
    /* Before it is loaded: one of another ABI may lack symbols, which would be a riddle instead of a reason. */
    return head_known ? weir__plugin_check_abi(head.abi_major, head.abi_minor, head.size, file->path, file->error) : 0;
}

/* ---- loading ---- */

/*
 * What the process has loaded, so that runtimes share it and an upgrade on the disk does not disturb them. Of fixed
 * size, because it outlives every allocator; what does not fit is merely looked at anew each time.
 */
static struct {
    pthread_mutex_t mutex; /* recursive: a plugin's constructor may load another one */
    size_t count;
    struct {
        dev_t device;
        ino_t inode;
        const char *real; /* the dynamic linker's own copy */
        const weir_plugin *plugin;
    } files[128];
} loaded = {.mutex = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP};

static const weir_plugin *find_loaded(const plugin_file *file)
{
    for (size_t i = 0; i < loaded.count; i++)
        if (loaded.files[i].device == file->found.st_dev && loaded.files[i].inode == file->found.st_ino)
            return loaded.files[i].plugin;
    return NULL;
}

/* The same path with another file behind it by now. */
static const weir_plugin *find_replaced(const plugin_file *file)
{
    for (size_t i = 0; i < loaded.count; i++)
        if (strcmp(loaded.files[i].real, file->real) == 0)
            return loaded.files[i].plugin;
    return NULL;
}

static void remember(const plugin_file *file, const struct link_map *map, const weir_plugin *plugin)
{
    if (loaded.count == sizeof(loaded.files) / sizeof(loaded.files[0]))
        return;
    loaded.files[loaded.count].device = file->found.st_dev;
    loaded.files[loaded.count].inode = file->found.st_ino;
    loaded.files[loaded.count].real = map->l_name;
    loaded.files[loaded.count].plugin = plugin;
    loaded.count++;
}

static bool same_time(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/*
 * The dynamic linker opens by name. By the name of our descriptor (/proc/self/fd/N) it would load what was checked
 * beyond doubt, but $ORIGIN, debuggers and sanitizers would then know the plugin by that name, and the linker would
 * take the next file with that number for the same. So it gets the true name, and the name is looked up once more:
 * nobody can have put another file there and back, or changed this one, without its inode or its times telling.
 */
static int check_unchanged(const plugin_file *file)
{
    struct stat now;
    const struct stat *then = &file->found;
    if (stat(file->real, &now) == 0 && now.st_dev == then->st_dev && now.st_ino == then->st_ino &&
        now.st_size == then->st_size && same_time(&now.st_mtim, &then->st_mtim) &&
        same_time(&now.st_ctim, &then->st_ctim))
        return 0;
    return weir__plugin_refuse(file->error, WEIR_EPLUGIN, file->path, "was changed while it was loaded; try again");
}

static int refuse_unloadable(const plugin_file *file)
{
    const char *text = dlerror();
    size_t length = strlen(file->real);
    if (!text)
        text = "the dynamic linker does not say why";
    if (strncmp(text, file->real, length) == 0 && strncmp(text + length, ": ", 2) == 0)
        text += length + 2;
    return weir__plugin_refuse(
        file->error, WEIR_EPLUGIN, file->path, "cannot be loaded: %s%s", text,
        strstr(text, "undefined symbol: weir_") ? "; it was built for another weir than " WEIR_VERSION : "");
}

/* Found through the plugin's own dependencies, whatever its stamps are bound to. */
static bool brings_another_weir(void *handle)
{
    void *address = dlsym(handle, "weir_version");
    const char *(*version)(void);
    memcpy(&version, &address, sizeof(version));
    /* Not by its address: a program that is not position independent has one of its own for it. */
    return version && version() != weir_version();
}

static int check_symbol(const plugin_file *file, void *handle, struct link_map *map, const weir_plugin **plugin)
{
    struct link_map *owner = NULL;
    ElfW(Sym) *symbol = NULL;
    Dl_info info;
    void *address = dlsym(handle, WEIR__PLUGIN_SYMBOL);
    /* dlsym also looks into what the file depends on. */
    if (!address || !dladdr1(address, &info, (void **)&owner, RTLD_DL_LINKMAP) || owner != map)
        return weir__plugin_refuse(file->error, WEIR_EPLUGIN, file->path,
                                   "is no weir plugin: it exports no " WEIR__PLUGIN_SYMBOL
                                   " (see WEIR_PLUGIN in weir/plugin.h)");
    *plugin = address;
    if (!dladdr1(address, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol ||
        symbol->st_size < sizeof(weir__plugin_head))
        return weir__plugin_refuse(file->error, WEIR_EPLUGIN, file->path,
                                   "is no weir plugin: its " WEIR__PLUGIN_SYMBOL " is no weir_plugin");
    int status =
        weir__plugin_check_abi((*plugin)->abi_major, (*plugin)->abi_minor, (*plugin)->size, file->path, file->error);
    if (status == 0 && symbol->st_size < (*plugin)->size)
        return weir__plugin_refuse(file->error, WEIR_EPLUGIN, file->path,
                                   "is no weir plugin: its " WEIR__PLUGIN_SYMBOL " is shorter than it says");
    if (status == 0 && brings_another_weir(handle))
        return weir__plugin_refuse(file->error, WEIR_EPLUGIN, file->path,
                                   "brings a second libweir into the process: link the plugin to the shared libweir "
                                   "that this program uses");
    return status == 0 ? weir__plugin_check(*plugin, file->path, file->error) : status;
}

static int load(const plugin_file *file, const weir_plugin **plugin)
{
    struct link_map *map = NULL;
    void *handle = dlopen(file->real, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return refuse_unloadable(file);
    int status = check_unchanged(file);
    if (status == 0 && dlinfo(handle, RTLD_DI_LINKMAP, &map) != 0)
        status = refuse_unloadable(file);
    if (status == 0)
        status = check_symbol(file, handle, map, plugin);
    /* Of a refused one nothing was called, so it can go again; an accepted one stays for good. */
    if (status != 0)
        dlclose(handle);
    else
        remember(file, map, *plugin);
    return status;
}

static int load_once(const plugin_file *file, const weir_plugin **plugin, bool *replaced)
{
    *plugin = find_loaded(file);
    if (!*plugin) {
        *plugin = find_replaced(file);
        *replaced = *plugin != NULL;
    }
    if (*plugin)
        return 0;
    int status = check_trust(file);
    if (status == 0)
        status = check_elf(file);
    if (status == 0)
        status = load(file, plugin);
    return status;
}

int weir__plugin_file_load(weir_runtime *runtime, const char *path, const weir_plugin **plugin, weir_error **error)
{
    plugin_file file = {.path = path, .fd = -1, .error = error};
    bool replaced = false;
    int status = open_file(&file);
    if (status == 0) {
        pthread_mutex_lock(&loaded.mutex);
        status = load_once(&file, plugin, &replaced);
        pthread_mutex_unlock(&loaded.mutex);
    }
    if (replaced)
        weir_log(runtime, WEIR_LOG_WARN,
                 "%s: was replaced after this process had loaded it; the one that is loaded serves until a restart",
                 path);
    if (file.fd >= 0)
        close(file.fd);
    if (status != 0)
        *plugin = NULL;
    return status;
}
