/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random bytes for getrandom(2), /dev/urandom and AT_RANDOM: ChaCha20 (RFC 8439) keyed from the
 * CPU's generator where it has one, and from the time-stamp counter in any case. After each request
 * the key is replaced by the generator's own output, so earlier bytes cannot be found out later.
 */
#ifndef KERNEL_LINUX_CALLS_RANDOM_H
#define KERNEL_LINUX_CALLS_RANDOM_H

#include "kernel/lib/types.h"

#define CHACHA_BLOCK 64

/* One block of the ChaCha20 key stream: 32 bytes of key, 12 of nonce. */
void chacha_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
                  uint8_t out[CHACHA_BLOCK]);

/* Draws a key. Says in the log when the CPU has no generator. */
void random_init(void);
void random_bytes(void *out, size_t length);
/* Returns how many bytes were stored, fewer when interrupted; -EFAULT, -EINTR when none was. */
int64_t random_to_user(uaddr_t to, size_t length);

#endif
