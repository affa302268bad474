/* SPDX-License-Identifier: MIT */
/* A program with libweir.a: its transport is linked in and registered, no file is opened as a plugin. */
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/plugin.h>
#include <weir/weir.h>

extern const weir_plugin weir_plugin_tcp;

static const char sent[] = "hello";

static weir_runtime *runtime;
static char answer[64];
static size_t answered;

static void on_connection(const weir_event *event, void *arg)
{
    (void)arg;
    weir_stream_pipe(event->stream, event->stream, NULL);
}

static void on_data(const weir_event *event, void *arg)
{
    for (size_t i = 0; i < event->buffer->size && answered < sizeof(answer) - 1; i++)
        answer[answered++] = ((const char *)event->buffer->data)[i];
    if (answered >= strlen(sent)) {
        weir_stream_end(event->target_stream, NULL, NULL);
        weir_server_close(arg, NULL, NULL);
    }
}

static void on_listening(const weir_event *event, void *arg)
{
    (void)arg;
    char endpoint[128];
    weir_server_format(event->target_server, endpoint, sizeof(endpoint));
    weir_stream *client = weir_connect(runtime, endpoint, NULL, NULL, NULL, NULL);
    weir_stream_on(client, WEIR_EVENT_DATA, on_data, event->target_server);
    weir_stream_write(client, sent, strlen(sent), NULL, NULL);
    weir_stream_release(client);
}

int main(void)
{
    runtime = weir_runtime_new(uv_default_loop());
    if (runtime == NULL || weir_runtime_register_plugin(runtime, &weir_plugin_tcp, NULL) < 0)
        return 1;
    weir_server *server = weir_server_new(runtime, NULL);
    if (server == NULL)
        return 1;
    weir_server_on(server, WEIR_EVENT_CONNECTION, on_connection, NULL);
    if (weir_server_listen(server, "tcp://127.0.0.1:0", on_listening, NULL) < 0)
        return 1;
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    weir_server_release(server);
    weir_runtime_free(runtime);
    printf("sent %s, received %s\n", sent, answer);
    return strcmp(answer, sent) != 0;
}
