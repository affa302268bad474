/* SPDX-License-Identifier: MIT */
/*
 * The echo server of the documentation: greets each client and sends back what it gets.
 *
 *     cc echo-server.c $(pkg-config --cflags --libs weir) -o echo-server
 *     ./echo-server                         # tcp://127.0.0.1:8124
 *     ./echo-server ipc:/tmp/echo.sock      # the same server on a unix socket
 */
#include <stdio.h>

#include <uv.h>
#include <weir/weir.h>

static void on_connection(const weir_event *event, void *arg)
{
    weir_stream *client = event->stream;
    (void)arg;
    weir_stream_write(client, "hello\r\n", 7, NULL, NULL);
    weir_stream_pipe(client, client, NULL);
}

/* The port is taken, say: the loop has nothing left to do then. */
static void on_error(const weir_event *event, void *arg)
{
    int *failed = arg;
    *failed = 1;
    fprintf(stderr, "%s\n", event->error->message);
}

static void on_listening(const weir_event *event, void *arg)
{
    char where[WEIR_ADDRESS_TEXT_SIZE];
    (void)arg;
    weir_server_format(event->target_server, where, sizeof(where));
    printf("listening on %s\n", where);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : "tcp://127.0.0.1:8124";
    weir_runtime *runtime = weir_runtime_new(uv_default_loop());
    weir_server *server = weir_server_new(runtime, NULL);
    int failed = 0;
    weir_server_on(server, WEIR_EVENT_CONNECTION, on_connection, NULL);
    weir_server_on(server, WEIR_EVENT_ERROR, on_error, &failed);
    int status = weir_server_listen(server, endpoint, on_listening, NULL);
    if (status != 0) {
        fprintf(stderr, "%s: %s\n", endpoint, weir_error_text(status));
    }
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    weir_server_release(server);
    weir_runtime_free(runtime);
    return status == 0 && !failed ? 0 : 1;
}
