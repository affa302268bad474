/* SPDX-License-Identifier: MIT */
/* Starts the servers of bench_tls: each is one process, with its own defaults, and with files in the run's folder. */
#include "tls_sides.h"

#include "complain.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NGINX         "/usr/sbin/nginx"
#define NGINX_STREAM  "/usr/lib/nginx/modules/ngx_stream_module.so"
#define HAPROXY       "/usr/sbin/haproxy"
#define STUNNEL       "/usr/bin/stunnel"
#define NODE          "/usr/bin/node"
#define LONGEST_PATH  160
#define LONGEST_LIMIT (BENCH_LOAD_SECONDS * 1000)

const struct tls_kind tls_kinds[TLS_SIDES] = {
    [TLS_WEIR] = {"weir", NULL, false},           [TLS_NODE] = {"node", "nodejs", false},
    [TLS_PLAIN] = {"plain", NULL, false},         [TLS_MBEDTLS] = {"mbedTLS", NULL, false},
    [TLS_FORWARD] = {"weir fwd", NULL, true},     [TLS_NGINX] = {"nginx", "nginx libnginx-mod-stream", true},
    [TLS_HAPROXY] = {"haproxy", "haproxy", true}, [TLS_STUNNEL] = {"stunnel", "stunnel4", true},
};

static const char *const files[] = {"service.json", "nginx.conf", "nginx.pid", "haproxy.conf",
                                    "stunnel.conf", "echo.js",    "both.pem",  "server.pem",
                                    "server.key",   "ca.pem",     "ca.key"};
enum { FILES = sizeof files / sizeof files[0] };

bool tls_is_there(enum tls_side side)
{
    switch (side) {
    case TLS_NODE:
        return access(NODE, X_OK) == 0;
    case TLS_NGINX:
        return access(NGINX, X_OK) == 0 && access(NGINX_STREAM, R_OK) == 0;
    case TLS_HAPROXY:
        return access(HAPROXY, X_OK) == 0;
    case TLS_STUNNEL:
        return access(STUNNEL, X_OK) == 0;
    default:
        return true;
    }
}

/* ---- files ---- */

static void path_of(const struct bench_run *run, const char *name, char path[LONGEST_PATH])
{
    snprintf(path, LONGEST_PATH, "%s/%s", run->folder, name);
}

__attribute__((format(printf, 3, 4))) static int write_file(const struct bench_run *run, const char *name,
                                                            const char *format, ...)
{
    char path[LONGEST_PATH];
    path_of(run, name, path);
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return bench_complain("open %s: %s", path, strerror(errno));
    }
    va_list values;
    va_start(values, format);
    vfprintf(file, format, values);
    va_end(values);
    return fclose(file) == 0 ? 0 : bench_complain("write %s: %s", path, strerror(errno));
}

static int append_file(FILE *to, const struct bench_run *run, const char *name)
{
    char path[LONGEST_PATH];
    char line[256];
    path_of(run, name, path);
    FILE *from = fopen(path, "re");
    if (from == NULL) {
        return bench_complain("open %s: %s", path, strerror(errno));
    }
    while (fgets(line, sizeof line, from) != NULL) {
        fputs(line, to);
    }
    fclose(from);
    return 0;
}

/* haproxy wants the certificate and its key in one. */
static int join_identity(const struct bench_run *run)
{
    char path[LONGEST_PATH];
    path_of(run, "both.pem", path);
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        return bench_complain("open %s: %s", path, strerror(errno));
    }
    int result = append_file(file, run, "server.pem") + append_file(file, run, "server.key");
    return fclose(file) == 0 && result == 0 ? 0 : bench_complain("write %s: %s", path, strerror(errno));
}

int tls_make_certificate(struct bench_run *run)
{
    static char program[] = WEIR_BENCH_PROGRAM;
    static char words[][16] = {"cert", "--host", "localhost", "--out"};
    struct bench_process process;
    char *const argv[] = {program, words[0], words[1], words[2], words[3], run->folder, NULL};
    if (setenv("WEIR_PLUGIN_PATH", WEIR_BENCH_PLUGINS, 1) != 0) {
        return bench_complain("setenv: %s", strerror(errno));
    }
    if (bench_start(&process, argv, run->load_cpu, 0, run->log) < 0) {
        return -1;
    }
    if (bench_stop(&process, 0) != 0) {
        bench_complain("`weir cert` made no certificate:");
        bench_show_log(run);
        return -1;
    }
    return join_identity(run);
}

void tls_clean(const struct bench_run *run)
{
    char path[LONGEST_PATH];
    for (size_t i = 0; i < FILES; i++) {
        path_of(run, files[i], path);
        unlink(path);
    }
}

/* ---- how each is told what to do ---- */

static int configure_weir(struct bench_run *run, enum tls_side side, unsigned port, unsigned behind)
{
    char handler[96] = "\"echo\"";
    if (side == TLS_FORWARD) {
        snprintf(handler, sizeof handler, "{ \"forward\": { \"to\": \"tcp://127.0.0.1:%u\" } }", behind);
    }
    if (side == TLS_PLAIN) {
        return write_file(
            run, "service.json",
            "{ \"servers\": [ { \"name\": \"echo\", \"listen\": \"tcp://127.0.0.1:%u\", \"handler\": %s } ] }\n", port,
            handler);
    }
    return write_file(run, "service.json",
                      "{ \"servers\": [ { \"name\": \"echo\", \"listen\": { \"tcp\": { \"host\": \"127.0.0.1\", "
                      "\"port\": %u },\n"
                      "  \"layers\": [ { \"tls\": { \"cert\": \"server.pem\", \"key\": \"server.key\" } } ] },\n"
                      "  \"handler\": %s } ] }\n",
                      port, handler);
}

static int configure_nginx(struct bench_run *run, unsigned port, unsigned behind)
{
    return write_file(run, "nginx.conf",
                      "load_module " NGINX_STREAM ";\n"
                      "daemon off;\nmaster_process off;\npid %s/nginx.pid;\nerror_log stderr warn;\n"
                      "events { worker_connections 8192; }\n"
                      "stream {\n  server {\n    listen 127.0.0.1:%u ssl;\n    ssl_certificate server.pem;\n"
                      "    ssl_certificate_key server.key;\n    proxy_pass 127.0.0.1:%u;\n  }\n}\n",
                      run->folder, port, behind);
}

static int configure_haproxy(struct bench_run *run, unsigned port, unsigned behind)
{
    return write_file(run, "haproxy.conf",
                      "global\n  nbthread 1\n  maxconn 4000\n"
                      "defaults\n  mode tcp\n  timeout connect 10s\n  timeout client 10m\n  timeout server 10m\n"
                      "frontend tls\n  bind 127.0.0.1:%u ssl crt %s/both.pem\n  default_backend plain\n"
                      "backend plain\n  server echo 127.0.0.1:%u\n",
                      port, run->folder, behind);
}

static int configure_stunnel(struct bench_run *run, unsigned port, unsigned behind)
{
    return write_file(run, "stunnel.conf",
                      "foreground = yes\npid =\nsyslog = no\ndebug = err\n"
                      "[echo]\naccept = 127.0.0.1:%u\nconnect = 127.0.0.1:%u\n"
                      "cert = %s/server.pem\nkey = %s/server.key\n",
                      port, behind, run->folder, run->folder);
}

static int configure_node(struct bench_run *run, unsigned port)
{
    return write_file(run, "echo.js",
                      "const fs = require('fs');\n"
                      "require('tls').createServer({\n  cert: fs.readFileSync('%s/server.pem'),\n"
                      "  key: fs.readFileSync('%s/server.key'),\n}, (socket) => {\n"
                      "  socket.on('error', () => {});\n  socket.pipe(socket);\n"
                      "}).listen(%u, '127.0.0.1');\n",
                      run->folder, run->folder, port);
}

static int configure(struct bench_run *run, enum tls_side side, unsigned port, unsigned behind)
{
    switch (side) {
    case TLS_NODE:
        return configure_node(run, port);
    case TLS_NGINX:
        return configure_nginx(run, port, behind);
    case TLS_HAPROXY:
        return configure_haproxy(run, port, behind);
    case TLS_STUNNEL:
        return configure_stunnel(run, port, behind);
    default:
        return configure_weir(run, side, port, behind);
    }
}

/* ---- starting and ending ---- */

static int launch(struct bench_run *run, enum tls_side side, struct bench_process *process)
{
    static char weir[] = WEIR_BENCH_PROGRAM;
    static char nginx[] = NGINX;
    static char haproxy[] = HAPROXY;
    static char stunnel[] = STUNNEL;
    static char node[] = NODE;
    static char words[][8] = {"run", "-e", "stderr", "-p", "-c", "-db", "-f"};
    char path[LONGEST_PATH];
    static const char *const names[TLS_SIDES] = {"service.json", "echo.js",    "service.json", "",
                                                 "service.json", "nginx.conf", "haproxy.conf", "stunnel.conf"};
    path_of(run, names[side], path);
    char *const as_weir[] = {weir, words[0], path, NULL};
    char *const as_nginx[] = {nginx, words[1], words[2], words[3], run->folder, words[4], path, NULL};
    char *const as_haproxy[] = {haproxy, words[5], words[6], path, NULL};
    char *const as_stunnel[] = {stunnel, path, NULL};
    char *const as_node[] = {node, path, NULL};
    char *const *const argv = side == TLS_NODE      ? as_node
                              : side == TLS_NGINX   ? as_nginx
                              : side == TLS_HAPROXY ? as_haproxy
                              : side == TLS_STUNNEL ? as_stunnel
                                                    : as_weir;
    return bench_start(process, argv, run->server_cpu, 0, run->log);
}

/* Where it does not disturb what is measured: beside the load. */
static int start_backend(struct bench_run *run, unsigned port, struct bench_process *process)
{
    static char program[] = WEIR_BENCH_RAW;
    char where[32];
    snprintf(where, sizeof where, "tcp:%u", port);
    char *const argv[] = {program, where, NULL};
    if (bench_start(process, argv, run->load_cpu, 0, run->log) < 0) {
        return -1;
    }
    return bench_wait_until_it_listens(process, where);
}

int tls_start(struct bench_run *run, enum tls_side side, struct tls_server *server)
{
    unsigned port = bench_next_port(run);
    unsigned behind = tls_kinds[side].terminates ? bench_next_port(run) : 0;
    *server = (struct tls_server){.server = {-1, -1, -1}, .backend = {-1, -1, -1}};
    snprintf(server->address, sizeof server->address, "tcp:%u", port);
    unlink(run->log);
    if (behind != 0 && start_backend(run, behind, &server->backend) < 0) {
        return -1;
    }
    if (configure(run, side, port, behind) < 0 || launch(run, side, &server->server) < 0) {
        return -1;
    }
    return bench_wait_until_it_listens(&server->server, server->address);
}

/* How the others end is not ours to measure (stunnel with a thousand connections crashes). */
int tls_stop(enum tls_side side, struct tls_server *server, int result)
{
    result = bench_stop_server(&server->server, tls_kinds[side].packages == NULL ? SIGTERM : SIGKILL, result);
    return bench_stop_server(&server->backend, SIGTERM, result);
}

/* ---- mbedTLS alone ---- */

int tls_ask_mbedtls(struct bench_run *run, const struct bench_workload *workload, struct bench_sample *sample,
                    double *buffers)
{
    static char program[] = WEIR_BENCH_LIMIT;
    struct bench_process process;
    char mode[16];
    char amount[24];
    char line[128];
    double value = 0;
    double work = (double)bench_work(run, workload);
    snprintf(mode, sizeof mode, "%s", workload->mode);
    snprintf(amount, sizeof amount, "%" PRIu64, bench_work(run, workload));
    char *const argv[] = {program, mode, amount, run->folder, NULL};
    unlink(run->log);
    if (bench_start(&process, argv, run->server_cpu, 1, run->log) < 0) {
        return -1;
    }
    int result = bench_hear(&process, line, sizeof line, LONGEST_LIMIT);
    int status = bench_stop(&process, result == 0 ? 0 : SIGTERM);
    if (result < 0 || status != 0 || sscanf(line, "%lf %lf", &value, buffers) < 1) {
        bench_complain("mbedTLS alone was not measured; what was written:");
        bench_show_log(run);
        return -1;
    }
    sample->cost = workload->row.relative ? value / 1000 / (work / (double)workload->unit) : value;
    sample->rate = workload->row.relative ? 1e6 / sample->cost : 0;
    sample->load = 0;
    return 0;
}
