/* SPDX-License-Identifier: MIT */
/* Block lists as endpoints, streams and servers use them. */
#include "blocklist_use.h"

#include <uv.h>

int weir__blocklist_of_json(const json_t *rules, weir_blocklist **list)
{
    weir_blocklist *made = weir_blocklist_new();
    int status = made == NULL ? UV_ENOMEM : 0;
    size_t index;
    json_t *rule;
    *list = NULL;
    json_array_foreach(rules, index, rule)
    {
        if (status == 0)
            status = weir_blocklist_add_rule(made, json_string_value(rule));
    }
    if (status == 0)
        *list = made;
    else
        weir_blocklist_release(made);
    return status;
}

int weir__blocklist_names(const weir_blocklist *list, const weir_address *address)
{
    if (list == NULL || (address->family != WEIR_FAMILY_IPV4 && address->family != WEIR_FAMILY_IPV6))
        return 0;
    return weir_blocklist_check_of(list, address) == 1;
}
