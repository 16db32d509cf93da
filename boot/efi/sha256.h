/* SPDX-License-Identifier: BSD-2-Clause */
/* SHA-256 (FIPS 180-4), of bytes that are all there. Also compiled for the host. */
#ifndef BOOT_EFI_SHA256_H
#define BOOT_EFI_SHA256_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32

void sha256(const void *data, uint64_t size, uint8_t digest[SHA256_SIZE]);

#endif
