/* SPDX-License-Identifier: BSD-2-Clause */
/* Stays in user mode for good, for somebody outside to look at the machine. */
#include <stdio.h>

int main(void)
{
    printf("spin: here\n");
    for (;;)
        ;
}
