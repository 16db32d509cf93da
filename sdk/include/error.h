/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _ERROR_H
#define _ERROR_H

#include <sys/cdefs.h>

__BEGIN_DECLS
/* "program: message: strerror(number)" on stderr; exits if status is not 0. */
void error(int status, int number, const char *, ...) __attribute__((format(printf, 3, 4)));
__END_DECLS

#endif
