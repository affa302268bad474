/* SPDX-License-Identifier: MIT */
/* What happened to a server, as text. */
#include <stdio.h>
#include <string.h>

#include "diary.h"

void diary_write(diary *d, const char *word)
{
    size_t length = strlen(d->text);
    snprintf(d->text + length, sizeof(d->text) - length, "%s%s", length == 0 ? "" : " ", word);
}

void diary_event(const weir_event *event, void *arg)
{
    diary *d = arg;
    assert_ptr_equal(event->target_server, d->server);
    assert_null(event->target_stream);
    if (event->type == WEIR_EVENT_ERROR) {
        d->code = event->error->code;
        diary_write(d, fixture_text(d->f, "error:%s", event->error->name));
        return;
    }
    if (event->type == WEIR_EVENT_DROP) {
        d->drop = *event->drop;
    }
    diary_write(d, weir_event_name(event->type));
}

void diary_keep(diary *d, fixture *f, weir_server *server)
{
    static const weir_event_type types[] = {WEIR_EVENT_LISTENING, WEIR_EVENT_CONNECTION, WEIR_EVENT_CLOSE,
                                            WEIR_EVENT_ERROR, WEIR_EVENT_DROP};
    memset(d, 0, sizeof(*d));
    d->f = f;
    d->server = server;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        assert_code(weir_server_on(server, types[i], diary_event, d), 0);
    }
}

void diary_expect(const diary *d, const char *text)
{
    assert_string_equal(d->text, text);
}

void diary_closed(weir_server *server, int status, void *arg)
{
    diary *d = arg;
    assert_ptr_equal(server, d->server);
    d->code = status;
    diary_write(d, status == 0 ? "closed" : weir_error_name(status));
}

void diary_counted(weir_server *server, int count, void *arg)
{
    diary *d = arg;
    assert_ptr_equal(server, d->server);
    d->count = (size_t)count;
    diary_write(d, "counted");
}

weir_server *diary_fresh(fixture *f, diary *d, const weir_server_options *options)
{
    weir_server *server = weir_server_new(f->runtime, options);
    diary_keep(d, f, server);
    return server;
}

weir_server *diary_listening(fixture *f, diary *d, const weir_server_options *options)
{
    f->record = 0;
    weir_server *server = over_listen(f, options);
    diary_keep(d, f, server);
    return server;
}

static int has_closed(const void *arg)
{
    const diary *d = arg;
    return strstr(d->text, " close") != NULL;
}

void diary_wait_closed(const diary *d)
{
    while (!has_closed(d)) {
        int alive = fixture_turn(d->f, has_closed, d);
        assert_true(alive || has_closed(d));
    }
}
