/* SPDX-License-Identifier: MIT */
/*
 * What a resolver of the test's own answers with. Who includes this has a getaddrinfo of its own, which libuv calls instead of
 * the C library's; the freeaddrinfo that belongs to it is here.
 */
#ifndef WEIR_TEST_RESOLVER_H
#define WEIR_TEST_RESOLVER_H

#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "raw_peer.h"

/* One address more at the end of an answer, if it is of this family (AF_UNSPEC: of whichever). */
static inline void resolver_answer(struct addrinfo **list, const char *text, int family)
{
    struct {
        struct addrinfo info;
        union {
            struct sockaddr any;
            struct sockaddr_in ipv4;
            struct sockaddr_in6 ipv6;
        } address;
    } * answer;
    int ipv6 = strchr(text, ':') != NULL;

    if (family != AF_UNSPEC && family != (ipv6 ? AF_INET6 : AF_INET))
        return;
    answer = calloc(1, sizeof(*answer));
    if (!answer)
        abort();
    answer->info.ai_family = ipv6 ? AF_INET6 : AF_INET;
    answer->info.ai_socktype = SOCK_STREAM;
    answer->info.ai_addr = &answer->address.any;
    answer->info.ai_addrlen = ipv6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
    answer->address.any.sa_family = (sa_family_t)answer->info.ai_family;
    inet_pton(answer->info.ai_family, text,
              ipv6 ? (void *)&answer->address.ipv6.sin6_addr : (void *)&answer->address.ipv4.sin_addr);
    while (*list)
        list = &(*list)->ai_next;
    *list = &answer->info;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the names in the C library are reserved ones */
WEIR_EXPORT void freeaddrinfo(struct addrinfo *list)
{
    while (list) {
        struct addrinfo *next = list->ai_next;

        free(list);
        list = next;
    }
}

#endif
