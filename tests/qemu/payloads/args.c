/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Prints its arguments, one per line in brackets, and exits with the first one as a number. Before
 * that it asks for a process of its own, which the kernel does not have.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CALL_VFORK 58

int main(int argc, char **argv)
{
    syscall(CALL_VFORK);
    for (int i = 1; i < argc; i++)
        printf("[%s]\n", argv[i]);
    return argc > 1 ? atoi(argv[1]) : 0;
}
