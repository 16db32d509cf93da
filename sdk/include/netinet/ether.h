/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef _NETINET_ETHER_H
#define _NETINET_ETHER_H

#include <netinet/if_ether.h>
#include <sys/cdefs.h>

__BEGIN_DECLS
/* 52:54:0:12:34:56, as on Linux without leading zeros. */
char *ether_ntoa(const struct ether_addr *);
char *ether_ntoa_r(const struct ether_addr *, char *);
struct ether_addr *ether_aton(const char *);
struct ether_addr *ether_aton_r(const char *, struct ether_addr *);
__END_DECLS

#endif
