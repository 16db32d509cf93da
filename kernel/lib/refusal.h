/* SPDX-License-Identifier: BSD-2-Clause */
/* Why something the operator or the firmware gave was refused: one sentence for the console. */
#ifndef KERNEL_LIB_REFUSAL_H
#define KERNEL_LIB_REFUSAL_H

struct refusal {
    char sentence[200];
};

/* Stores the sentence. */
/*@ requires \valid(to);
    assigns *to; */
void refusal_say(struct refusal *to, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Stores the sentence and is `error`, so that a check can say `return refuse(...)`. A macro, so
 * that compiler and analyzer see that the result is what was given: an error, never 0.
 */
#define refuse(to, error, ...) (refusal_say(to, __VA_ARGS__), (error))

#endif
