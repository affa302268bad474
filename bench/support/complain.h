/* SPDX-License-Identifier: MIT */
/* How the benchmark programs say what went wrong: one line on standard error. */
#ifndef WEIR_BENCH_COMPLAIN_H
#define WEIR_BENCH_COMPLAIN_H

/* Prints "bench: " and the text; returns -1, so that a failing function can return it. */
__attribute__((format(printf, 1, 2))) int bench_complain(const char *format, ...);

#endif
