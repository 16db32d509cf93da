/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/linux/calls/random.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define CPUID_RDRAND BIT(30) /* leaf 1, ECX */
#define RANDOM_CHUNK 256
#define CHUNK_WORK   12000 /* generating is slower than copying */
#define RDRAND_TRIES 10    /* what the manual advises */

static uint32_t key[8];

static bool hardware_random(uint64_t *out)
{
    uint8_t ok = 0;
    for (unsigned i = 0; i < RDRAND_TRIES && !ok; i++)
        __asm__ volatile("rdrand %0; setc %1" : "=r"(*out), "=qm"(ok) : : "cc");
    return ok;
}

void random_init(void)
{
    uint64_t seed[4] = {tsc_read()};
    bool good = cpuid(1, 0).ecx & CPUID_RDRAND;
    for (unsigned i = 0; good && i < ARRAY_SIZE(seed); i++) {
        uint64_t value = 0;
        good = hardware_random(&value);
        seed[i] ^= value;
    }
    if (!good)
        log_warn("the CPU has no random generator: random numbers are only as good as its clock");
    for (unsigned i = 0; i < ARRAY_SIZE(key); i++)
        key[i] ^= (uint32_t)(seed[i / 2] >> (i % 2 * 32));
}

void random_bytes(void *out, size_t length)
{
    uint64_t now = tsc_read();
    const uint32_t nonce[3] = {(uint32_t)now, (uint32_t)(now >> 32), 0};
    uint8_t block[CHACHA_BLOCK];
    uint32_t next_key[8];
    uint32_t counter = 0;
    chacha_block(key, counter++, nonce, block);
    memcpy(next_key, block, sizeof(next_key));
    while (length > 0) {
        size_t n = MIN(length, sizeof(block));
        chacha_block(key, counter++, nonce, block);
        memcpy(out, block, n);
        out = (uint8_t *)out + n;
        length -= n;
    }
    memcpy(key, next_key, sizeof(key));
    memset(block, 0, sizeof(block));
}

int64_t random_to_user(uaddr_t to, size_t length)
{
    uint8_t chunk[RANDOM_CHUNK];
    size_t done = 0;
    int error = 0;
    while (!error && done < length) {
        size_t n = MIN(length - done, sizeof(chunk));
        random_bytes(chunk, n);
        error = copy_to_user(to + done, chunk, n);
        if (error)
            break;
        done += n;
        error = breathe_hearing_after(CHUNK_WORK, "random bytes", HEARS_SIGNALS);
    }
    memset(chunk, 0, sizeof(chunk));
    return done ? (int64_t)done : error;
}
