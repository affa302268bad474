/* SPDX-License-Identifier: MIT */
/* From the words of Node's own forms to an endpoint: as options in JSON, so that the schemas judge them like any other. */
#include <string.h>

#include <uv.h>

#include "endpoint_build.h"
#include "faults.h"
#include "memory.h"
#include "net_private.h"

/* ---- paths ---- */

int weir__net_read_path(const char *path, size_t length, weir__net_path *read)
{
    read->bytes = path;
    read->length = length == 0 ? strlen(path) : length;
    read->abstract = read->length > 0 && path[0] == '\0';
    if (read->abstract) {
        read->bytes++;
        read->length--;
    }
    if (read->length == 0 || (!read->abstract && memchr(read->bytes, '\0', read->length) != NULL)) {
        return WEIR_EINVALIDARGVALUE;
    }
    return read->length > WEIR_PATH_MAX ? UV_ENAMETOOLONG : 0;
}

/* Of a path in JSON these stand for themselves; all others are %XX, which is any byte. */
static int stands_for_itself(char byte)
{
    static const char others[] = "/._-+,:=~ ";
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
           (byte != '\0' && strchr(others, byte) != NULL);
}

int weir__net_set_path(json_t *options, const weir__net_path *path)
{
    static const char digits[] = "0123456789ABCDEF";
    char text[3 * WEIR_PATH_MAX + 2]; /* an @ as its first sign says that the name is abstract */
    size_t filled = 0;
    if (path->abstract) {
        text[filled++] = '@';
    }
    for (size_t i = 0; i < path->length; i++) {
        unsigned char byte = (unsigned char)path->bytes[i];
        if (stands_for_itself(path->bytes[i])) {
            text[filled++] = path->bytes[i];
        } else {
            text[filled++] = '%';
            text[filled++] = digits[byte >> 4];
            text[filled++] = digits[byte & 15];
        }
    }
    text[filled] = '\0';
    return json_object_set_new(options, "path", json_string(text));
}

/* ---- other members ---- */

int weir__net_is_text(const char *text)
{
    size_t length = text == NULL ? 0 : strlen(text);
    while (length > 0) {
        size_t taken = weir__utf8_sequence(text, length);
        if (taken == 0) {
            return 0;
        }
        text += taken;
        length -= taken;
    }
    return 1;
}

int weir__net_set_text(json_t *options, const char *name, const char *text)
{
    return text == NULL || *text == '\0' ? 0 : json_object_set_new(options, name, json_string(text));
}

int weir__net_set_number(json_t *options, const char *name, int64_t number)
{
    return json_object_set_new(options, name, json_integer(number));
}

int weir__net_set_switch(json_t *options, const char *name, int on)
{
    return json_object_set_new(options, name, json_boolean(on));
}

/* ---- the endpoint ---- */

int weir__net_endpoint(weir_runtime *runtime, const char *transport, json_t *options, int failed, weir_role role,
                       weir_endpoint **endpoint)
{
    json_t *value = json_object();
    *endpoint = NULL;
    if (failed || value == NULL || options == NULL) {
        json_decref(options);
        json_decref(value);
        return UV_ENOMEM;
    }
    int status = json_object_set_new(value, transport, options); /* takes it in any case */
    status = status != 0 ? UV_ENOMEM : weir__endpoint_of(runtime, value, role, endpoint);
    json_decref(value);
    return status;
}
