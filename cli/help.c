/* SPDX-License-Identifier: MIT */
/* --help of the program and of each command, and --version. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include <weir/plugin.h>

#include "cli.h"

/* Text that did not arrive is a failure, also when only the last flush says so. */
static int finish(output_form form)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return CLI_OK;
    }
    output_problem(form, "write standard output: %s (%s)", uv_strerror(-errno), uv_err_name(-errno));
    return CLI_FAILED;
}

int help_program(output_form form)
{
    fputs("usage: weir COMMAND [SWITCH...] [ARGUMENT...]\n"
          "\n"
          "Serves streams (TCP, sockets in the file system, TLS ...) as a JSON file says. Transports, layers and\n"
          "handlers are plugins.\n"
          "\n"
          "Commands:\n",
          stdout);
    for (const cli_command *const *command = cli_commands; *command != NULL; command++) {
        char usage[64];
        snprintf(usage, sizeof(usage), "%s %s", (*command)->name, (*command)->arguments);
        printf("  %-20s %s\n", usage, (*command)->summary);
    }
    fputs("\n"
          "  weir COMMAND --help  what a command does, its switches, and examples\n"
          "  weir --version       the versions of weir and of the libraries it runs with\n"
          "\n"
          "Example:\n"
          "  echo '{\"servers\": [{\"name\": \"echo\", \"listen\": \"tcp://127.0.0.1:8124\", \"handler\": \"echo\"}]}' "
          "> echo.json\n"
          "  weir run echo.json &\n"
          "  echo hello | weir connect tcp://127.0.0.1:8124\n"
          "\n"
          "Exit codes: 0 done, 1 failed, 2 wrong usage or an invalid configuration.\n",
          stdout);
    return finish(form);
}

int help_command(const cli_command *command, output_form form)
{
    printf("usage: weir %s [SWITCH...]%s%s\n\n%s\nSwitches:\n", command->name, command->arguments[0] != '\0' ? " " : "",
           command->arguments, command->details);
    for (const cli_switch *entry = cli_switches; entry->letter != 0; entry++) {
        if (strchr(command->switches, entry->letter) != NULL) {
            char usage[64];
            snprintf(usage, sizeof(usage), "-%c, --%s%s%s", entry->letter, entry->name,
                     entry->argument != NULL ? " " : "", entry->argument != NULL ? entry->argument : "");
            printf("  %-23s %s\n", usage, entry->summary);
        }
    }
    return finish(form);
}

int help_version(output_form form)
{
    printf("weir %s (plugin ABI %d.%d)\nlibuv %s\nJansson %s\n", weir_version(), WEIR_PLUGIN_ABI_MAJOR,
           WEIR_PLUGIN_ABI_MINOR, uv_version_string(), jansson_version_str());
    return finish(form);
}
