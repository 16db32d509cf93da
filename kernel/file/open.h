/* SPDX-License-Identifier: BSD-2-Clause */
/* Files open on the nodes that need no code of their own: directories, texts, bare paths. */
#ifndef KERNEL_FILE_OPEN_H
#define KERNEL_FILE_OPEN_H

#include "kernel/file/node.h"

/* The longest text of a node; what a node writes beyond is cut. */
#define TEXT_FILE_MAX MIB

/* Opens a node as open(2) does once the walk is over; truncation is the caller's. May sleep. */
int node_open(struct node *node, unsigned flags, struct file **out);

#endif
