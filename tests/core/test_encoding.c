/* SPDX-License-Identifier: MIT */
/* Decoders: vectors of every row, cut at every place, and random bytes against a reference that sees them whole. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#include <weir/weir.h>

#include "allocator.h"
#include "core/encoding.h"

#define BAD "\xef\xbf\xbd" /* U+FFFD */

/* ---- text that grows ---- */

typedef struct text {
    char *data;
    size_t size;
    size_t capacity;
} text;

static void append(text *t, const void *data, size_t size)
{
    if (t->capacity - t->size < size) {
        t->capacity = (t->capacity + size) * 2;
        t->data = realloc(t->data, t->capacity);
        assert_non_null(t->data);
    }
    if (size > 0) {
        memcpy(t->data + t->size, data, size);
    }
    t->size += size;
}

static void append_decoded(text *t, weir_buf *made)
{
    if (made != NULL) {
        assert_true(made->size > 0); /* nothing is no buffer: ENC-11 */
        append(t, made->data, made->size);
    }
    weir_buf_release(made);
}

static void take(weir__decoder *decoder, const void *bytes, size_t size, text *t)
{
    weir_buf *made;
    weir_buf *buf = weir_buf_copy(bytes, size);
    assert_non_null(buf);
    assert_int_equal(weir__decoder_take(decoder, buf, &made), 0);
    append_decoded(t, made);
    weir_buf_release(buf);
}

static void finish(weir__decoder *decoder, text *t)
{
    weir_buf *made;
    assert_int_equal(weir__decoder_finish(decoder, &made), 0);
    append_decoded(t, made);
}

static weir__decoder decoder_for(const char *name)
{
    weir__decoder decoder;
    const weir__encoding *encoding = weir__encoding_find(name);
    assert_non_null(encoding);
    weir__decoder_begin(&decoder, encoding);
    return decoder;
}

static void expect_text(const text *t, const char *expected, size_t size, const char *what)
{
    if (t->size != size || (size > 0 && memcmp(t->data, expected, size) != 0)) {
        fail_msg("%s: %zu bytes of text '%.*s' and not %zu: '%.*s'", what, t->size, (int)t->size, t->data, size,
                 (int)size, expected);
    }
}

/* ---- vectors ---- */

typedef struct vector {
    const char *encoding;
    const char *bytes;
    size_t size;
    const char *text;
    size_t text_size;
} vector;

#define VECTOR(encoding, bytes, text)                              \
    {                                                              \
        encoding, bytes, sizeof(bytes) - 1, text, sizeof(text) - 1 \
    }

/* Decodes in pieces that end at `first` and `second`. */
static void expect_pieces(const vector *v, size_t first, size_t second)
{
    text t = {NULL, 0, 0};
    char what[64];
    weir__decoder decoder = decoder_for(v->encoding);
    take(&decoder, v->bytes, first, &t);
    take(&decoder, v->bytes + first, second - first, &t);
    take(&decoder, v->bytes + second, v->size - second, &t);
    finish(&decoder, &t);
    snprintf(what, sizeof(what), "%s cut at %zu and %zu", v->encoding, first, second);
    expect_text(&t, v->text, v->text_size, what);
    free(t.data);
}

static void expect_byte_by_byte(const vector *v)
{
    text t = {NULL, 0, 0};
    weir__decoder decoder = decoder_for(v->encoding);
    for (size_t i = 0; i < v->size; i++) {
        take(&decoder, v->bytes + i, 1, &t);
    }
    finish(&decoder, &t);
    expect_text(&t, v->text, v->text_size, v->encoding);
    free(t.data);
}

static void expect_vectors(const vector *vectors, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t first = 0; first <= vectors[i].size; first++) {
            for (size_t second = first; second <= vectors[i].size; second++) {
                expect_pieces(&vectors[i], first, second);
            }
        }
        expect_byte_by_byte(&vectors[i]);
    }
}

#define EXPECT_VECTORS(vectors) expect_vectors((vectors), sizeof(vectors) / sizeof((vectors)[0]))

static void ENC_01_a_sequence_that_is_cut_is_joined(void **state)
{
    static const vector vectors[] = {
        VECTOR("utf8", "", ""),
        VECTOR("utf8", "plain text of some length, without anything else",
               "plain text of some length, without "
               "anything else"),
        VECTOR("utf8", "\xe2\x82\xac", "\xe2\x82\xac"),
        VECTOR("utf8",
               "a\xc3\xa9"
               "b\xe2\x82\xac"
               "c\xf0\x9f\x98\x80"
               "d",
               "a\xc3\xa9"
               "b\xe2\x82\xac"
               "c\xf0\x9f\x98\x80"
               "d"),
        VECTOR("utf8", "\xf0\x9f\x98\x80\xf0\x9f\x98\x81\xf4\x8f\xbf\xbf",
               "\xf0\x9f\x98\x80\xf0\x9f\x98\x81\xf4\x8f\xbf\xbf"),
        VECTOR("utf8", "\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80",
               "\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80"),
        VECTOR("utf8", "a\0b", "a\0b"),
    };
    (void)state;
    EXPECT_VECTORS(vectors);
}

static void ENC_01_ENC_11_nothing_comes_before_the_character_is_whole(void **state)
{
    static const char euro[] = "\xe2\x82\xac";
    text t = {NULL, 0, 0};
    weir__decoder decoder = decoder_for("utf8");
    (void)state;
    take(&decoder, euro, 1, &t);
    take(&decoder, "", 0, &t);
    take(&decoder, euro + 1, 1, &t);
    assert_int_equal(t.size, 0);
    take(&decoder, euro + 2, 1, &t);
    expect_text(&t, euro, 3, "euro");
    free(t.data);
}

static void ENC_02_what_is_incomplete_at_the_end_is_one_replacement(void **state)
{
    static const vector vectors[] = {
        VECTOR("utf8", "\xe2\x82", BAD),
        VECTOR("utf8", "\xe2", BAD),
        VECTOR("utf8", "a\xf0\x9f\x98", "a" BAD),
        VECTOR("utf8", "\xc3", BAD),
        VECTOR("utf8", "\xe2\x82\xe2\x82", BAD BAD),
    };
    (void)state;
    EXPECT_VECTORS(vectors);
}

static void ENC_03_invalid_bytes_are_replaced_and_what_follows_is_kept(void **state)
{
    static const vector vectors[] = {
        VECTOR("utf8", "\xff\x41", BAD "A"),
        VECTOR("utf8", "\xe2\x41", BAD "A"),
        VECTOR("utf8", "\xe2\x82\x41", BAD "A"),
        VECTOR("utf8", "\xed\xa0\x80", BAD BAD BAD),
        VECTOR("utf8", "\xed\xbf\xbf", BAD BAD BAD),
        VECTOR("utf8", "\xc0\x80", BAD BAD),
        VECTOR("utf8", "\xc1\xbf\x80", BAD BAD BAD),
        VECTOR("utf8", "\xe0\x9f\xbf", BAD BAD BAD),
        VECTOR("utf8", "\xf0\x8f\xbf\xbf", BAD BAD BAD BAD),
        VECTOR("utf8", "\xf4\x90\x80\x80", BAD BAD BAD BAD),
        VECTOR("utf8", "\xf5\x80\xf8", BAD BAD BAD),
        VECTOR("utf8", "\xf0\x9f\x98\xf0\x9f\x98\x80", BAD "\xf0\x9f\x98\x80"),
        VECTOR("utf8", "\xf1\x80\x80\xe1\x80\xc2\x41", BAD BAD BAD "A"),
        VECTOR("utf8", "\x80\xbf", BAD BAD),
    };
    (void)state;
    EXPECT_VECTORS(vectors);
}

static void ENC_04_a_byte_order_mark_is_kept(void **state)
{
    static const vector vectors[] = {
        VECTOR("utf8", "\xef\xbb\xbfok\xef\xbb\xbf", "\xef\xbb\xbfok\xef\xbb\xbf"),
        VECTOR("utf16le", "\xff\xfe\x41\x00",
               "\xef\xbb\xbf"
               "A"),
    };
    (void)state;
    EXPECT_VECTORS(vectors);
}

static void ENC_05_ascii_clears_the_top_bit(void **state)
{
    static const vector vectors[] = {
        VECTOR("ascii", "\xc1", "A"),
        VECTOR("ascii", "\xff", "\x7f"),
        VECTOR("ascii", "just text\x80\xe1nd more", "just text\0and more"),
    };
    (void)state;
    EXPECT_VECTORS(vectors);
}

static void ENC_06_latin1_is_one_character_a_byte(void **state)
{
    static const vector vectors[] = {
        VECTOR("latin1", "\x41\x7f\x80\xe9\xff\x00", "A\x7f\xc2\x80\xc3\xa9\xc3\xbf\0"),
        VECTOR("binary", "\xe2\x82\xac", "\xc3\xa2\xc2\x82\xc2\xac"),
    };
    (void)state;
    EXPECT_VECTORS(vectors);
}

static void ENC_07_base64_waits_for_three_bytes_and_pads_at_the_end(void **state)
{
    static const vector vectors[] = {
        VECTOR("base64", "\x01\x02\x03\x04", "AQIDBA=="),
        VECTOR("base64", "f", "Zg=="),
        VECTOR("base64", "fo", "Zm8="),
        VECTOR("base64", "foo", "Zm9v"),
        VECTOR("base64", "foob", "Zm9vYg=="),
        VECTOR("base64", "\xfb\xff\xbf\x3e", "+/+/Pg=="),
    };
    static const char *const pieces[] = {"", "", "AQID", ""};
    weir__decoder decoder = decoder_for("base64");
    text t = {NULL, 0, 0};
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        char byte = (char)(i + 1);
        t.size = 0;
        take(&decoder, &byte, 1, &t);
        expect_text(&t, pieces[i], strlen(pieces[i]), "one byte");
    }
    t.size = 0;
    finish(&decoder, &t);
    expect_text(&t, "BA==", 4, "the end");
    free(t.data);
    EXPECT_VECTORS(vectors);
}

static void ENC_08_base64url_has_its_own_digits_and_no_padding(void **state)
{
    static const vector vectors[] = {
        VECTOR("base64url", "\xfb\xff\xbf\x3e", "-_-_Pg"),
        VECTOR("base64url", "fo", "Zm8"),
        VECTOR("base64url", "foo", "Zm9v"),
    };
    (void)state;
    EXPECT_VECTORS(vectors);
}

static void ENC_09_hex_is_two_digits_a_byte(void **state)
{
    static const vector vectors[] = {VECTOR("hex", "\x00\x0f\xf0\xab\xff", "000ff0abff")};
    (void)state;
    EXPECT_VECTORS(vectors);
}

static void ENC_10_utf16_waits_for_halves_and_partners(void **state)
{
    static const vector vectors[] = {
        VECTOR("utf16le", "\x41\x00\xac\x20", "A\xe2\x82\xac"),
        VECTOR("utf16le", "\x3d\xd8\x00\xde", "\xf0\x9f\x98\x80"),
        VECTOR("utf16le", "\x3d\xd8\x00\xde\x41", "\xf0\x9f\x98\x80"),         /* half a unit is nothing */
        VECTOR("utf16le", "\x3d\xd8", BAD),                                    /* no partner came */
        VECTOR("utf16le", "\x3d\xd8\x00", BAD),                                /* nor half of one */
        VECTOR("utf16le", "\x3d\xd8\x41\x00", BAD "A"),                        /* another one came */
        VECTOR("utf16le", "\x3d\xd8\x3d\xd8\x00\xde", BAD "\xf0\x9f\x98\x80"), /* two leads */
        VECTOR("utf16le", "\x00\xde\x41\x00", BAD "A"),                        /* a partner alone */
        VECTOR("ucs2", "\x00\x00\xff\xdb\xff\xdf\xff\xff", "\0\xf4\x8f\xbf\xbf\xef\xbf\xbf"),
    };
    (void)state;
    EXPECT_VECTORS(vectors);
}

static void ENC_15_SOCM_30_names_have_aliases_and_any_case(void **state)
{
    static const char *const names[][2] = {
        {"utf8", "utf8"},           {"UTF-8", "utf8"},    {"Utf8", "utf8"},     {"ascii", "ascii"},
        {"ASCII", "ascii"},         {"latin1", "latin1"}, {"BINARY", "latin1"}, {"utf16le", "utf16le"},
        {"UTF-16LE", "utf16le"},    {"ucs2", "utf16le"},  {"UCS-2", "utf16le"}, {"base64", "base64"},
        {"Base64Url", "base64url"}, {"HEX", "hex"},
    };
    static const char *const unknown[] = {"", "utf", "utf88", "utf-8 ", "utf-16be", "base-64", "nonsense"};
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_non_null(weir__encoding_find(names[i][0]));
        assert_string_equal(weir__encoding_name(weir__encoding_find(names[i][0])), names[i][1]);
    }
    assert_string_equal(weir__encoding_name(weir__encoding_find(NULL)), "utf8");
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        assert_null(weir__encoding_find(unknown[i]));
    }
}

static void ENC_01_text_that_needs_no_change_is_not_copied(void **state)
{
    weir_buf *made;
    weir_buf *buf = weir_buf_copy("na\xc3\xafve", 6);
    weir__decoder decoder = decoder_for("utf8");
    (void)state;
    assert_int_equal(weir__decoder_take(&decoder, buf, &made), 0);
    assert_ptr_equal(made, buf);
    weir_buf_release(made);
    weir_buf_release(buf);
}

static void ENC_01_what_is_forgotten_does_not_come(void **state)
{
    text t = {NULL, 0, 0};
    weir__decoder decoder = decoder_for("utf8");
    (void)state;
    take(&decoder, "\xe2\x82", 2, &t);
    weir__decoder_forget(&decoder);
    take(&decoder, "a", 1, &t);
    finish(&decoder, &t);
    expect_text(&t, "a", 1, "forgotten");
    free(t.data);
}

/* ---- the reference: the whole input at once, by code points ---- */

static void refer_point(text *t, uint32_t point)
{
    char bytes[4];
    size_t size = point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    static const unsigned char marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = size; i-- > 1; point >>= 6) {
        bytes[i] = (char)(0x80 | (point & 0x3f));
    }
    bytes[0] = (char)(marks[size] | point);
    append(t, bytes, size);
}

/* WHATWG's "UTF-8 decoder", state for state. */
static void refer_utf8(const unsigned char *bytes, size_t size, text *t)
{
    uint32_t point = 0;
    int needed = 0;
    int seen = 0;
    unsigned lower = 0x80;
    unsigned upper = 0xbf;
    for (size_t i = 0; i < size; i++) {
        unsigned byte = bytes[i];
        if (needed == 0) {
            if (byte <= 0x7f) {
                refer_point(t, byte);
            } else if (byte >= 0xc2 && byte <= 0xdf) {
                needed = 1;
                point = byte & 0x1f;
            } else if (byte >= 0xe0 && byte <= 0xef) {
                lower = byte == 0xe0 ? 0xa0 : 0x80;
                upper = byte == 0xed ? 0x9f : 0xbf;
                needed = 2;
                point = byte & 0xf;
            } else if (byte >= 0xf0 && byte <= 0xf4) {
                lower = byte == 0xf0 ? 0x90 : 0x80;
                upper = byte == 0xf4 ? 0x8f : 0xbf;
                needed = 3;
                point = byte & 0x7;
            } else {
                refer_point(t, 0xfffd);
            }
            continue;
        }
        int fits = byte >= lower && byte <= upper;
        lower = 0x80;
        upper = 0xbf;
        if (!fits) {
            needed = 0;
            seen = 0;
            refer_point(t, 0xfffd);
            i--;
            continue;
        }
        point = point << 6 | (byte & 0x3f);
        if (++seen == needed) {
            needed = 0;
            seen = 0;
            refer_point(t, point);
        }
    }
    if (needed != 0) {
        refer_point(t, 0xfffd);
    }
}

static void refer_utf16(const unsigned char *bytes, size_t size, text *t)
{
    size_t units = size / 2;
    for (size_t i = 0; i < units; i++) {
        uint32_t unit = bytes[2 * i] + 256u * bytes[2 * i + 1];
        uint32_t next = i + 1 < units ? bytes[2 * i + 2] + 256u * bytes[2 * i + 3] : 0;
        if (unit < 0xd800 || unit > 0xdfff) {
            refer_point(t, unit);
        } else if (unit < 0xdc00 && next >= 0xdc00 && next <= 0xdfff) {
            refer_point(t, 0x10000 + (unit - 0xd800) * 0x400 + next - 0xdc00);
            i++;
        } else {
            refer_point(t, 0xfffd);
        }
    }
}

static void refer_latin1(const unsigned char *bytes, size_t size, text *t)
{
    for (size_t i = 0; i < size; i++) {
        refer_point(t, bytes[i]);
    }
}

static void refer_ascii(const unsigned char *bytes, size_t size, text *t)
{
    for (size_t i = 0; i < size; i++) {
        refer_point(t, bytes[i] % 128);
    }
}

static void refer_hex(const unsigned char *bytes, size_t size, text *t)
{
    for (size_t i = 0; i < size; i++) {
        char two[3];
        snprintf(two, sizeof(two), "%02x", bytes[i]);
        append(t, two, 2);
    }
}

/* Bit by bit. */
static void refer_digits(const unsigned char *bytes, size_t size, text *t, const char *last, int pads)
{
    for (size_t bit = 0; bit < size * 8; bit += 6) {
        unsigned value = 0;
        for (size_t i = bit; i < bit + 6; i++) {
            value = value * 2 + (i < size * 8 ? (unsigned)bytes[i / 8] >> (7 - i % 8) & 1u : 0u);
        }
        char digit = (char)(value < 26   ? 'A' + value
                            : value < 52 ? 'a' + (value - 26)
                            : value < 62 ? '0' + (value - 52)
                                         : (unsigned char)last[value - 62]);
        append(t, &digit, 1);
    }
    while (pads && t->size % 4 != 0) {
        append(t, "=", 1);
    }
}

static void refer_base64(const unsigned char *bytes, size_t size, text *t)
{
    refer_digits(bytes, size, t, "+/", 1);
}

static void refer_base64url(const unsigned char *bytes, size_t size, text *t)
{
    refer_digits(bytes, size, t, "-_", 0);
}

static const struct {
    const char *encoding;
    void (*refer)(const unsigned char *bytes, size_t size, text *t);
} references[] = {
    {"utf8", refer_utf8}, {"utf16le", refer_utf16}, {"latin1", refer_latin1},       {"ascii", refer_ascii},
    {"hex", refer_hex},   {"base64", refer_base64}, {"base64url", refer_base64url},
};

/* ---- random bytes ---- */

static uint32_t dice;

static unsigned roll(unsigned most)
{
    dice ^= dice << 13;
    dice ^= dice >> 17;
    dice ^= dice << 5;
    return dice % (most + 1);
}

/* Bytes that are near to what decoders look at: leads, what follows them, surrogates, and plain text. */
static void fill_near(unsigned char *bytes, size_t size)
{
    static const unsigned char marks[] = {0x00, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xed, 0xef,
                                          0xf0, 0xf1, 0xf4, 0xf5, 0xff, 0x9f, 0xa0, 0x8f, 0x90, 0xd8, 0xdb, 0xdc};
    unsigned kind = 0;
    for (size_t i = 0; i < size; i++) {
        if (roll(7) == 0) {
            kind = roll(3);
        }
        bytes[i] = (unsigned char)(kind == 0   ? 'a' + roll(25)
                                   : kind == 1 ? roll(255)
                                   : kind == 2 ? marks[roll(sizeof(marks) - 1)]
                                               : 0x80 + roll(0x3f));
    }
}

static void compare(size_t which, const unsigned char *bytes, size_t size, unsigned largest_piece)
{
    text expected = {NULL, 0, 0};
    text t = {NULL, 0, 0};
    weir__decoder decoder = decoder_for(references[which].encoding);
    references[which].refer(bytes, size, &expected);
    for (size_t done = 0; done < size;) {
        size_t piece = 1 + roll(largest_piece - 1);
        piece = piece < size - done ? piece : size - done;
        take(&decoder, bytes + done, piece, &t);
        done += piece;
    }
    finish(&decoder, &t);
    expect_text(&t, expected.data, expected.size, references[which].encoding);
    free(expected.data);
    free(t.data);
}

static void ENC_01_ENC_03_random_bytes_agree_with_the_reference(void **state)
{
    enum { SMALL = 100, LARGE = 1024 * 1024 };
    int rounds = getenv("WEIR_TEST_VALGRIND") == NULL ? 3000 : 30;
    size_t large = getenv("WEIR_TEST_VALGRIND") == NULL ? LARGE : LARGE / 32;
    unsigned char *bytes = malloc(LARGE);
    (void)state;
    assert_non_null(bytes);
    dice = 20200229;
    for (size_t which = 0; which < sizeof(references) / sizeof(references[0]); which++) {
        for (int round = 0; round < rounds; round++) {
            size_t size = roll(SMALL);
            fill_near(bytes, size);
            compare(which, bytes, size, 1 + roll(20));
        }
        fill_near(bytes, large);
        compare(which, bytes, large, 100000);
        compare(which, bytes, large / 8, 1);
    }
    free(bytes);
}

/* ---- without memory ---- */

/* Tries until it goes: what failed has taken nothing. */
static void decode_stubbornly(void *arg)
{
    static const char bytes[] = "\xe2\x82\xac\xff\xe2";
    const char *name = arg;
    char made[64];
    size_t size = 0;
    weir__decoder decoder = decoder_for(name);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        weir_buf *out = NULL;
        weir_buf *buf = NULL;
        while (buf == NULL) {
            buf = weir_buf_copy(bytes + i, 1);
        }
        int status =
            i + 1 < sizeof(bytes) ? weir__decoder_take(&decoder, buf, &out) : weir__decoder_finish(&decoder, &out);
        if (status != 0) {
            assert_int_equal(status, UV_ENOMEM);
            assert_true(allocator_failures() > 0);
            assert_null(out);
            i--;
        } else if (out != NULL) {
            assert_true(size + out->size <= sizeof(made));
            memcpy(made + size, out->data, out->size);
            size += out->size;
        }
        weir_buf_release(out);
        weir_buf_release(buf);
    }
    text expected = {NULL, 0, 0};
    for (size_t which = 0; which < sizeof(references) / sizeof(references[0]); which++) {
        if (strcmp(references[which].encoding, name) == 0) {
            references[which].refer((const unsigned char *)bytes, sizeof(bytes) - 1, &expected);
        }
    }
    assert_int_equal(size, expected.size);
    assert_memory_equal(made, expected.data, size);
    free(expected.data);
}

static void ENC_11_every_allocation_may_fail_and_nothing_is_lost(void **state)
{
    static char names[][8] = {"utf8", "base64"};
    (void)state;
    allocator_install();
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_true(allocator_fail_each(decode_stubbornly, names[i]) > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ENC_01_a_sequence_that_is_cut_is_joined),
        cmocka_unit_test(ENC_01_ENC_11_nothing_comes_before_the_character_is_whole),
        cmocka_unit_test(ENC_01_text_that_needs_no_change_is_not_copied),
        cmocka_unit_test(ENC_01_what_is_forgotten_does_not_come),
        cmocka_unit_test(ENC_02_what_is_incomplete_at_the_end_is_one_replacement),
        cmocka_unit_test(ENC_03_invalid_bytes_are_replaced_and_what_follows_is_kept),
        cmocka_unit_test(ENC_04_a_byte_order_mark_is_kept),
        cmocka_unit_test(ENC_05_ascii_clears_the_top_bit),
        cmocka_unit_test(ENC_06_latin1_is_one_character_a_byte),
        cmocka_unit_test(ENC_07_base64_waits_for_three_bytes_and_pads_at_the_end),
        cmocka_unit_test(ENC_08_base64url_has_its_own_digits_and_no_padding),
        cmocka_unit_test(ENC_09_hex_is_two_digits_a_byte),
        cmocka_unit_test(ENC_10_utf16_waits_for_halves_and_partners),
        cmocka_unit_test(ENC_15_SOCM_30_names_have_aliases_and_any_case),
        cmocka_unit_test(ENC_01_ENC_03_random_bytes_agree_with_the_reference),
        cmocka_unit_test(ENC_11_every_allocation_may_fail_and_nothing_is_lost),
    };
    return cmocka_run_group_tests_name("encoding", tests, NULL, NULL);
}
