/* SPDX-License-Identifier: MIT */
/* main SERVICE: runs the service and is its client; what was sent must come back as the plugin of others makes it. */
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include <weir/weir.h>

static const char sent[] = "hello";
static const char expected[] = "HELLO!";

static weir_runtime *runtime;
static char answer[64];
static size_t answered;
static int failed;

static void on_fault(const weir_fault *fault, void *arg)
{
    (void)arg;
    fprintf(stderr, "%s\n", fault->text);
}

static void on_data(const weir_event *event, void *arg)
{
    (void)arg;
    for (size_t i = 0; i < event->buffer->size && answered < sizeof(answer) - 1; i++)
        answer[answered++] = ((const char *)event->buffer->data)[i];
    if (answered >= strlen(expected))
        weir_stream_end(event->target_stream, NULL, NULL);
}

static void on_error(const weir_event *event, void *arg)
{
    (void)arg;
    fprintf(stderr, "%s\n", event->error->message);
    failed = 1;
}

static void on_close(const weir_event *event, void *arg)
{
    (void)event;
    weir_service_stop(arg, 0);
}

static void on_service(const weir_service_event *event, void *arg)
{
    (void)arg;
    if (event->type == WEIR_SERVICE_FAILED) {
        fprintf(stderr, "%s\n", event->error->message);
        failed = 1;
    } else if (event->type == WEIR_SERVICE_LISTENING) {
        weir_stream *client = weir_connect(runtime, event->endpoint, NULL, NULL, NULL, NULL);
        weir_stream_on(client, WEIR_EVENT_DATA, on_data, NULL);
        weir_stream_on(client, WEIR_EVENT_ERROR, on_error, NULL);
        weir_stream_on(client, WEIR_EVENT_CLOSE, on_close, event->service);
        weir_stream_write(client, sent, strlen(sent), NULL, NULL);
        weir_stream_release(client);
    }
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    weir_service *service = NULL;
    runtime = weir_runtime_new(uv_default_loop());
    if (runtime == NULL)
        return 1;
    int status = weir_service_load(runtime, argv[1], on_fault, NULL, &service);
    if (status == 0)
        status = weir_service_start(service, on_service, NULL);
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", argv[1], weir_error_name(status));
        return 1;
    }
    uv_run(uv_default_loop(), UV_RUN_DEFAULT);
    weir_service_free(service);
    weir_runtime_free(runtime);
    printf("sent %s, received %s\n", sent, answer);
    return failed || strcmp(answer, expected) != 0;
}
