/* SPDX-License-Identifier: BSD-2-Clause */
/* Prints its arguments, one per line in brackets, and exits with the first one as a number. */
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        printf("[%s]\n", argv[i]);
    return argc > 1 ? atoi(argv[1]) : 0;
}
