/* SPDX-License-Identifier: MIT */
/* Marks of the compiler that the public headers use, and the library's version. */
#ifndef WEIR_EXPORT_H
#define WEIR_EXPORT_H

#if defined(__GNUC__)
#define WEIR_EXPORT               __attribute__((visibility("default")))
#define WEIR_PRINTF(text, values) __attribute__((__format__(__printf__, text, values)))
#define WEIR_UNUSED_RESULT        __attribute__((warn_unused_result))
#else
#define WEIR_EXPORT
#define WEIR_PRINTF(text, values)
#define WEIR_UNUSED_RESULT
#endif

#define WEIR_VERSION_MAJOR 0
#define WEIR_VERSION_MINOR 1
#define WEIR_VERSION_PATCH 0
#define WEIR_VERSION       "0.1.0"

#endif
