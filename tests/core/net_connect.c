/* SPDX-License-Identifier: MIT */
/* Where Node's forms of connect go to, and streams that they make. */
#include "net_connect.h"

#include <string.h>

weir_connect_options nothing(void)
{
    weir_connect_options options;
    memset(&options, 0xff, sizeof(options));
    weir_connect_options_init(&options);
    return options;
}

weir_connect_options to_port(int port)
{
    weir_connect_options options = nothing();
    options.port = port;
    options.host = "127.0.0.1";
    return options;
}

weir_connect_options to_path(const char *path)
{
    weir_connect_options options = nothing();
    options.path = path;
    return options;
}

weir_server *at_port(fixture *f)
{
    return fixture_listen_alone(f, "127.0.0.1");
}

recorder *created(fixture *f, const weir_connect_options *options, const weir_stream_options *stream_options)
{
    int error = 1;
    weir_stream *stream = weir_create_connection(f->runtime, options, stream_options, NULL, NULL, &error);
    assert_code(error, 0);
    assert_non_null(stream);
    recorder *client = record_stream(f, stream, 0);
    weir_stream_release(stream);
    return client;
}
