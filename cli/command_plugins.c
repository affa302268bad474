/* SPDX-License-Identifier: MIT */
/* weir plugins: which plugins there are, what they are, and what is wrong with those that cannot be used. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/handler.h>
#include <weir/plugin.h>

#include "cli.h"

/* What was found, as the records that are printed: a table needs them all to know how wide it is. */
typedef struct listing {
    const char *only; /* of this name or path; NULL: all */
    json_t *records;
    size_t usable;
} listing;

/* ---- collecting ---- */

static json_t *kinds_of(const weir_plugin *plugin)
{
    json_t *kinds = json_array();
    if (plugin->transport != NULL) {
        json_array_append_new(kinds, json_string("transport"));
    }
    if (plugin->layer != NULL) {
        json_array_append_new(kinds, json_string("layer"));
    }
    if (plugin->handler != NULL) {
        json_array_append_new(kinds, json_string("handler"));
    }
    return kinds;
}

static void describe(json_t *record, const weir_plugin *plugin)
{
    record_json(record, "kinds", kinds_of(plugin));
    record_text(record, "version", plugin->version);
    record_json(record, "abi", json_sprintf("%u.%u", (unsigned)plugin->abi_major, (unsigned)plugin->abi_minor));
    record_text(record, "description", plugin->description);
    record_json(record, "options", json_loads(plugin->schema, 0, NULL));
}

static void collect(const weir_plugin_info *info, void *arg)
{
    listing *self = arg;
    int wanted = self->only == NULL || (info->name != NULL && strcmp(info->name, self->only) == 0) ||
                 (info->path != NULL && strcmp(info->path, self->only) == 0);
    if (!wanted) {
        return;
    }
    json_t *record = record_new();
    record_text(record, "name", info->name);
    record_text(record, "path", info->path);
    if (info->plugin != NULL) {
        self->usable++;
        describe(record, info->plugin);
    }
    record_text(record, "reason", info->reason);
    json_array_append_new(self->records, record);
}

/* ---- trying ---- */

static void mark_broken(listing *self, json_t *record, const char *reason)
{
    static const char *const members[] = {"kinds", "version", "abi", "description", "options"};
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        json_object_del(record, members[i]);
    }
    record_text(record, "reason", reason);
    self->usable--;
}

/* What is found is only looked at; whether it starts is known when it has been started. */
static void start_all(cli_session *session, listing *self)
{
    json_t *record;
    size_t i;
    json_array_foreach(self->records, i, record)
    {
        weir_error *error = NULL;
        const char *path = json_string_value(json_object_get(record, "path"));
        if (path == NULL || json_object_get(record, "reason") != NULL) {
            continue;
        }
        int status = weir_runtime_load_plugin(session->runtime, path, NULL, &error);
        if (status < 0) {
            mark_broken(self, record, error != NULL ? error->message : weir_error_text(status));
        }
        weir_error_release(error);
    }
}

/* ---- showing ---- */

static const char *text_of(const json_t *record, const char *name, const char *otherwise)
{
    const char *text = json_string_value(json_object_get(record, name));
    return text != NULL ? text : otherwise;
}

static const char *kind_text(const json_t *record, char *text, size_t size)
{
    const json_t *kinds = json_object_get(record, "kinds");
    const json_t *kind;
    size_t i, length = 0;
    snprintf(text, size, "%s", json_array_size(kinds) == 0 ? "-" : "");
    json_array_foreach(kinds, i, kind)
    {
        length += (size_t)snprintf(text + length, size - length, "%s%s", i == 0 ? "" : ", ", json_string_value(kind));
    }
    return text;
}

/* The width of a column is that of its widest text. */
static int width(const json_t *records, const char *name, const char *title)
{
    const json_t *record;
    size_t i, most = strlen(title);
    json_array_foreach(records, i, record)
    {
        size_t length = strlen(text_of(record, name, ""));
        most = length > most ? length : most;
    }
    return (int)(most > 128 ? 128 : most);
}

static void print_line(cli_session *session, const char *format, ...) WEIR_PRINTF(2, 3);
static void print_line(cli_session *session, const char *format, ...)
{
    char line[8192];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    output_line(&session->out, line, NULL);
}

static const char *option_names(const json_t *record, char *text, size_t size)
{
    json_t *properties = json_object_get(json_object_get(record, "options"), "properties"), *option;
    const char *name;
    size_t length = 0;
    snprintf(text, size, "-");
    json_object_foreach(properties, name, option)
    {
        if (length < size) {
            length += (size_t)snprintf(text + length, size - length, "%s%s", length == 0 ? "" : ", ", name);
        }
    }
    return text;
}

static int kind_width(const json_t *records)
{
    const json_t *record;
    char kinds[64];
    size_t i, most = strlen("KIND");
    json_array_foreach(records, i, record)
    {
        size_t length = strlen(kind_text(record, kinds, sizeof(kinds)));
        most = length > most ? length : most;
    }
    return (int)most;
}

static void show_table(cli_session *session, const json_t *records)
{
    const json_t *record;
    size_t i;
    char kinds[64], options[2048];
    const int name = width(records, "name", "NAME"), version = width(records, "version", "VERSION");
    const int kind = kind_width(records), path = width(records, "path", "(built in)");
    print_line(session, "%-*s  %-*s  %-*s  %-4s  %-*s  %s", name, "NAME", kind, "KIND", version, "VERSION", "ABI", path,
               "PATH", "OPTIONS");
    json_array_foreach(records, i, record)
    {
        if (json_object_get(record, "version") != NULL) {
            print_line(session, "%-*s  %-*s  %-*s  %-4s  %-*s  %s", name, text_of(record, "name", "-"), kind,
                       kind_text(record, kinds, sizeof(kinds)), version, text_of(record, "version", "-"),
                       text_of(record, "abi", "-"), path, text_of(record, "path", "(built in)"),
                       option_names(record, options, sizeof(options)));
        }
    }
    json_array_foreach(records, i, record)
    {
        if (json_object_get(record, "reason") != NULL) {
            print_line(session, "unusable: %s", text_of(record, "reason", ""));
        }
    }
}

/* "integer or string, default 10000": what may stand there. */
static void option_type(const json_t *option, int required, char *text, size_t size)
{
    const json_t *type = json_object_get(option, "type"), *element;
    size_t i, length = 0;
    text[0] = '\0';
    if (json_is_string(type)) {
        length += (size_t)snprintf(text, size, "%s", json_string_value(type));
    }
    json_array_foreach(type, i, element)
    {
        if (length < size) {
            length += (size_t)snprintf(text + length, size - length, "%s%s", i == 0 ? "" : " or ",
                                       json_string_value(element));
        }
    }
    char *value = json_dumps(json_object_get(option, "default"), JSON_ENCODE_ANY | JSON_COMPACT);
    if (length < size) {
        snprintf(text + length, size - length, "%s%s%s", required ? ", required" : "",
                 value != NULL ? ", default " : "", value != NULL ? value : "");
    }
    free(value);
}

static int is_required(const json_t *schema, const char *name)
{
    const json_t *element;
    size_t i;
    json_array_foreach(json_object_get(schema, "required"), i, element)
    {
        if (json_is_string(element) && strcmp(json_string_value(element), name) == 0) {
            return 1;
        }
    }
    return 0;
}

static void show_options(cli_session *session, json_t *schema)
{
    json_t *properties = json_object_get(schema, "properties"), *option;
    const char *name;
    char type[512];
    print_line(session, "options%s", json_object_size(properties) == 0 ? "      none" : "");
    json_object_foreach(properties, name, option)
    {
        option_type(option, is_required(schema, name), type, sizeof(type));
        print_line(session, "  %s  (%s)", name, type);
        print_line(session, "      %s", text_of(option, "description", "(no description)"));
    }
}

static void show_one(cli_session *session, json_t *record)
{
    static const char *const members[][2] = {
        {"version", "version"}, {"abi", "ABI"}, {"path", "path"}, {"description", "about"}, {"reason", "unusable"},
    };
    char kinds[64];
    print_line(session, "name         %s", text_of(record, "name", "-"));
    if (json_object_get(record, "kinds") != NULL) {
        print_line(session, "kind         %s", kind_text(record, kinds, sizeof(kinds)));
    }
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const char *text = text_of(record, members[i][0], NULL);
        if (text != NULL) {
            print_line(session, "%-11s  %s", members[i][1], text);
        }
    }
    if (json_object_get(record, "options") != NULL) {
        show_options(session, json_object_get(record, "options"));
    }
}

static void show(cli_session *session, const listing *self)
{
    json_t *record;
    size_t i;
    if (self->only == NULL && !session->out.json) {
        show_table(session, self->records);
        return;
    }
    json_array_foreach(self->records, i, record)
    {
        if (session->out.json) {
            output_line(&session->out, "", json_incref(record));
        } else {
            show_one(session, record);
        }
    }
}

/* ---- the command ---- */

/* A file that lies in no searched folder is one of the runtime's plugins once it is loaded. */
static int load(cli_session *session, listing *self)
{
    const weir_plugin *plugin = NULL;
    weir_error *error = NULL;
    int status = weir_runtime_load_plugin(session->runtime, self->only, &plugin, &error);
    if (status < 0) {
        session_error(session, "%s", error != NULL ? error->message : weir_error_text(status));
        weir_error_release(error);
        return CLI_FAILED;
    }
    self->only = plugin->name;
    return CLI_OK;
}

static int list(cli_session *session, const char *only)
{
    listing self = {.only = only, .records = json_array()};
    if (only != NULL && strchr(only, '/') != NULL && load(session, &self) != CLI_OK) {
        json_decref(self.records);
        return CLI_FAILED;
    }
    int status = weir_runtime_each_plugin(session->runtime, collect, &self);
    int result = CLI_OK;
    if (status < 0) {
        session_error(session, "plugins: %s (%s)", weir_error_text(status), weir_error_name(status));
        result = CLI_FAILED;
    } else if (only != NULL && json_array_size(self.records) == 0) {
        /* The loader says best where it looked. */
        result = load(session, &self);
    } else {
        start_all(session, &self);
        show(session, &self);
        result = only != NULL && self.usable == 0 ? CLI_FAILED : CLI_OK;
    }
    json_decref(self.records);
    return result;
}

static int plugins(const cli_options *options, int count, char **arguments)
{
    cli_session session;
    if (session_open(&session, options) != CLI_OK) {
        return CLI_FAILED;
    }
    return session_close(&session, list(&session, count > 0 ? arguments[0] : NULL));
}

const cli_command command_plugins = {
    .name = "plugins",
    .arguments = "[NAME]",
    .least = 0,
    .most = 1,
    .switches = "pjHh",
    .summary = "list the plugins there are, or show one with its options",
    .details =
        "Lists every plugin that is found: its name, what kind of part it is, its version, the plugin ABI it was\n"
        "built for, its file and its options; then those that cannot be used, with the reason. With a name or a path: "
        "one\n"
        "plugin, with its options. Folders are searched in this order: --plugin-path, WEIR_PLUGIN_PATH, the\n"
        "installed one.\n"
        "\n"
        "Exit codes: 0, 1 failed (the one that was asked for is not there, or cannot be used), 2 wrong usage.\n"
        "\n"
        "Examples:\n"
        "  weir plugins\n"
        "  weir plugins forward\n"
        "  weir plugins --json | grep '\"transport\"'\n",
    .run = plugins,
};
