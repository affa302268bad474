/* SPDX-License-Identifier: MIT */
/*
 * An echo over TLS that knows what the layer offers beyond the library: a context of the program's own, whose
 * certificate is read again at SIGHUP, and what was agreed on with each client.
 *
 *     cc tls-server.c $(pkg-config --cflags --libs weir) -o tls-server
 *     weir cert --host localhost --out certs
 *     ./tls-server certs/server.pem certs/server.key               # tls+tcp://127.0.0.1:8443
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>
#include <uv.h>
#include <weir/tls.h>
#include <weir/weir.h>

typedef struct service {
    const weir_tls *tls;
    weir_tls_context *context;
    uv_signal_t hangup;
    char *options; /* in JSON */
    int status;    /* of the process */
} service;

/* A text is valid until the next call into the stream. */
static void print_fact(weir_stream *client, const char *name)
{
    weir_value value;
    if (weir_stream_get(client, name, &value) == 0)
        printf(" %s", value.text);
}

static void on_connection(const weir_event *event, void *arg)
{
    weir_stream *client = event->stream;
    (void)arg;
    /* 'connection' comes after the handshake: all of this is known. */
    printf("a client by");
    print_fact(client, "tls.version");
    print_fact(client, "tls.cipher");
    printf("\n");
    fflush(stdout);
    weir_stream_pipe(client, client, NULL);
}

/* Rubbish, a scanner, a client that does not trust us: never an 'error' of a stream that nobody has seen. */
static void on_client_error(const weir_event *event, void *arg)
{
    (void)arg;
    fprintf(stderr, "%s\n", event->error->message);
}

/* The port is taken, say. The loop has nothing left to do then, and main goes on. */
static void on_error(const weir_event *event, void *arg)
{
    service *self = arg;
    self->status = 1;
    fprintf(stderr, "%s\n", event->error->message);
}

static void on_listening(const weir_event *event, void *arg)
{
    char where[WEIR_ADDRESS_TEXT_SIZE + 64];
    (void)arg;
    weir_server_format(event->target_server, where, sizeof(where));
    printf("listening on %s\n", where);
    fflush(stdout);
}

static void on_hangup(uv_signal_t *handle, int signal)
{
    service *self = handle->data;
    weir_error *error = NULL;
    (void)signal;
    if (self->tls->context_reload(self->context, NULL, &error) == 0)
        puts("new clients get the new certificate");
    else
        fprintf(stderr, "the old certificate stays: %s\n", error ? error->message : "no memory");
    fflush(stdout);
    weir_error_release(error);
}

static int make_context(service *self, weir_runtime *runtime)
{
    const weir_plugin *plugin = NULL;
    weir_error *error = NULL;
    int status = weir_runtime_load_plugin(runtime, "tls", &plugin, &error);
    self->tls = weir_tls_of(plugin);
    if (status == 0 && !self->tls) {
        fprintf(stderr, "the plugin %s offers no table of version %d\n", plugin->name, WEIR_TLS_VERSION);
        return UV_ENOTSUP;
    }
    if (status == 0) {
        weir_tls_options options;
        weir_options_init(&options, sizeof(options));
        options.role = WEIR_SERVER;
        options.options = self->options;
        status = self->tls->context_new(runtime, &options, &self->context, &error);
    }
    if (status == 0)
        status = self->tls->context_register(self->context, "front");
    if (status != 0)
        fprintf(stderr, "%s\n", error ? error->message : weir_error_text(status));
    weir_error_release(error);
    return status;
}

/* A typo in it is told with its place; weir_server_listen, given the text, would say that there is one. */
static int listen_at(service *self, weir_server *server, const char *text)
{
    weir_endpoint *endpoint = NULL;
    weir_error *error = NULL;
    int status = weir_endpoint_parse(weir_server_runtime(server), text, WEIR_SERVER, NULL, &endpoint, &error);
    if (status == 0)
        status = weir_server_listen_endpoint(server, endpoint, on_listening, self);
    if (status != 0)
        fprintf(stderr, "%s: %s\n", text, error ? error->message : weir_error_text(status));
    weir_error_release(error);
    weir_endpoint_release(endpoint);
    return status;
}

static int serve(service *self, weir_runtime *runtime, const char *endpoint)
{
    uv_loop_t *loop = weir_runtime_loop(runtime);
    weir_server *server = weir_server_new(runtime, NULL);
    self->hangup.data = self;
    uv_signal_init(loop, &self->hangup);
    uv_signal_start(&self->hangup, on_hangup, SIGHUP);
    uv_unref((uv_handle_t *)&self->hangup); /* waiting for a signal is no reason to go on */
    weir_server_on(server, WEIR_EVENT_CONNECTION, on_connection, NULL);
    weir_server_on(server, WEIR_EVENT_CLIENT_ERROR, on_client_error, NULL);
    weir_server_on(server, WEIR_EVENT_ERROR, on_error, self);
    int status = listen_at(self, server, endpoint);
    uv_run(loop, UV_RUN_DEFAULT);
    uv_close((uv_handle_t *)&self->hangup, NULL);
    weir_server_release(server);
    return status != 0 || self->status != 0;
}

int main(int argc, char **argv)
{
    service self = {0};
    if (argc < 3) {
        fprintf(stderr, "usage: tls-server CERTIFICATE KEY [ENDPOINT]\n");
        return 2;
    }
    const char *endpoint = argc > 3 ? argv[3] : "tls+tcp://127.0.0.1:8443?context=front";
    /* Not by printf: a quotation mark in a file's name would end it. */
    json_t *options = json_pack("{s: s, s: s}", "cert", argv[1], "key", argv[2]);
    self.options = json_dumps(options, 0); /* NULL where the names are no UTF-8, too */
    json_decref(options);
    weir_runtime *runtime = weir_runtime_new(uv_default_loop());
    if (!self.options || !runtime)
        fprintf(stderr, "no memory, or names that are not UTF-8\n");
    int status = self.options && runtime ? make_context(&self, runtime) : UV_ENOMEM;
    if (status == 0)
        status = serve(&self, runtime, endpoint);
    if (self.context)
        self.tls->context_release(self.context);
    free(self.options);
    weir_runtime_free(runtime); /* turns the loop: the handle's memory is there still */
    return status == 0 ? 0 : 1;
}
