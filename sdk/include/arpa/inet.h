/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _ARPA_INET_H
#define _ARPA_INET_H

#include <netinet/in.h>

__BEGIN_DECLS
/* Between text and address: families AF_INET and AF_INET6. */
const char *inet_ntop(int, const void *__restrict, char *__restrict, socklen_t);
int inet_pton(int, const char *__restrict, void *__restrict);

char *inet_ntoa(struct in_addr);
int inet_aton(const char *, struct in_addr *);
in_addr_t inet_addr(const char *);
__END_DECLS

#endif
