/* SPDX-License-Identifier: BSD-2-Clause */
/* newlib's own, which forgets to include what it uses. */
#ifndef BULKHEAD_STDATOMIC_H
#define BULKHEAD_STDATOMIC_H

#include <stdint.h>
#include_next <stdatomic.h>

#endif
