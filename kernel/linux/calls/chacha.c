/* SPDX-License-Identifier: BSD-2-Clause */
/* The block function of RFC 8439, section 2.3. */
#include "kernel/lib/string.h"
#include "kernel/linux/calls/random.h"

static uint32_t rotate(uint32_t value, unsigned by)
{
    return value << by | value >> (32 - by);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    *a += *b;
    *d = rotate(*d ^ *a, 16);
    *c += *d;
    *b = rotate(*b ^ *c, 12);
    *a += *b;
    *d = rotate(*d ^ *a, 8);
    *c += *d;
    *b = rotate(*b ^ *c, 7);
}

void chacha_block(const uint32_t key[8], uint32_t counter, const uint32_t nonce[3],
                  uint8_t out[CHACHA_BLOCK])
{
    const uint32_t initial[16] = {
        0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, key[0],  key[1],   key[2],   key[3],
        key[4],     key[5],     key[6],     key[7],     counter, nonce[0], nonce[1], nonce[2],
    };
    uint32_t x[16];
    memcpy(x, initial, sizeof(x));
    for (unsigned i = 0; i < 10; i++) {
        for (unsigned column = 0; column < 4; column++)
            quarter_round(&x[column], &x[4 + column], &x[8 + column], &x[12 + column]);
        for (unsigned column = 0; column < 4; column++)
            quarter_round(&x[column], &x[4 + (column + 1) % 4], &x[8 + (column + 2) % 4],
                          &x[12 + (column + 3) % 4]);
    }
    for (unsigned i = 0; i < 16; i++)
        x[i] += initial[i];
    memcpy(out, x, sizeof(x));
}
