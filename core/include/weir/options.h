/* SPDX-License-Identifier: MIT */
/*
 * What all structs of options have in common: they begin with their size, so that they can grow. That size is the one
 * that the program was compiled with.
 *
 * They are filled in by their own ..._init, which also sets what is not 0 at first, and, where they have none, by
 * weir_options_init(&options, sizeof(options)). `= {.size = sizeof(options)}` does not do: it may leave anything in the
 * padding, and padding behind what an older library knows would pass for an option.
 *
 * Members are added at the end alone, never where padding was, and 0 is the default of each that is added. So a
 * program that was compiled with older headers goes on: what its struct does not have has its default. One that was
 * compiled with newer headers may meet an older library: what that does not know must be 0, and otherwise every
 * function that is given the struct returns UV_E2BIG and does nothing, rather than let an option go unheeded. A size of
 * 0 (below that of the first member) is UV_EINVAL: the struct was not filled in, or one inside it was not (`stream` of
 * weir_server_options). A function that gives an object returns NULL for either, with the code in its `*error` if it
 * has one.
 *
 * One struct is the library's own and written to by plugins, which may have been compiled with older headers: that of
 * `prepare` (weir/handler.h). Members that are added at its end do not matter to them. What would move those that they
 * know (a longer weir_stream_options in the middle of it) comes with a new WEIR_PLUGIN_ABI_MAJOR.
 */
#ifndef WEIR_OPTIONS_H
#define WEIR_OPTIONS_H

#include <stddef.h>
#include <string.h>

#include <weir/export.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All at 0 but the size. The ..._init of the structs stand in the headers, so that the size is that of the program. */
static inline void weir_options_init(void *options, size_t size)
{
    memset(options, 0, size);
    memcpy(options, &size, sizeof(size));
}

/*
 * For whoever is given options, in a plugin too: lays those of the caller over `known`, which has the defaults and is
 * of the size that is known here. 0; UV_EINVAL, UV_E2BIG, as above: `known` is then left as it was.
 */
WEIR_EXPORT int weir_options_take(void *known, size_t known_size, const void *given);

#ifdef __cplusplus
}
#endif
#endif
