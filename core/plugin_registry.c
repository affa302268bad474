/* SPDX-License-Identifier: MIT */
/* A runtime's plugins: finding them by name or path, starting and ending their instances, and listing them. */
#define _GNU_SOURCE

#include "plugin_registry.h"

#include <string.h>
#include <sys/stat.h>

#include <uv.h>

#include "memory.h"
#include "plugin_check.h"
#include "plugin_file.h"
#include "plugin_folders.h"

/* A plugin's file would bring libweir.so, and so a second libweir, into a process that has libweir.a in it. */
#ifdef WEIR_STATIC_BUILD
enum { OPENS_FILES = 0 };
#else
enum { OPENS_FILES = 1 };
#endif

/* A plugin whose init is on the call stack: it may ask for others, but not for itself. */
typedef struct starting starting;
struct starting {
    const weir_plugin *plugin;
    const starting *outer;
};

struct weir__registry {
    weir_runtime *runtime;
    weir__plugin_folders folders;
    weir__loaded *newest;
    const starting *starting;
    bool ending;
};

weir__registry *weir__registry_new(weir_runtime *runtime)
{
    weir__registry *registry = weir__calloc(1, sizeof(*registry));
    if (!registry)
        return NULL;
    registry->runtime = runtime;
    if (weir__plugin_folders_init(&registry->folders) != 0) {
        weir__free(registry);
        return NULL;
    }
    return registry;
}

static void free_loaded(weir__loaded *loaded)
{
    weir__schema_free(loaded->schema);
    weir__free((void *)(uintptr_t)loaded->path);
    weir__free(loaded);
}

void weir__registry_free(weir__registry *registry)
{
    if (!registry)
        return;
    registry->ending = true;
    while (registry->newest) {
        weir__loaded *loaded = registry->newest;
        registry->newest = loaded->earlier;
        if (loaded->plugin->exit)
            loaded->plugin->exit(registry->runtime, loaded->instance);
        free_loaded(loaded);
    }
    weir__plugin_folders_free(&registry->folders);
    weir__free(registry);
}

static weir__loaded *loaded_by_name(const weir__registry *registry, const char *name)
{
    weir__loaded *loaded = registry->newest;
    while (loaded && strcmp(loaded->plugin->name, name) != 0)
        loaded = loaded->earlier;
    return loaded;
}

static weir__loaded *loaded_by_path(const weir__registry *registry, const char *path)
{
    weir__loaded *loaded = registry->newest;
    while (loaded && !(loaded->path && strcmp(loaded->path, path) == 0))
        loaded = loaded->earlier;
    return loaded;
}

/* ---- starting ---- */

static int refuse_schema(weir__faults *faults, const char *where, weir_error **error)
{
    weir__message place;
    weir__message_start(&place);
    if (faults->out_of_memory || faults->count == 0)
        return weir__plugin_refuse(error, UV_ENOMEM, where, "there is no memory for its schema");
    weir__faults_sort(faults);
    const weir__fault *first = &faults->items[0];
    if (first->line)
        weir__message_add(&place, "line %u, column %u: ", first->line, first->column);
    if (first->pointer[0])
        weir__message_add(&place, "%s: ", first->pointer);
    return weir__plugin_refuse(error, WEIR_EPLUGIN, where, "its schema is invalid: %s%s", place.text, first->message);
}

static int compile_schema(const weir_plugin *plugin, const char *where, weir__schema **schema, weir_error **error)
{
    weir__faults faults = {0};
    *schema = weir__schema_parse(plugin->schema, strlen(plugin->schema), "schema", &faults);
    int status = *schema ? 0 : refuse_schema(&faults, where, error);
    weir__faults_free(&faults);
    if (*schema && !json_is_object(weir__schema_json(*schema))) {
        weir__schema_free(*schema);
        *schema = NULL;
        status = weir__plugin_refuse(error, WEIR_EPLUGIN, where, "its schema is invalid: it must be a JSON object");
    }
    return status;
}

static int run_init(weir__registry *registry, weir__loaded *loaded, const char *where, weir_error **error)
{
    const weir_plugin *plugin = loaded->plugin;
    weir_error *reason = NULL;
    starting now = {.plugin = plugin, .outer = registry->starting};
    if (!plugin->init)
        return 0;
    registry->starting = &now;
    int status = plugin->init(registry->runtime, &loaded->instance, &reason);
    registry->starting = now.outer;
    int code = status == UV_ENOMEM ? UV_ENOMEM : WEIR_EPLUGIN;
    if (status < 0 && reason)
        status = weir__plugin_refuse(error, code, where, "cannot start: %s", reason->message);
    else if (status < 0)
        status = weir__plugin_refuse(error, code, where, "cannot start: %s (%s)", weir_error_text(status),
                                     weir_error_name(status));
    else
        status = 0;
    weir_error_release(reason);
    return status;
}

static int start(weir__registry *registry, const weir_plugin *plugin, const char *path, weir__loaded **found,
                 weir_error **error)
{
    const char *where = path ? path : plugin->name;
    for (const starting *outer = registry->starting; outer; outer = outer->outer)
        if (outer->plugin == plugin)
            return weir__plugin_refuse(error, WEIR_EPLUGIN, where, "its init asks for the plugin itself");
    weir__loaded *loaded = weir__calloc(1, sizeof(*loaded));
    if (!loaded)
        return weir__plugin_refuse(error, UV_ENOMEM, where, "there is no memory to start it");
    loaded->plugin = plugin;
    loaded->path = path ? weir__strdup(path) : NULL;
    int status = path && !loaded->path ? weir__plugin_refuse(error, UV_ENOMEM, where, "there is no memory to start it")
                                       : compile_schema(plugin, where, &loaded->schema, error);
    if (status == 0)
        status = run_init(registry, loaded, where, error);
    if (status != 0) {
        free_loaded(loaded);
        return status;
    }
    loaded->earlier = registry->newest;
    registry->newest = loaded;
    *found = loaded;
    return 0;
}

/* ---- files ---- */

/* Loaded and checked, under the name that its file has. */
static int load_file(weir__registry *registry, const char *path, const weir_plugin **plugin, weir_error **error)
{
    if (!OPENS_FILES)
        return weir__plugin_refuse(error, WEIR_EPLUGIN, path,
                                   "this program has weir linked into it (libweir.a) and opens no plugins: link the "
                                   "plugin too, and register it");
    int status = weir__plugin_file_load(registry->runtime, path, plugin, error);
    if (status != 0)
        return status;
    char *name = weir__plugin_path_name(path);
    if (!name)
        status = weir__plugin_refuse(error, UV_ENOMEM, path, "there is no memory to load it");
    else if (strcmp(name, (*plugin)->name) != 0)
        status =
            weir__plugin_refuse(error, WEIR_EPLUGIN, path, "holds the plugin \"%s\": the file must be called %s.so",
                                (*plugin)->name, (*plugin)->name);
    weir__free(name);
    return status;
}

static int refuse_second(const weir__loaded *first, const char *where, int code, weir_error **error)
{
    return weir__plugin_refuse(error, code, where, "there is a plugin called \"%s\" already, %s%s", first->plugin->name,
                               first->path ? "from " : "linked into the program", first->path ? first->path : "");
}

static int find_by_path(weir__registry *registry, const char *path, weir__loaded **found, weir_error **error)
{
    const weir_plugin *plugin = NULL;
    *found = loaded_by_path(registry, path);
    if (*found)
        return 0;
    int status = load_file(registry, path, &plugin, error);
    if (status != 0)
        return status;
    weir__loaded *first = loaded_by_name(registry, plugin->name);
    if (!first)
        return start(registry, plugin, path, found, error);
    if (first->plugin != plugin)
        return refuse_second(first, path, WEIR_EPLUGIN, error);
    *found = first; /* the same file by another path */
    return 0;
}

/* ---- names ---- */

static bool collect_names(const weir__registry *registry, weir__names *names)
{
    bool complete = true;
    for (const weir__loaded *loaded = registry->newest; loaded; loaded = loaded->earlier)
        complete = weir__names_add(names, loaded->plugin->name, strlen(loaded->plugin->name)) == 0 && complete;
    for (size_t i = 0; i < registry->folders.paths.count && OPENS_FILES; i++)
        complete = weir__plugin_folder_read(registry->folders.paths.items[i], names) != UV_ENOMEM && complete;
    return complete;
}

static void add_folders(const weir__registry *registry, const char *name, weir__message *text)
{
    const weir__names *paths = &registry->folders.paths;
    weir__message_add(text, "; looked for %s.so in ", name);
    for (size_t i = 0; i < paths->count; i++)
        weir__message_add(text, "%s%s", i == 0 ? "" : i + 1 == paths->count ? " and " : ", ", paths->items[i]);
    weir__message_add(text, " (WEIR_PLUGIN_PATH can name more)");
}

static int refuse_missing(const weir__registry *registry, const char *name, weir_error **error)
{
    weir__names names = {0};
    weir__message text;
    weir__message_start(&text);
    bool complete = collect_names(registry, &names);
    const char *near = weir__nearest_name(name, (const char *const *)names.items, names.count);
    weir__message_add(&text, "there is no such plugin");
    if (near)
        weir__message_add(&text, " (did you mean \"%s\"?)", near);
    if (!OPENS_FILES)
        weir__message_add(&text, "; this program has weir linked into it (libweir.a) and opens no plugins: link the "
                                 "plugin too, and register it");
    else if (weir__plugin_name_valid(name))
        add_folders(registry, name, &text);
    else
        weir__message_add(&text, "; a name is [a-z][a-z0-9-]*, and a path has a slash in it");
    weir__names_free(&names);
    return weir__plugin_refuse(error, complete ? WEIR_ENOPLUGIN : UV_ENOMEM, name, "%s", text.text);
}

static int find_by_name(weir__registry *registry, const char *name, weir__loaded **found, weir_error **error)
{
    char *path = NULL;
    *found = loaded_by_name(registry, name);
    if (*found)
        return 0;
    int status = UV_ENOENT;
    if (OPENS_FILES && weir__plugin_name_valid(name))
        status = weir__plugin_folders_find(&registry->folders, name, &path);
    if (status == UV_ENOENT)
        return refuse_missing(registry, name, error);
    if (status != 0)
        return weir__plugin_refuse(error, UV_ENOMEM, name, "there is no memory to load it");
    status = find_by_path(registry, path, found, error);
    weir__free(path);
    return status;
}

static weir__registry *registry_of(const weir_runtime *runtime)
{
    return runtime->registry && !runtime->registry->ending ? runtime->registry : NULL;
}

const weir__loaded *weir__registry_newest(const weir_runtime *runtime)
{
    const weir__registry *registry = registry_of(runtime);
    return registry ? registry->newest : NULL;
}

int weir__registry_find(weir_runtime *runtime, const char *name_or_path, weir__loaded **found, weir_error **error)
{
    weir__registry *registry = registry_of(runtime);
    *found = NULL;
    if (!registry)
        return weir__plugin_refuse(error, UV_ECANCELED, name_or_path, "cannot be loaded: the runtime is ending");
    if (!name_or_path[0])
        return weir__plugin_refuse(error, UV_EINVAL, "\"\"", "is no name of a plugin");
    return strchr(name_or_path, '/') ? find_by_path(registry, name_or_path, found, error)
                                     : find_by_name(registry, name_or_path, found, error);
}

/* In the order in which the other one started them, so that what one asks for in its init is there. */
static int inherit_plugins(weir__registry *registry, const weir__loaded *other, weir_error **error)
{
    weir__loaded *found;
    if (!other)
        return 0;
    int status = inherit_plugins(registry, other->earlier, error);
    if (status != 0 || loaded_by_name(registry, other->plugin->name))
        return status;
    return start(registry, other->plugin, other->path, &found, error);
}

int weir__registry_inherit(weir_runtime *runtime, const weir_runtime *other, weir_error **error)
{
    weir__registry *registry = registry_of(runtime);
    const weir__registry *from = registry_of(other);
    int status = registry && from ? 0 : UV_ECANCELED;
    for (size_t i = 0; status == 0 && i < from->folders.configured; i++)
        status = weir__plugin_folders_add(&registry->folders, from->folders.paths.items[i]);
    if (status != 0)
        return weir__plugin_refuse(error, status, "plugins", "cannot be given to another runtime: %s",
                                   weir_error_text(status));
    return inherit_plugins(registry, from->newest, error);
}

/* ---- what applications call ---- */

int weir_runtime_add_plugin_path(weir_runtime *runtime, const char *folder)
{
    weir__registry *registry = runtime ? registry_of(runtime) : NULL;
    return registry ? weir__plugin_folders_add(&registry->folders, folder) : UV_EINVAL;
}

int weir_runtime_register_plugin(weir_runtime *runtime, const weir_plugin *plugin, weir_error **error)
{
    const char *where = "a registered plugin";
    weir_error *reason = NULL;
    weir__loaded *found = NULL;
    weir__registry *registry = runtime ? registry_of(runtime) : NULL;
    if (error)
        *error = NULL;
    if (!registry || !plugin)
        return weir__plugin_refuse(error, UV_EINVAL, where, "there is no %s", plugin ? "runtime" : "plugin");
    /* Its name can be read only where its ABI is known. */
    if (weir__plugin_check_abi(plugin->abi_major, plugin->abi_minor, plugin->size, where, NULL) == 0 && plugin->name &&
        weir__plugin_name_valid(plugin->name))
        where = plugin->name;
    int status = weir__plugin_check(plugin, where, &reason);
    const weir__loaded *first = status == 0 ? loaded_by_name(registry, plugin->name) : NULL;
    if (first)
        status = refuse_second(first, where, UV_EEXIST, &reason);
    if (status == 0)
        status = start(registry, plugin, NULL, &found, &reason);
    if (error)
        *error = reason;
    else
        weir_error_release(reason);
    return status;
}

int weir_runtime_load_plugin(weir_runtime *runtime, const char *name, const weir_plugin **plugin, weir_error **error)
{
    weir__loaded *found = NULL;
    if (error)
        *error = NULL;
    if (plugin)
        *plugin = NULL;
    if (!runtime || !name)
        return weir__plugin_refuse(error, UV_EINVAL, name ? name : "a plugin", "there is no %s",
                                   runtime ? "name" : "runtime");
    int status = weir__registry_find(runtime, name, &found, error);
    if (status == 0 && found && plugin)
        *plugin = found->plugin;
    return status;
}

/* ---- listing ---- */

typedef struct {
    weir__registry *registry;
    void (*visit)(const weir_plugin_info *info, void *arg);
    void *arg;
} listing;

static void visit_loaded(const listing *list)
{
    size_t count = 0;
    for (const weir__loaded *loaded = list->registry->newest; loaded; loaded = loaded->earlier)
        count++;
    for (; count > 0; count--) {
        const weir__loaded *loaded = list->registry->newest;
        for (size_t i = 1; i < count; i++)
            loaded = loaded->earlier;
        const weir_plugin_info info = {.name = loaded->plugin->name,
                                       .path = loaded->path,
                                       .plugin = loaded->plugin,
                                       .kinds = weir__plugin_kinds(loaded->plugin)};
        list->visit(&info, list->arg);
    }
}

static int try_file(weir__registry *registry, const char *name, const char *path, const weir_plugin **plugin,
                    weir_error **error)
{
    weir__schema *schema = NULL;
    if (!weir__plugin_name_valid(name))
        return weir__plugin_refuse(error, WEIR_EPLUGIN, path, "cannot be found by name: a plugin's is [a-z][a-z0-9-]*");
    int status = load_file(registry, path, plugin, error);
    if (status == 0)
        status = compile_schema(*plugin, path, &schema, error);
    weir__schema_free(schema);
    return status;
}

/* What a name stands for when this file does not have it: one that is loaded, or an earlier folder's. */
static int check_hidden(const listing *list, const char *name, const char *path, weir_error **error)
{
    char *first = NULL;
    const weir__loaded *loaded = loaded_by_name(list->registry, name);
    if (loaded)
        return refuse_second(loaded, path, WEIR_EPLUGIN, error);
    int status = weir__plugin_folders_find(&list->registry->folders, name, &first);
    if (status == 0 && strcmp(first, path) != 0)
        status = weir__plugin_refuse(error, WEIR_EPLUGIN, path, "is hidden by %s, which is found first", first);
    weir__free(first);
    return status == UV_ENOENT ? 0 : status;
}

/* One file by two paths is one plugin: a folder that is listed twice hides nothing. */
static bool is_same_file(const char *path, const char *other)
{
    struct stat one, two;
    return other && stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_dev == two.st_dev &&
           one.st_ino == two.st_ino;
}

/* Is this file what its name stands for already, by another path? 1, 0, or UV_ENOMEM. */
static int is_told_of(const listing *list, const char *name, const char *path)
{
    char *first = NULL;
    const weir__loaded *loaded = loaded_by_name(list->registry, name);
    if (loaded)
        return is_same_file(path, loaded->path);
    int status = weir__plugin_folders_find(&list->registry->folders, name, &first);
    int told = status == 0 && strcmp(first, path) != 0 && is_same_file(path, first);
    weir__free(first);
    return status == UV_ENOMEM ? status : told;
}

static int visit_file(const listing *list, const char *folder, const char *name)
{
    weir_error *error = NULL;
    const weir_plugin *plugin = NULL;
    char *path = weir__plugin_path(folder, name);
    if (!path)
        return UV_ENOMEM;
    int told = loaded_by_path(list->registry, path) ? 1 : is_told_of(list, name, path);
    if (told != 0) {
        weir__free(path);
        return told < 0 ? told : 0;
    }
    int status = check_hidden(list, name, path, &error);
    if (status == 0)
        status = try_file(list->registry, name, path, &plugin, &error);
    if (status != UV_ENOMEM) {
        const weir_plugin_info info = {.name = name,
                                       .path = path,
                                       .plugin = status == 0 ? plugin : NULL,
                                       .kinds = status == 0 ? weir__plugin_kinds(plugin) : "",
                                       .reason = error ? error->message : NULL};
        list->visit(&info, list->arg);
    }
    weir_error_release(error);
    weir__free(path);
    return status == UV_ENOMEM ? status : 0;
}

static int visit_folder(const listing *list, const char *folder)
{
    weir__names names = {0};
    int status = weir__plugin_folder_read(folder, &names);
    /* Folders that are not there are usual: the installed one, before an installation. */
    if (status != 0 && status != UV_ENOMEM && status != UV_ENOENT) {
        weir_error *error = NULL;
        weir__plugin_refuse(&error, WEIR_EPLUGIN, folder, "cannot be read: %s (%s)", weir_error_text(status),
                            weir_error_name(status));
        const weir_plugin_info info = {.path = folder, .kinds = "", .reason = error->message};
        list->visit(&info, list->arg);
        weir_error_release(error);
    }
    for (size_t i = 0; i < names.count && status != UV_ENOMEM; i++)
        status = visit_file(list, folder, names.items[i]);
    weir__names_free(&names);
    return status == UV_ENOMEM ? status : 0;
}

static int visit_folders(const listing *list)
{
    int status = 0;
    for (size_t i = 0; i < list->registry->folders.paths.count && status == 0; i++)
        status = visit_folder(list, list->registry->folders.paths.items[i]);
    return status;
}

int weir_runtime_each_plugin(weir_runtime *runtime, void (*visit)(const weir_plugin_info *info, void *arg), void *arg)
{
    if (!runtime || !visit)
        return UV_EINVAL;
    const listing list = {.registry = registry_of(runtime), .visit = visit, .arg = arg};
    if (!list.registry)
        return UV_ECANCELED;
    visit_loaded(&list);
    return OPENS_FILES ? visit_folders(&list) : 0;
}
