/* SPDX-License-Identifier: BSD-2-Clause */
/* Why something the operator or the firmware gave was refused: one sentence for the console. */
#ifndef KERNEL_LIB_REFUSAL_H
#define KERNEL_LIB_REFUSAL_H

struct refusal {
    char sentence[200];
};

/* Stores the sentence and returns `error`, so that a check can say `return refuse(...)`. */
int refuse(struct refusal *to, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
