/* SPDX-License-Identifier: MIT */
/* Endpoints as URLs: how the text is taken apart, and what is refused, with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#include "core/endpoint_url.h"

/* ---- taking apart ---- */

/* Everything of a URL as one line: "tls tcp | //h:1 | a=b, c=d"; or "refused: why". */
static void describe(const char *text, char *line, size_t size)
{
    weir__url url;
    weir__message fault;
    size_t length = 0;
    int status = weir__url_split(text, &url, &fault);
    if (status != 0) {
        assert_int_equal(status, UV_EINVAL);
        snprintf(line, size, "refused: %s", fault.text);
        weir__url_free(&url);
        return;
    }
    for (size_t i = 0; i < url.name_count; i++)
        length += (size_t)snprintf(line + length, size - length, "%s ", url.names[i]);
    length += (size_t)snprintf(line + length, size - length, "| %s", url.body);
    for (size_t i = 0; i < url.option_count; i++)
        length += (size_t)snprintf(line + length, size - length, "%s%s=%s", i ? ", " : " | ", url.options[i].name,
                                   url.options[i].value);
    weir__url_free(&url);
}

typedef struct {
    const char *text, *expected;
} example;

static void check_examples(const example *examples, size_t count, void (*print)(const char *, char *, size_t))
{
    char line[2048];
    for (size_t i = 0; i < count; i++) {
        print(examples[i].text, line, sizeof(line));
        if (strcmp(line, examples[i].expected) != 0)
            fail_msg("%s\n  gives:    %s\n  expected: %s", examples[i].text, line, examples[i].expected);
    }
}

#define CHECK(examples, print) check_examples((examples), sizeof(examples) / sizeof((examples)[0]), (print))

static void url_is_split_into_names_body_and_options(void **state)
{
    (void)state;
    static const example examples[] = {
        {"tcp://127.0.0.1:80", "tcp | //127.0.0.1:80"},
        {"tls+proxy-protocol+tcp://[::]:5433?noDelay=true", "tls proxy-protocol tcp | //[::]:5433 | noDelay=true"},
        {"ipc:/run/x.sock", "ipc | /run/x.sock"},
        {"ipc:@name%00x", "ipc | @name%00x"},
        {"mem:", "mem | "},
        {"a1-b:", "a1-b | "},
        {"tcp://h:1?tls.timeout=5s&a=", "tcp | //h:1 | tls.timeout=5s, a="},
        {"tcp://h:1?a=b=c&d%2De=%26%3d%25+%20", "tcp | //h:1 | a=b=c, d-e=&=%+ "},
        {"tcp://h:1?a=x?y", "tcp | //h:1 | a=x?y"},
        {"ipc:a:b+c", "ipc | a:b+c"},
        {"tcp://h?a=\xC3\xA4%C3%A4", "tcp | //h | a=\xC3\xA4\xC3\xA4"},
    };
    CHECK(examples, describe);
}

static void url_that_is_none_is_refused_with_its_part(void **state)
{
    (void)state;
    static const example examples[] = {
        {"", "refused: the endpoint is empty; expected \"TRANSPORT://HOST:PORT\" or \"TRANSPORT:PATH\""},
        {"echo", "refused: the text \"echo\": not an endpoint; expected \"TRANSPORT://HOST:PORT\" or "
                 "\"TRANSPORT:PATH\", with layers as \"LAYER+TRANSPORT:...\""},
        {"/run/x.sock?a:b", "refused: the text \"/run/x.sock\": not an endpoint; expected \"TRANSPORT://HOST:PORT\" or "
                            "\"TRANSPORT:PATH\", with layers as \"LAYER+TRANSPORT:...\""},
        {"127.0.0.1:80", "refused: the name \"127.0.0.1\": the names before the colon begin with a lower-case letter "
                         "and go on with lower-case letters, digits and dashes"},
        {"TCP://h:1", "refused: the name \"TCP\": the names before the colon begin with a lower-case letter and go on "
                      "with lower-case letters, digits and dashes"},
        {"t_x:", "refused: the name \"t_x\": the names before the colon begin with a lower-case letter and go on with "
                 "lower-case letters, digits and dashes"},
        {"tls+://h:1", "refused: a name is missing before the colon: expected \"layer+transport:...\""},
        {"+tcp://h:1", "refused: a name is missing before the colon: expected \"layer+transport:...\""},
        {"://h:1", "refused: a name is missing before the colon: expected \"layer+transport:...\""},
        {"tls+tls+tcp://h:1", "refused: the layer \"tls\" stands here twice, and their options could not be told "
                              "apart; write the endpoint as a JSON object with \"layers\""},
        {"tcp://h:1#x", "refused: the text \"tcp://h:1\": an endpoint has no fragment; write a # as %23"},
        {"ipc:a\nb", "refused: the text \"ipc:a\\nb\": a control character may not stand in an endpoint; write it as "
                     "%XX"},
        {"ipc:a\xFF", "refused: the text \"ipc:a\\xff\": not UTF-8; write other bytes as %XX"},
        {"tcp://h:1?", "refused: an option is missing between \"?\" or \"&\" and what follows"},
        {"tcp://h:1?a=b&", "refused: an option is missing between \"?\" or \"&\" and what follows"},
        {"tcp://h:1?a=b&&c=d", "refused: an option is missing between \"?\" or \"&\" and what follows"},
        {"tcp://h:1?=b", "refused: an option has no name before its \"=\""},
        {"tcp://h:1?noDelay",
         "refused: the option \"noDelay\": has no value; write NAME=VALUE (NAME=true for a switch)"},
        {"tcp://h:1?a%2=b", "refused: the option's name \"a%2\": two hexadecimal digits must follow a %; the sign "
                            "itself is written %25"},
        {"tcp://h:1?a%00=b", "refused: the option's name \"a%00\": %00 may stand in abstract names only"},
    };
    CHECK(examples, describe);
}

static void url_fault_never_shows_a_value_or_user_information(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "tcp://h:1?passphrase=hunter2%zz",
        "tcp://h:1?passphrase=hunter2%00",
        "tcp://h:1?passphrase=hunter2%ff",
        "tcp://me:hunter2@h:1#",
        "TCP://me:hunter2@h:1",
        "tcp://me:hunter2@h:1?\x01",
        "tcp://me:hun/hunter2@h:1?\x01",
        "tcp://h:1?p=hunter2#",
    };
    char line[2048];
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        describe(texts[i], line, sizeof(line));
        assert_memory_equal(line, "refused: ", 9);
        assert_null(strstr(line, "hunter2"));
        weir__url url;
        weir__message fault;
        assert_int_equal(weir__url_split(texts[i], &url, &fault), UV_EINVAL);
        assert_true(!url.shown || !strstr(url.shown, "hunter2"));
        weir__url_free(&url);
    }
}

static void url_takes_31_layers_and_no_more(void **state)
{
    (void)state;
    char text[512] = "";
    char line[2048];
    for (int i = 0; i < 31; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "l%d+", i);
    snprintf(text + strlen(text), sizeof(text) - strlen(text), "tcp:");
    describe(text, line, sizeof(line));
    assert_memory_equal(line, "l0 l1 ", 6);
    memmove(text + 2, text, strlen(text) + 1);
    memcpy(text, "x+", 2);
    describe(text, line, sizeof(line));
    assert_string_equal(line, "refused: the name \"tcp\": there are more than 31 layers");
}

/* ---- bodies ---- */

static void describe_body(const char *text, weir_body kind, char *line, size_t size)
{
    weir__url url;
    weir__url_body body;
    weir__message fault;
    assert_int_equal(weir__url_split(text, &url, &fault), 0);
    int status = weir__url_read_body(&url, kind, &body, &fault);
    if (status != 0) {
        assert_int_equal(status, UV_EINVAL);
        snprintf(line, size, "refused: %s", fault.text);
    } else {
        snprintf(line, size, "%s%s%s%s%s%s", body.host ? "host " : "", body.host ? body.host : "",
                 body.port ? " port " : "", body.port ? body.port : "", body.path ? "path " : "",
                 body.path ? body.path : "");
        weir__url_body_free(&body);
    }
    weir__url_free(&url);
}

static void describe_host_port(const char *text, char *line, size_t size)
{
    describe_body(text, WEIR_BODY_HOST_PORT, line, size);
}

static void describe_path(const char *text, char *line, size_t size)
{
    describe_body(text, WEIR_BODY_PATH, line, size);
}

static void describe_none(const char *text, char *line, size_t size)
{
    describe_body(text, WEIR_BODY_NONE, line, size);
}

static void host_and_port_are_read(void **state)
{
    (void)state;
    static const example examples[] = {
        {"tcp://127.0.0.1:80", "host 127.0.0.1 port 80"},
        {"tcp://localhost:80", "host localhost port 80"},
        {"tcp://localhost", "host localhost"},
        {"tcp://:80", " port 80"},
        {"tcp://", ""},
        {"tcp://[::1]:80", "host ::1 port 80"},
        {"tcp://[::1]", "host ::1"},
        {"tcp://[::ffff:1.2.3.4]:80", "host ::ffff:1.2.3.4 port 80"},
        {"tcp://[fe80::1%lo]:80", "host fe80::1%lo port 80"},
        {"tcp://[fe80::1%25lo]:80", "host fe80::1%lo port 80"},
        {"tcp://[fe80::1%1]:80", "host fe80::1%1 port 80"},
        {"tcp://[fe80::1%251]:80", "host fe80::1%1 port 80"},
        {"tcp://[fe80::1%25]:80", "host fe80::1%25 port 80"},
        {"tcp://[fe80::1%ab0]:80", "host fe80::1%ab0 port 80"},
        {"tcp://h%2Dx:80", "host h-x port 80"},
        {"tcp://h:99999", "host h port 99999"},
        {"tcp://h:http", "host h port http"},
    };
    CHECK(examples, describe_host_port);
}

static void host_and_port_that_are_none_are_refused(void **state)
{
    (void)state;
    static const example examples[] = {
        {"tcp:127.0.0.1:80", "refused: the part \"127.0.0.1:80\": expected \"//HOST:PORT\" after the first colon"},
        {"tcp:/h:1", "refused: the part \"/h:1\": expected \"//HOST:PORT\" after the first colon"},
        {"tcp:", "refused: the part \"\": expected \"//HOST:PORT\" after the first colon"},
        {"tcp://::1:80", "refused: the address \"::1:80\": more than one colon; an IPv6 address stands in brackets, as "
                         "in \"[::1]:80\""},
        {"tcp://h:", "refused: the port after the colon is missing; leave out the colon for no port"},
        {"tcp://[::1]:", "refused: the port after the colon is missing; leave out the colon for no port"},
        {"tcp://[::1", "refused: the host \"[::1\": the closing bracket is missing"},
        {"tcp://[]:1", "refused: the host \"\": expected an IPv6 address between the brackets"},
        {"tcp://[%lo]:1", "refused: the host \"%lo\": expected an IPv6 address between the brackets"},
        {"tcp://[name]:1", "refused: the host \"name\": not an IPv6 address; a name stands without brackets"},
        {"tcp://[1.2.3.4]:1", "refused: the host \"1.2.3.4\": not an IPv6 address; an IPv4 address stands without "
                              "brackets"},
        {"tcp://[fe80::1%]:1", "refused: the host \"fe80::1%\": an interface's name or number must follow the %"},
        {"tcp://[::1]80", "refused: the part \"80\": expected \":PORT\" after the bracket"},
        {"tcp://user@h:1", "refused: user information (before an @) is no part of an endpoint; take it out"},
        {"tcp://h:1/", "refused: the part \"/\": nothing may follow the port but \"?\" and options; this transport "
                       "takes no path"},
        {"tcp://h:1/x", "refused: the part \"/x\": nothing may follow the port but \"?\" and options; this transport "
                        "takes no path"},
        {"tcp://h%0:1", "refused: the host \"h%0\": two hexadecimal digits must follow a %; the sign itself is written "
                        "%25"},
        {"tcp://h%00:1", "refused: the host \"h%00\": %00 may stand in abstract names only"},
    };
    CHECK(examples, describe_host_port);
}

static void net_PATH_03_paths_are_read_in_every_spelling(void **state)
{
    (void)state;
    static const example examples[] = {
        {"ipc:relative/x.sock", "path relative/x.sock"},
        {"ipc:/absolute", "path /absolute"},
        {"ipc:///absolute", "path /absolute"},
        {"ipc:////two", "path //two"},
        {"ipc:@abstract", "path @abstract"},
        {"ipc:@a%00b%00", "path @a%00b%00"},
        {"ipc:./@x", "path ./@x"},
        {"ipc:a%20b%25", "path a%20b%25"},
        {"ipc:a b", "path a b"},
        {"ipc:a@b:c", "path a@b:c"},
        {"ipc:", ""},
        {"ipc://", ""},
    };
    CHECK(examples, describe_path);
}

static void paths_that_are_none_are_refused(void **state)
{
    (void)state;
    static const example examples[] = {
        {"ipc://host/x", "refused: the part \"//host/x\": a path has no host; write \"TRANSPORT:/absolute\", "
                         "\"TRANSPORT:///absolute\" or \"TRANSPORT:relative\""},
        {"ipc://@x", "refused: the part \"//@x\": a path has no host; write \"TRANSPORT:/absolute\", "
                     "\"TRANSPORT:///absolute\" or \"TRANSPORT:relative\""},
        {"ipc:@", "refused: the path \"@\": the abstract name after the @ is empty"},
        {"ipc:/a%00b", "refused: the path \"/a%00b\": %00 may stand in abstract names only, which begin with @"},
        {"ipc:/a%",
         "refused: the path \"/a%\": two hexadecimal digits must follow a %; the sign itself is written %25"},
        {"ipc:/a%4", "refused: the path \"/a%4\": two hexadecimal digits must follow a %; the sign itself is written "
                     "%25"},
        {"ipc:/a%zz", "refused: the path \"/a%zz\": two hexadecimal digits must follow a %; the sign itself is written "
                      "%25"},
    };
    CHECK(examples, describe_path);
}

static void transport_without_a_body_takes_none(void **state)
{
    (void)state;
    static const example examples[] = {
        {"mem:", ""},
        {"mem:?a=b", ""},
        {"mem:x", "refused: the part \"x\": this transport takes nothing after its colon but \"?\" and options"},
        {"mem://", "refused: the part \"//\": this transport takes nothing after its colon but \"?\" and options"},
    };
    CHECK(examples, describe_none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url_is_split_into_names_body_and_options),
        cmocka_unit_test(url_that_is_none_is_refused_with_its_part),
        cmocka_unit_test(url_fault_never_shows_a_value_or_user_information),
        cmocka_unit_test(url_takes_31_layers_and_no_more),
        cmocka_unit_test(host_and_port_are_read),
        cmocka_unit_test(host_and_port_that_are_none_are_refused),
        cmocka_unit_test(net_PATH_03_paths_are_read_in_every_spelling),
        cmocka_unit_test(paths_that_are_none_are_refused),
        cmocka_unit_test(transport_without_a_body_takes_none),
    };
    return cmocka_run_group_tests_name("endpoint_url", tests, NULL, NULL);
}
