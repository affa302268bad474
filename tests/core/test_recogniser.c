/* SPDX-License-Identifier: MIT */
/* The recogniser of the tests themselves: it must know a life of a stream from what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "recorder.h"

typedef struct text_case {
    const char *text;
    const char *fault; /* a part of what is said; NULL: nothing is wrong */
} text_case;

static void check(const text_case *cases, size_t count, int accepted, int over)
{
    char fault[256];
    for (size_t i = 0; i < count; i++) {
        const char *found = recorder_check_text(cases[i].text, accepted, over, fault, sizeof(fault));
        if (!cases[i].fault && found)
            fail_msg("'%s' is a life, but: %s", cases[i].text, found);
        if (cases[i].fault && (!found || !strstr(found, cases[i].fault)))
            fail_msg("'%s' gave '%s' and not '%s'", cases[i].text, found ? found : "nothing", cases[i].fault);
    }
}

#define CHECK(cases, accepted, over) check((cases), sizeof(cases) / sizeof((cases)[0]), (accepted), (over))

static void lives_of_clients(void **state)
{
    static const text_case cases[] = {
        {"", NULL},
        {"connect ready data:5 end finish close", NULL},
        {"connectionAttempt connect ready w1 e1 finish data:5 end close", NULL},
        {"lookup:ok connectionAttempt connectionAttemptFailed:ECONNREFUSED error:ECONNREFUSED close:error", NULL},
        {"connect ready drain readable data:1 drain finish timeout peerClose end close", NULL},
        {"connect close", NULL},
        {"close", NULL},
        {"connect ready w1 w2:ECANCELED close", NULL},
        {"connect ready w1:EPIPE e1:EPIPE error:EPIPE close:error ~w2:ERR_STREAM_DESTROYED", NULL},
        {"error:ECONNREFUSED close:error | connect ready end finish close", NULL},
        {"connect ready close | w3 connect close", NULL},
        {"| connect close", NULL},
    };
    (void)state;
    CHECK(cases, 0, 1);
}

static void lives_of_arrivals(void **state)
{
    static const text_case cases[] = {
        {"data:5 end finish close", NULL},
        {"close", NULL},
        {"connect close", "'connect' comes once"},
        {"", "a life ends with 'close'"},
    };
    (void)state;
    CHECK(cases, 1, 1);
}

static void what_breaks_the_tracks(void **state)
{
    static const text_case cases[] = {
        {"data:5 connect ready close", "begins with 'ready'"},
        {"connect data:5 ready close", "begins with 'ready'"},
        {"ready close", "right after 'connect'"},
        {"connect ready ready close", "'ready' comes once"},
        {"connect connect", "'connect' comes once"},
        {"connect ready end data:5 close", "after 'end'"},
        {"connect ready end readable close", "after 'end'"},
        {"connect ready end end close", "after 'end'"},
        {"connect ready finish drain close", "after 'finish'"},
        {"connect ready finish finish close", "after 'finish'"},
        {"connect finish close", "begins with 'ready'"},
        {"connect ready error:EIO end close:error", "over with 'error'"},
        {"connect ready error:EIO finish close:error", "over with 'error'"},
        {"connect ready error:EIO error:EIO close:error", "at most once"},
        {"connect ready error:EIO close", "tells whether"},
        {"connect ready close:error", "tells whether"},
        {"connect ready close close", "'close' comes once"},
        {"connect ready close timeout", "nothing comes after 'close'"},
        {"connect ready close data:5", "over with 'error' and 'close'"},
        {"connect ready close error:EIO", "comes before 'close'"},
        {"connect ready close connect", "'connect' comes once"},
        {"connect ready | connect", "begins after 'close'"},
    };
    (void)state;
    CHECK(cases, 0, 1);
}

static void what_breaks_the_order_of_callbacks(void **state)
{
    static const text_case cases[] = {
        {"connect ready w2 w1 close", "in the order"},
        {"connect ready w1 w1 close", "once each"},
        {"connect ready e1 e1 close", "once each"},
        {"connect ready error:EIO w1:EIO close:error", "before 'error'"},
        {"connect ready close w1:ECANCELED", "before 'error' and 'close'"},
    };
    (void)state;
    CHECK(cases, 0, 1);
}

static void a_life_that_goes_on_is_no_fault_before_it_is_over(void **state)
{
    static const text_case cases[] = {{"connect ready data:5", NULL}, {"connect", NULL}};
    static const text_case over[] = {{"connect ready data:5", "ends with 'close'"}, {"connect", "ends with 'close'"}};
    (void)state;
    CHECK(cases, 0, 0);
    CHECK(over, 0, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lives_of_clients),
        cmocka_unit_test(lives_of_arrivals),
        cmocka_unit_test(what_breaks_the_tracks),
        cmocka_unit_test(what_breaks_the_order_of_callbacks),
        cmocka_unit_test(a_life_that_goes_on_is_no_fault_before_it_is_over),
    };
    return cmocka_run_group_tests_name("recogniser", tests, NULL, NULL);
}
