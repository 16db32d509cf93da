/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the road: a broken invariant of the kernel itself. Never for bad input. */
#ifndef KERNEL_LIB_PANIC_H
#define KERNEL_LIB_PANIC_H

/* Prints the message, registers and a backtrace, stops assigned devices, and ends as configured. */
_Noreturn void panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * What a panic does after its message: stop the devices, report, exit. Without it the machine is
 * halted. Not called again for a panic that happens inside it.
 */
void panic_set_end(void (*last)(void));

#define ASSERT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition))                                                                          \
            panic("assertion failed: %s (%s:%d)", #condition, __FILE__, __LINE__);                 \
    } while (0)

#endif
