/* SPDX-License-Identifier: BSD-2-Clause */
/* newlib's own, and the two functions that it has only under other names. */
#ifndef BULKHEAD_STDIO_H
#define BULKHEAD_STDIO_H

#include_next <stdio.h>

__BEGIN_DECLS
ssize_t getline(char **__restrict, size_t *__restrict, FILE *__restrict);
ssize_t getdelim(char **__restrict, size_t *__restrict, int, FILE *__restrict);
__END_DECLS

#endif
