/* SPDX-License-Identifier: MIT */
/* One line on standard error for whatever stops a benchmark. */
#include "complain.h"

#include <stdarg.h>
#include <stdio.h>

int bench_complain(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    return -1;
}
