/* SPDX-License-Identifier: MIT */
/* The conformance suite on the layer tls, over TCP. */
#include "suite.h"

int main(void)
{
    return suite_run_plugin_tls(SUITE_TLS_OVER_TCP);
}
