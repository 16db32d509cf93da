/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers that C and assembler share: selectors, and offsets into struct trap_frame. */
#ifndef KERNEL_CPU_LAYOUT_H
#define KERNEL_CPU_LAYOUT_H

/* The order SYSCALL and SYSRET demand; the user selectors have the values Linux uses. */
#define KERNEL_CS    0x10
#define KERNEL_DS    0x18
#define SYSRET_BASE  0x23
#define USER_DS      0x2b
#define USER_CS      0x33
#define TSS_SELECTOR 0x38

#define FRAME_RCX    (11 * 8)
#define FRAME_VECTOR (15 * 8)
#define FRAME_RIP    (17 * 8)
#define FRAME_CS     (18 * 8)
#define FRAME_RFLAGS (19 * 8)
#define FRAME_SIZE   (22 * 8)

/* trap_frame.vector of a system call. */
#define TRAP_SYSCALL 256

#endif
