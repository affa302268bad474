/* SPDX-License-Identifier: MIT */
/* Errors that only the core makes. */
#ifndef WEIR_CORE_ERROR_PRIVATE_H
#define WEIR_CORE_ERROR_PRIVATE_H

#include <weir/error.h>

/* An error of that code with the message "WHAT: CAUSE'S MESSAGE", and the cause alone in `errors`. As weir_error_new. */
weir_error *weir__error_new_caused(int code, const char *what, const weir_error *cause);

#endif
