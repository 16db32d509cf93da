/* SPDX-License-Identifier: BSD-2-Clause */
/* The nodes of /dev and /proc that the payload layer owns, and the directories it may write to. */
#ifndef KERNEL_LINUX_PROC_NODES_H
#define KERNEL_LINUX_PROC_NODES_H

/* 0, or a negative error with everything taken back. */
int nodes_add(void);
/* Removes them, and with them every file the boot archive or the payload put into the tree. */
void nodes_remove(void);

/* nodes_dev.c and nodes_proc.c */
int nodes_add_dev(void);
int nodes_add_proc(void);

#endif
