/* SPDX-License-Identifier: BSD-2-Clause */
/* The nodes that do not depend on devices, and the directories that the payload may write to. */
#ifndef KERNEL_LINUX_PROC_NODES_H
#define KERNEL_LINUX_PROC_NODES_H

/* 0, or a negative error with everything taken back. */
int nodes_add(void);
/* Removes them, and with them every file the boot archive or the payload put into the tree. */
void nodes_remove(void);

/* A thread has ended: its directory, if anybody has looked into it. */
void nodes_remove_task(int id);

/* Each in the file of its name. */
int nodes_add_dev(void);
int nodes_add_fixed(void);
int nodes_add_huge(void);
int nodes_add_proc(void);
int nodes_add_self(void);

#endif
