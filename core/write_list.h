/* SPDX-License-Identifier: MIT */
/* Writes that wait, and the lists that they wait in: for the kernel, for their callbacks, for the end of a stream. */
#ifndef WEIR_WRITE_LIST_H
#define WEIR_WRITE_LIST_H

#include <sys/uio.h>

#include <weir/stream.h>

/* Descriptors that travel with a write: duplicates. */
typedef struct weir__fds {
    size_t count;
    int fds[];
} weir__fds;

/* A write that waits for the kernel, or for its callback. */
typedef struct weir__write {
    struct weir__write *next;
    weir_buf *buf;  /* NULL: nothing to send (an empty write, one that failed at once, one completed) */
    weir__fds *fds; /* go with its first byte; NULL: none */
    size_t offset;  /* of the first byte the kernel did not take */
    weir_write_callback callback;
    void *arg;
    int status;       /* what the callback gets */
    struct iovec one; /* the usual batch: this write alone */
} weir__write;

/* A ring: the last one's next is the first. */
typedef struct weir__write_list {
    weir__write *last;
} weir__write_list;

static inline void weir__writes_put(weir__write_list *list, weir__write *write)
{
    if (list->last == NULL) {
        write->next = write;
    } else {
        write->next = list->last->next;
        list->last->next = write;
    }
    list->last = write;
}

static inline weir__write *weir__writes_first(const weir__write_list *list)
{
    return list->last == NULL ? NULL : list->last->next;
}

/* What comes behind a write of the list, or NULL. */
static inline weir__write *weir__writes_next(const weir__write_list *list, const weir__write *write)
{
    return write == list->last ? NULL : write->next;
}

/* The first one, which is taken out; NULL: there is none. */
static inline weir__write *weir__writes_take(weir__write_list *list)
{
    weir__write *last = list->last;
    weir__write *first = last == NULL ? NULL : last->next;
    if (first == NULL || first == last) {
        list->last = NULL;
    } else {
        last->next = first->next;
    }
    return first;
}

#endif
