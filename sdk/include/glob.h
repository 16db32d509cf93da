/* SPDX-License-Identifier: BSD-2-Clause */
/* newlib's own, and what POSIX has since: that nothing matched is a result of its own. */
#ifndef BULKHEAD_GLOB_H
#define BULKHEAD_GLOB_H

#include_next <glob.h>

#ifndef GLOB_ABORTED
#define GLOB_ABORTED GLOB_ABEND
#endif
#ifndef GLOB_NOMATCH
#define GLOB_NOMATCH (-3)
#endif

#endif
