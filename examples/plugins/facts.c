/* SPDX-License-Identifier: MIT */
/* Sends a line through the layer count over the transport loop, and asks the layer what it has counted. */
#include <stdio.h>

#include <uv.h>

#include <weir/weir.h>

static const char line[] = "once around\n";

static void on_data(const weir_event *event, void *arg)
{
    (void)arg;
    fwrite(event->buffer->data, 1, event->buffer->size, stdout);
}

static void on_end(const weir_event *event, void *arg)
{
    int *failed = arg;
    weir_value sent, received;
    if (weir_stream_get(event->target_stream, "count.bytesWritten", &sent) == 0 &&
        weir_stream_get(event->target_stream, "count.bytesRead", &received) == 0) {
        printf("%lld bytes sent, %lld received\n", (long long)sent.number, (long long)received.number);
        *failed = 0;
    }
}

static void on_error(const weir_event *event, void *arg)
{
    (void)arg;
    fprintf(stderr, "%s\n", event->error->message);
}

int main(void)
{
    int failed = 1;
    int code = 0;
    weir_runtime *runtime = weir_runtime_new(uv_default_loop());
    weir_stream *stream = weir_connect(runtime, "count+loop:", NULL, NULL, NULL, &code);
    if (stream == NULL) {
        fprintf(stderr, "count+loop: %s\n", weir_error_text(code));
        weir_runtime_free(runtime);
        return 1;
    }
    weir_stream_on(stream, WEIR_EVENT_DATA, on_data, NULL);
    weir_stream_on(stream, WEIR_EVENT_END, on_end, &failed);
    weir_stream_on(stream, WEIR_EVENT_ERROR, on_error, NULL);
    weir_stream_end_with(stream, line, sizeof(line) - 1, NULL, NULL);
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    weir_stream_release(stream);
    weir_runtime_free(runtime);
    return failed;
}
