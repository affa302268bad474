/* SPDX-License-Identifier: MIT */
/* SANITIZED: 1 where a sanitizer of addresses or threads stands between the program and its memory, otherwise 0. */
#ifndef WEIR_TEST_SANITIZED_H
#define WEIR_TEST_SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#endif
