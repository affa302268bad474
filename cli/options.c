/* SPDX-License-Identifier: MIT */
/* The switches of all commands, in one table, read by getopt_long. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* clang-format off */
const cli_switch cli_switches[] = {
    {'p', "plugin-path", "DIR",   "look for plugins in DIR first; may be given several times"},
    {'l', "log-level",   "LEVEL", "debug, info, warning or error; what is below is not logged (info)"},
    {'k', "half-open",   NULL,    "go on sending when the peer has ended, until standard input ends too"},
    {'a', "ca",          "FILE",  "trust only the certificates in FILE: the option ca of the endpoint's layer"},
    {'v', "verbose",     NULL,    "say on standard error what was agreed on when it is connected"},
    {'n', "host",        "NAME",  "a name (also *.example.org) or an address it is for; may be given several times"},
    {'o', "out",         "DIR",   "where the files go; made when it is not there"},
    {'f', "file",        "NAME",  "the files are NAME.pem and NAME.key (server, or client)"},
    {'d', "days",        "N",     "how long it is valid (397)"},
    {'c', "client",      NULL,    "for a client that proves who it is"},
    {'j', "json",        NULL,    "one JSON object a line, on a terminal too"},
    {'H', "human",       NULL,    "lines for people, also where no terminal is"},
    {'h', "help",        NULL,    "show this text"},
    {0,   NULL,          NULL,    NULL},
};
/* clang-format on */

#define SWITCH_COUNT (sizeof(cli_switches) / sizeof(cli_switches[0]) - 1)

/* What getopt wants: those of the table that this command takes. */
static void make_tables(const cli_command *command, struct option *names, char *letters)
{
    size_t count = 0;
    *letters++ = ':'; /* a missing argument is told from an unknown switch */
    for (const cli_switch *entry = cli_switches; entry->letter != 0; entry++) {
        if (strchr(command->switches, entry->letter) == NULL) {
            continue;
        }
        names[count].name = entry->name;
        names[count].has_arg = entry->argument != NULL ? required_argument : no_argument;
        names[count].flag = NULL;
        names[count++].val = (unsigned char)entry->letter;
        *letters++ = entry->letter;
        if (entry->argument != NULL) {
            *letters++ = ':';
        }
    }
    memset(&names[count], 0, sizeof(names[count]));
    *letters = '\0';
}

output_form options_form(int count, char **arguments)
{
    output_form form = OUTPUT_AUTO;
    for (int i = 1; i < count && strcmp(arguments[i], "--") != 0; i++) {
        if (strcmp(arguments[i], "--human") == 0 || strcmp(arguments[i], "-H") == 0) {
            form = OUTPUT_PEOPLE;
        } else if (strcmp(arguments[i], "--json") == 0 || strcmp(arguments[i], "-j") == 0) {
            form = OUTPUT_JSON;
        }
    }
    return form;
}

static int read_level(const char *text, output_form form, weir_log_level *level)
{
    for (int i = WEIR_LOG_DEBUG; i <= WEIR_LOG_ERROR; i++) {
        if (strcmp(text, weir_log_level_name((weir_log_level)i)) == 0) {
            *level = (weir_log_level)i;
            return 0;
        }
    }
    if (strcmp(text, "warn") == 0) {
        *level = WEIR_LOG_WARN;
        return 0;
    }
    output_problem(form, "--log-level %s: no such level; there are debug, info, warning and error", text);
    return CLI_USAGE;
}

/* "--hosts" is --host and more, "--hots" begins as it does: one of this command's that agrees in half of its letters. */
static const char *nearest_switch(const cli_command *command, const char *argument)
{
    const char *nearest = NULL;
    size_t most = 0;
    size_t length = strncmp(argument, "--", 2) == 0 ? strcspn(argument + 2, "=") : 0;
    for (const cli_switch *entry = cli_switches; entry->letter != 0; entry++) {
        size_t whole = strlen(entry->name);
        size_t same = 0;
        while (same < whole && same < length && entry->name[same] == argument[2 + same]) {
            same++;
        }
        if (strchr(command->switches, entry->letter) != NULL && same > most &&
            (same == whole || 2 * same >= (whole > length ? whole : length))) {
            nearest = entry->name;
            most = same;
        }
    }
    return nearest;
}

/* optopt is the letter of a short switch; a long one is known by its argument only. */
static int refuse_switch(const cli_command *command, int letter, const char *argument, output_form form)
{
    char what[512];
    if (letter == ':') {
        snprintf(what, sizeof(what), "%.400s needs an argument", argument);
    } else if (optopt != 0 && strchr(command->switches, optopt) == NULL) {
        snprintf(what, sizeof(what), "unknown switch -%c", optopt);
    } else if (optopt != 0) {
        snprintf(what, sizeof(what), "%.400s: this switch takes no argument", argument);
    } else {
        const char *nearest = nearest_switch(command, argument);
        snprintf(what, sizeof(what), "unknown switch %.400s%s%s%s", argument,
                 nearest != NULL ? "; did you mean --" : "", nearest != NULL ? nearest : "",
                 nearest != NULL ? "?" : "");
    }
    output_problem(form, "%s: %s; weir %s --help shows what there is", command->name, what, command->name);
    return CLI_USAGE;
}

/* A switch whose value is kept as it is. NULL: this letter is none. */
static const char **text_of(cli_options *options, int letter)
{
    switch (letter) {
    case 'p':
        return &options->plugin_paths[options->plugin_path_count++];
    case 'n':
        return &options->hosts[options->host_count++];
    case 'a':
        return &options->ca;
    case 'o':
        return &options->out;
    case 'f':
        return &options->file;
    default:
        return NULL;
    }
}

static int *flag_of(cli_options *options, int letter)
{
    switch (letter) {
    case 'k':
        return &options->half_open;
    case 'v':
        return &options->verbose;
    case 'c':
        return &options->client;
    case 'h':
        return &options->help;
    default:
        return NULL;
    }
}

static int read_days(const char *text, output_form form, unsigned *days)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || number < 1 || number > 36500) {
        output_problem(form, "--days %s: this is no number from 1 to 36500", text);
        return CLI_USAGE;
    }
    *days = (unsigned)number;
    return 0;
}

static int apply(const cli_command *command, int letter, char **arguments, output_form form, cli_options *options)
{
    const char **text = text_of(options, letter);
    int *flag = flag_of(options, letter);
    if (text != NULL) {
        *text = optarg;
        return 0;
    }
    if (flag != NULL) {
        *flag = 1;
        return 0;
    }
    switch (letter) {
    case 'l':
        return read_level(optarg, form, &options->log_level);
    case 'd':
        return read_days(optarg, form, &options->days);
    case 'j':
        options->form = OUTPUT_JSON;
        return 0;
    case 'H':
        options->form = OUTPUT_PEOPLE;
        return 0;
    default:
        return refuse_switch(command, letter, arguments[optind - 1], form);
    }
}

static int check_count(const cli_command *command, const cli_options *options, output_form form, int count)
{
    if (options->help || (count >= command->least && count <= command->most)) {
        return 0;
    }
    output_problem(form, "%s: %s; usage: weir %s [SWITCH...]%s%s", command->name,
                   count < command->least ? "an argument is missing" : "too many arguments", command->name,
                   command->arguments[0] != '\0' ? " " : "", command->arguments);
    return CLI_USAGE;
}

int options_read(const cli_command *command, int count, char **arguments, cli_options *options, int *first)
{
    struct option names[SWITCH_COUNT + 1];
    char letters[2 * SWITCH_COUNT + 2];
    const output_form form = options_form(count, arguments); /* before getopt moves them about */
    memset(options, 0, sizeof(*options));
    options->log_level = WEIR_LOG_INFO;
    options->plugin_paths = calloc((size_t)count, sizeof(*options->plugin_paths));
    options->hosts = calloc((size_t)count, sizeof(*options->hosts));
    if (options->plugin_paths == NULL || options->hosts == NULL) {
        output_problem(form, "no memory");
        return CLI_FAILED;
    }
    make_tables(command, names, letters);
    opterr = 0;
    for (;;) {
        int letter = getopt_long(count, arguments, letters, names, NULL);
        if (letter == -1) {
            break;
        }
        int result = apply(command, letter, arguments, form, options);
        if (result != 0) {
            return result;
        }
    }
    *first = optind;
    return check_count(command, options, form, count - optind);
}
