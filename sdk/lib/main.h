/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SDK_LIB_MAIN_H
#define SDK_LIB_MAIN_H

/* The last part of argv[0]. */
const char *sdk_program_name(void);

#endif
