/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of /dev and /proc that the payload layer owns, and the directories it may write to. */
#ifndef KERNEL_LINUX_PROC_ROWS_H
#define KERNEL_LINUX_PROC_ROWS_H

/* 0, or a negative error with everything taken back. */
int rows_add(void);
/* Removes them, and with them every file the boot archive or the payload put into the tree. */
void rows_remove(void);

/* rows_dev.c and rows_proc.c */
int rows_add_dev(void);
int rows_add_proc(void);

#endif
