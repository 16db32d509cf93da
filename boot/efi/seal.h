/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seal: digests of the files the loader may use, inside the loader, so that a signature of the
 * loader covers them too. `./bulkhead image --seal` fills it in (tools/bulkhead/seal.py).
 */
#ifndef BOOT_EFI_SEAL_H
#define BOOT_EFI_SEAL_H

#include <stdbool.h>

#include "boot/efi/sha256.h"

/* In the order of the table of files in boot/efi/main.c. */
#define SEAL_FILES 5

struct seal {
    char magic[16]; /* how the tool finds the seal in the file */
    uint32_t sealed;
    uint32_t present; /* bit n: file n has to be there; otherwise it may not be */
    uint8_t digests[SEAL_FILES][SHA256_SIZE];
};

bool seal_is_set(void);
/* Is this what file `index` has to be? True for a loader without a seal. */
bool seal_fits(unsigned index, bool found, const void *data, uint64_t size);

#endif
