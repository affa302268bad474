/* SPDX-License-Identifier: MIT */
/* Options of programs that were compiled with other headers: what weir_options_take does, without the size in front. */
#ifndef WEIR_CORE_OPTIONS_H
#define WEIR_CORE_OPTIONS_H

#include <stddef.h>

#include <weir/options.h>

/* 0, or UV_E2BIG: something is given behind what is known. */
int weir__options_lay(void *known, size_t known_size, const void *given, size_t size);

#endif
