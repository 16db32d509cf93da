/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Load options of a boot entry: UTF-16 text by convention only (UEFI specification, 9.1.1). Also
 * compiled for the host.
 */
#ifndef BOOT_EFI_LOAD_OPTIONS_H
#define BOOT_EFI_LOAD_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

enum load_options {
    LOAD_OPTIONS_TAKEN,
    LOAD_OPTIONS_NOT_TEXT, /* something else than printable ASCII: nothing was taken */
    LOAD_OPTIONS_TOO_LONG, /* nothing was taken */
};

/*
 * Adds them, a blank in front, to the text in `out`, which holds *used of `size` bytes. The name of
 * the program, which a shell puts first, is left out.
 */
enum load_options load_options_append(const uint16_t *text, size_t length, char *out, size_t *used,
                                      size_t size);

#endif
