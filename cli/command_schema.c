/* SPDX-License-Identifier: MIT */
/* weir schema: the JSON Schema of service files, or of one plugin's options. */
#include <string.h>

#include <weir/plugin.h>

#include "cli.h"

static void print(cli_session *session, const char *text)
{
    size_t length = strlen(text);
    output_text(&session->out, text, length);
    if (length == 0 || text[length - 1] != '\n') {
        output_text(&session->out, "\n", 1);
    }
}

static int plugin_schema(cli_session *session, const char *name)
{
    const weir_plugin *plugin = NULL;
    weir_error *error = NULL;
    int status = weir_runtime_load_plugin(session->runtime, name, &plugin, &error);
    if (status < 0) {
        session_error(session, "%s", error != NULL ? error->message : weir_error_text(status));
        weir_error_release(error);
        return CLI_FAILED;
    }
    print(session, plugin->schema);
    return CLI_OK;
}

static int service_schema(cli_session *session)
{
    char *text = weir_service_schema(session->runtime);
    if (text == NULL) {
        session_error(session, "schema: no memory");
        return CLI_FAILED;
    }
    print(session, text);
    weir_free(text);
    return CLI_OK;
}

static int schema(const cli_options *options, int count, char **arguments)
{
    cli_session session;
    if (session_open(&session, options) != CLI_OK) {
        return CLI_FAILED;
    }
    return session_close(&session, count > 0 ? plugin_schema(&session, arguments[0]) : service_schema(&session));
}

const cli_command command_schema = {
    .name = "schema",
    .arguments = "[PLUGIN]",
    .least = 0,
    .most = 1,
    .switches = "ph",
    .summary = "print the JSON Schema of service files, or of a plugin's options",
    .details =
        "Without an argument: one JSON Schema (draft 2020-12) of service files, with the schemas of all plugins\n"
        "that are found merged into it, for editors that complete and check while one writes. With a plugin's\n"
        "name or path: the schema of its options.\n"
        "\n"
        "Exit codes: 0, 1 failed (no such plugin), 2 wrong usage.\n"
        "\n"
        "Examples:\n"
        "  weir schema > service.schema.json     then, in a service file: \"$schema\": \"service.schema.json\"\n"
        "  weir schema forward\n"
        "  weir schema ./my-handler.so\n",
    .run = schema,
};
