/* SPDX-License-Identifier: MIT */
/*
 * A client: connects, sends one line, prints what comes back until the other side has ended.
 *
 *     ./client tcp://127.0.0.1:8124 'world!'
 */
#include <stdio.h>
#include <string.h>

#include <uv.h>
#include <weir/weir.h>

static void on_connect(const weir_event *event, void *arg)
{
    const char *line = arg;
    weir_stream_write(event->target_stream, line, strlen(line), NULL, NULL);
    weir_stream_end_with(event->target_stream, "\r\n", 2, NULL, NULL);
}

static void on_data(const weir_event *event, void *arg)
{
    (void)arg;
    fwrite(event->buffer->data, 1, event->buffer->size, stdout);
}

static void on_error(const weir_event *event, void *arg)
{
    int *status = arg;
    *status = 1;
    fprintf(stderr, "%s\n", event->error->message);
}

int main(int argc, char **argv)
{
    const char *endpoint = argc > 1 ? argv[1] : "tcp://127.0.0.1:8124";
    char world[] = "world!";
    char *line = argc > 2 ? argv[2] : world;
    int status = 0;
    int code = 0;
    weir_runtime *runtime = weir_runtime_new(uv_default_loop());
    /* half-open: our end() must not cut off what the server still has to say */
    weir_stream_options options;
    weir_stream_options_init(&options);
    options.allow_half_open = 1;
    weir_stream *client = weir_connect(runtime, endpoint, &options, on_connect, line, &code);
    if (client == NULL) {
        fprintf(stderr, "%s: %s\n", endpoint, weir_error_text(code));
        weir_runtime_free(runtime);
        return 1;
    }
    weir_stream_on(client, WEIR_EVENT_DATA, on_data, NULL);
    weir_stream_on(client, WEIR_EVENT_ERROR, on_error, &status);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    weir_stream_release(client);
    weir_runtime_free(runtime);
    return status;
}
