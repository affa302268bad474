/* SPDX-License-Identifier: MIT */
/* What a benchmark needs around it so that its numbers mean something: a network of its own with a known
 * congestion control, one CPU for the server and another one for the load. */
#ifndef WEIR_BENCH_ISOLATION_H
#define WEIR_BENCH_ISOLATION_H

/* Move this process into a network namespace of its own (with a user namespace, where it is not root), with
 * loopback up and `congestion` as TCP's congestion control: read back from a socket, not only set.
 * 0, or -1 after saying why. */
int bench_private_network(const char *congestion);

/* The first two CPUs that this process may use; -1 after saying why when there is only one. */
int bench_two_cpus(int *server, int *load);

/* Keep this process (and what it starts) on one CPU; -1 after saying why. */
int bench_pin(int cpu);

#endif
