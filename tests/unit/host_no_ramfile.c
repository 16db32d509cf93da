/* SPDX-License-Identifier: BSD-2-Clause */
/* For tests that make no files in RAM: the tree refers to these and never calls them. */
#include <stdlib.h>
#include "kernel/file/ramfile.h"

void ramfile_put(struct ramfile *ram)
{
    abort();
}

void ramfile_stat(const struct ramfile *ram, struct file_stat *out)
{
    abort();
}
