/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef KERNEL_LIB_DIGIT_H
#define KERNEL_LIB_DIGIT_H

/* The value of a digit of base 16 or less, in either case; 16 for any other character. */
static inline unsigned digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return (unsigned)(c - '0');
    if (c >= 'a' && c <= 'f')
        return (unsigned)(c - 'a') + 10;
    if (c >= 'A' && c <= 'F')
        return (unsigned)(c - 'A') + 10;
    return 16;
}

#endif
