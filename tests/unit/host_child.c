/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/host_child.h"
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int host_in_child(int (*run)(uint64_t argument), uint64_t argument)
{
    pid_t child = fork();
    int status;

    if (child == 0)
        _exit(run(argument));
    if (child < 0 || waitpid(child, &status, 0) != child)
        abort();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
