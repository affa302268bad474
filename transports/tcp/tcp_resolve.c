/* SPDX-License-Identifier: MIT */
/* Names to addresses, on libuv's threads; a look-up that is cancelled lets go of everything but itself. */
#define _GNU_SOURCE

#include <string.h>
#include <uv.h>

#include "tcp.h"

struct tcp_resolve {
    uv_getaddrinfo_t request;
    weir_runtime *runtime;
    tcp_resolved done; /* NULL: cancelled; then runtime and owner may not exist any more */
    void *owner;
    struct addrinfo hints;
    int by_configuration; /* AI_ADDRCONFIG is ours, not asked for */
    char host[];
};

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *list);

static int ask(tcp_resolve *resolve, uv_loop_t *loop)
{
    return uv_getaddrinfo(loop, &resolve->request, on_answer, resolve->host, NULL, &resolve->hints);
}

/*
 * On a host with nothing but its loopback interface AI_ADDRCONFIG may leave no address at all; where that flag was our
 * idea, the question is put once more without it.
 */
static int ask_again(tcp_resolve *resolve, int status)
{
    int empty = status == UV_EAI_NONAME || status == UV_EAI_NODATA || status == UV_EAI_ADDRFAMILY;

    if (!empty || !resolve->by_configuration)
        return 0;
    resolve->by_configuration = 0;
    resolve->hints.ai_flags &= ~AI_ADDRCONFIG;
    return ask(resolve, weir_runtime_loop(resolve->runtime)) == 0;
}

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    tcp_resolve *resolve = (tcp_resolve *)request->data;
    tcp_resolved done = resolve->done;
    weir_runtime *runtime = resolve->runtime;
    void *owner = resolve->owner;

    if (!done) {
        uv_freeaddrinfo(list);
        weir_free(resolve);
        return;
    }
    weir_runtime_enter(runtime);
    /* Where there is no failure there is an answer. */
    if (!status || !ask_again(resolve, status)) {
        weir_free(resolve);
        done(owner, status, list);
    }
    uv_freeaddrinfo(list);
    weir_runtime_leave(runtime);
}

int weir__tcp_resolve_start(weir_runtime *runtime, const char *host, int family, int hints, tcp_resolved done,
                            void *owner, tcp_resolve **resolve)
{
    size_t size = strlen(host) + 1;
    tcp_resolve *made = weir_calloc(1, sizeof(*made) + size);
    int status;

    if (!made)
        return UV_ENOMEM;
    memcpy(made->host, host, size);
    made->request.data = made;
    made->runtime = runtime;
    made->done = done;
    made->owner = owner;
    made->hints.ai_socktype = SOCK_STREAM;
    made->hints.ai_family = family == 6 ? AF_INET6 : family == 4 ? AF_INET : AF_UNSPEC;
    made->by_configuration = family == 0 && hints == 0;
    made->hints.ai_flags = made->by_configuration ? AI_ADDRCONFIG : hints;
    status = ask(made, weir_runtime_loop(runtime));
    if (status) {
        weir_free(made);
        return status;
    }
    *resolve = made;
    return 0;
}

void weir__tcp_resolve_cancel(tcp_resolve *resolve)
{
    resolve->done = NULL;
    resolve->runtime = NULL;
    resolve->owner = NULL;
    /* Refused when a thread is at it already: then the answer comes late and finds nothing. */
    (void)uv_cancel((uv_req_t *)&resolve->request);
}

weir_error *weir__tcp_resolve_error(int code, const char *host)
{
    return weir_error_newf(code, "getaddrinfo", host, -1, "getaddrinfo %s: %s (%s)", host, weir_error_text(code),
                           weir_error_name(code));
}
