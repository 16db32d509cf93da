/* SPDX-License-Identifier: BSD-2-Clause */
/* What newlib's glob(), fnmatch() and regcomp() want of us, and glob()'s result as POSIX has it. */
#include <glob.h>

/* newlib's own glob(), built under this name (sdk/build-newlib.sh). */
int newlib_glob(const char *restrict pattern, int flags, int (*on_error)(const char *, int),
                glob_t *restrict found);

/* There is no table of an order of letters: they are compared as bytes. */
extern int __collate_load_error;
int __collate_load_error = 1;

int glob(const char *restrict pattern, int flags, int (*on_error)(const char *, int),
         glob_t *restrict found)
{
    int result = newlib_glob(pattern, flags, on_error, found);
    int keeps = flags & (GLOB_NOCHECK | GLOB_NOMAGIC);

    return result == 0 && found->gl_matchc == 0 && !keeps ? GLOB_NOMATCH : result;
}
