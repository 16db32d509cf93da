/* SPDX-License-Identifier: BSD-2-Clause */
/* What cannot be undone, tried in a child process. */
#ifndef TESTS_UNIT_HOST_CHILD_H
#define TESTS_UNIT_HOST_CHILD_H

#include <stdint.h>

/* What `run` returns (0 to 255) in a child that ends with it; -1 if the child ended otherwise. */
int host_in_child(int (*run)(uint64_t argument), uint64_t argument);

#endif
