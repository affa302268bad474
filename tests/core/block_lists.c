/* SPDX-License-Identifier: MIT */
/* Block lists of given rules. */
#include "block_lists.h"

#include "allocator.h"

weir_blocklist *new_list(void)
{
    weir_blocklist *list = weir_blocklist_new();
    assert_non_null(list);
    return list;
}

weir_blocklist *list_of(const char *rule)
{
    weir_blocklist *list = new_list();
    int status = weir_blocklist_add_rule(list, rule);
    if (status != 0)
        fail_msg("'%s' is refused: %s", rule, weir_error_name(status));
    return list;
}

weir_address ip(const char *text)
{
    weir_address address;
    assert_code(weir_address_from_ip(&address, text, 0), 0);
    return address;
}

static size_t live;

int list_setup(void **state)
{
    (void)state;
    allocator_install();
    live = allocator_live();
    return 0;
}

int list_teardown(void **state)
{
    (void)state;
    return allocator_live() == live ? 0 : -1;
}
