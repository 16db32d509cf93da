/* SPDX-License-Identifier: BSD-2-Clause */
#include "boot/efi/seal.h"

#include "kernel/lib/string.h"

/* Volatile, because the linked file is changed afterwards. */
static const volatile struct seal seal = {.magic = "BULKHEAD-SEAL-1"};

bool seal_is_set(void)
{
    return seal.sealed != 0;
}

bool seal_fits(unsigned index, bool found, const void *data, uint64_t size)
{
    bool wanted = seal.present >> index & 1;
    uint8_t digest[SHA256_SIZE];

    if (!seal_is_set())
        return true;
    if (!wanted || !found)
        return wanted == found;
    sha256(data, size, digest);
    for (unsigned i = 0; i < SHA256_SIZE; i++)
        if (digest[i] != seal.digests[index][i])
            return false;
    return true;
}
