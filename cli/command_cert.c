/* SPDX-License-Identifier: MIT */
/* weir cert: an authority of one's own and a certificate that it signs, so that TLS can be tried without other tools. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <weir/plugin.h>
#include <weir/tls_cert.h>

#include "cli.h"

/* Certificates are the plugin's business: it is asked for its table, nothing of it is linked to. */
static const weir_tls_cert *find_maker(cli_session *session)
{
    const weir_plugin *plugin = NULL;
    weir_error *error = NULL;
    int status = weir_runtime_load_plugin(session->runtime, "tls", &plugin, &error);
    if (status < 0) {
        session_error(session, "cert: %s", error != NULL ? error->message : weir_error_text(status));
        weir_error_release(error);
        return NULL;
    }
    const weir_tls_cert *maker =
        plugin->interface != NULL ? plugin->interface("tls-cert", WEIR_TLS_CERT_VERSION) : NULL;
    if (maker == NULL) {
        session_error(session, "cert: the plugin tls of version %s makes no certificates", plugin->version);
    }
    return maker;
}

/* The switches' hosts, and the arguments: --host a b is --host a --host b. */
static size_t all_hosts(const cli_options *options, int count, char **arguments)
{
    size_t total = options->host_count;
    for (int i = 0; i < count; i++) {
        options->hosts[total++] = arguments[i];
    }
    return total;
}

static void tell(cli_session *session, const weir_tls_cert_options *wanted, const char *name)
{
    char people[8192];
    char path[4096];
    json_t *hosts = json_array();
    json_t *record = record_event("certificate");
    int length = snprintf(people, sizeof(people), "certificate  %s/%s.pem  key %s/%s.key  authority %s/ca.pem  for",
                          wanted->folder, name, wanted->folder, name, wanted->folder);
    for (size_t i = 0; i < wanted->host_count; i++) {
        json_array_append_new(hosts, json_string(wanted->hosts[i]));
        if (length > 0 && (size_t)length < sizeof(people)) {
            length +=
                snprintf(people + length, sizeof(people) - (size_t)length, "%s %s", i > 0 ? "," : "", wanted->hosts[i]);
        }
    }
    snprintf(path, sizeof(path), "%s/%s.pem", wanted->folder, name);
    record_text(record, "cert", path);
    snprintf(path, sizeof(path), "%s/%s.key", wanted->folder, name);
    record_text(record, "key", path);
    snprintf(path, sizeof(path), "%s/ca.pem", wanted->folder);
    record_text(record, "ca", path);
    record_json(record, "hosts", hosts);
    output_line(&session->out, people, record);
}

/* As every key that a configuration names is warned of: whoever reads this one can sign for anybody. */
static void warn_of_readers(cli_session *session, const char *folder)
{
    char path[PATH_MAX];
    struct stat about;
    if (snprintf(path, sizeof(path), "%s/ca.key", folder) < (int)sizeof(path) && stat(path, &about) == 0 &&
        (about.st_mode & S_IROTH)) {
        weir_log(session->runtime, WEIR_LOG_WARN,
                 "cert: everybody may read the private key in %s: let nobody but its owner (chmod 600)", path);
    }
}

static int make(cli_session *session, const cli_options *options, size_t host_count)
{
    weir_tls_cert_options wanted;
    weir_error *error = NULL;
    const weir_tls_cert *maker = find_maker(session);
    if (maker == NULL) {
        return CLI_FAILED;
    }
    memset(&wanted, 0, sizeof(wanted));
    wanted.size = sizeof(wanted);
    wanted.folder = options->out;
    wanted.name = options->file != NULL ? options->file : options->client ? "client" : "server";
    wanted.hosts = options->hosts;
    wanted.host_count = host_count;
    wanted.days = options->days;
    wanted.client = options->client;
    int status = maker->make(&wanted, &error);
    if (status < 0) {
        session_error(session, "cert: %s", error != NULL ? error->message : weir_error_text(status));
        weir_error_release(error);
        return status == UV_EINVAL ? CLI_USAGE : CLI_FAILED;
    }
    warn_of_readers(session, options->out);
    tell(session, &wanted, wanted.name);
    return CLI_OK;
}

static int cert(const cli_options *options, int count, char **arguments)
{
    cli_session session;
    if (session_open(&session, options) != CLI_OK) {
        return CLI_FAILED;
    }
    size_t host_count = all_hosts(options, count, arguments);
    int result = CLI_USAGE;
    if (host_count == 0) {
        session_error(&session, "cert: whom is it for? --host NAME; weir cert --help says more");
    } else if (options->out == NULL) {
        session_error(&session, "cert: where is it to go? --out DIR; weir cert --help says more");
    } else {
        result = make(&session, options, host_count);
    }
    return session_close(&session, result);
}

const cli_command command_cert = {
    .name = "cert",
    .arguments = "--host NAME...",
    .least = 0,
    .most = INT_MAX,
    .switches = "nofdcpjHh",
    .summary = "make a certificate to try TLS with, and the authority that signs it",
    .details =
        "Writes server.pem and server.key (EC P-256; only the owner can read the key) to the folder of --out, with\n"
        "the names and addresses of --host as the subject's alternative names. It is signed by the authority in\n"
        "ca.pem and ca.key of that folder, which is made when neither is there: a client that is given ca.pem\n"
        "trusts it. With --client, client.pem and client.key, for a client that a server demands one from.\n"
        "A certificate of that name that this authority has signed before is replaced, files of others are not.\n"
        "For trying, and for networks of one's own: nobody else trusts such an authority.\n"
        "\n"
        "Exit codes: 0 made, 1 failed, 2 wrong usage, or a file that is no authority.\n"
        "\n"
        "Examples:\n"
        "  weir cert --host localhost 127.0.0.1 ::1 --out certs\n"
        "  weir connect --ca certs/ca.pem --verbose tls+tcp://localhost:8443\n"
        "  weir cert --client --host somebody --out certs\n",
    .run = cert,
};
