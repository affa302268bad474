/* SPDX-License-Identifier: MIT */
/* The program weir: finds the command and hands over. A thin face; what it does, the library does. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

const cli_command *const cli_commands[] = {
    &command_run, &command_check, &command_schema, &command_plugins, &command_connect, &command_cert, NULL,
};

static const cli_command *find_command(const char *name)
{
    for (const cli_command *const *command = cli_commands; *command != NULL; command++) {
        if (strcmp((*command)->name, name) == 0) {
            return *command;
        }
    }
    return NULL;
}

/*
 * A descriptor that was closed by whoever started the program would be given to the next socket, and a message to
 * "stderr" would go to a peer. Standard input becomes empty; the others refuse what is written to them.
 */
static int hold_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF && open("/dev/null", O_RDONLY) != fd) {
            return -1;
        }
    }
    return 0;
}

static int run_command(const cli_command *command, int count, char **arguments)
{
    cli_options options;
    int first = 0;
    int result = options_read(command, count, arguments, &options, &first);
    if (result == 0) {
        result = options.help ? help_command(command, options.form)
                              : command->run(&options, count - first, arguments + first);
    }
    free(options.plugin_paths);
    free(options.hosts);
    return result;
}

static int unknown(output_form form, const char *what, const char *name)
{
    char known[256] = "";
    for (const cli_command *const *command = cli_commands; *command != NULL; command++) {
        size_t length = strlen(known);
        snprintf(known + length, sizeof(known) - length, "%s %s", command == cli_commands ? "" : ",", (*command)->name);
    }
    output_problem(form, "unknown %s %s; there are%s; weir --help says more", what, name, known);
    return CLI_USAGE;
}

int main(int argc, char **argv)
{
    if (hold_standard_descriptors() < 0) {
        return CLI_FAILED;
    }
    /* A reader that went away is an error of that write, not the end of everything. */
    signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        output_problem(OUTPUT_AUTO, "usage: weir COMMAND [SWITCH...] [ARGUMENT...]; weir --help says more");
        return CLI_USAGE;
    }
    const char *name = argv[1];
    const output_form form = options_form(argc, argv);
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        return help_version(form);
    }
    int asks_help = strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0;
    if (asks_help && argc == 2) {
        return help_program(form);
    }
    if (!asks_help && name[0] == '-') {
        return unknown(form, "switch", name);
    }
    const cli_command *command = find_command(asks_help ? argv[2] : name);
    if (command == NULL) {
        return unknown(form, "command", asks_help ? argv[2] : name);
    }
    return asks_help ? help_command(command, form) : run_command(command, argc - 1, argv + 1);
}
