/* SPDX-License-Identifier: MIT */
/* Material: certificates, keys and lists, read from files, the environment, or the options themselves. */
#ifndef WEIR_TLS_MATERIAL_H
#define WEIR_TLS_MATERIAL_H

#include "settings.h"

/*
 * Reads what an option's value names: a text is PEM where "-----BEGIN" stands in it, otherwise a path; an object is
 * {"file": PATH} or {"env": NAME}. 0 (also after a fault was told: `data` is NULL then), or UV_ENOMEM.
 */
int weir__tls_material_read(const json_t *value, const char *folder, const char *pointer, tls_report *report,
                            tls_material *material);

/* The file at an absolute path, without any word of what is wrong: 0, UV_ENOMEM, or what the system says. */
int weir__tls_material_file(const char *path, tls_material *material);

/* Another one of the same bytes. 0 or UV_ENOMEM. `pointer` NULL: its own. */
int weir__tls_material_share(const tls_material *from, const char *pointer, tls_material *material);

/* Its bytes are wiped when nobody else shares them. */
void weir__tls_material_free(tls_material *material);

/* Which file stands at a path now, and of when: tls_material's `stamp`. 0: none. */
uint64_t weir__tls_material_stamp(const char *path);

/* Warns when others may read the file of a key; its bytes have been read. */
void weir__tls_material_check_mode(const tls_material *material, tls_report *report);

/* In new memory; NULL: no memory. */
char *weir__tls_text_copy(const char *text);

#endif
