/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The page tables the kernel starts on: 4 levels, 2 MiB pages, no permissions taken away. The
 * kernel builds its own at once, so these are short, not tight. Also compiled for the host.
 */
#ifndef BOOT_EFI_PAGING_H
#define BOOT_EFI_PAGING_H

#include <stdbool.h>
#include <stdint.h>

#define PAGING_LEAF (UINT64_C(2) << 20)

struct paging {
    uint64_t *top;           /* level 4 */
    void *(*allocate)(void); /* one zeroed page whose address is also its physical one; or NULL */
    bool failed;             /* an allocation did; nothing more is mapped then */
};

void paging_init(struct paging *paging, void *(*allocate)(void));
/*
 * Maps [at, at + size) rounded out to 2 MiB pages to `physical`, which equals `at` modulo 2 MiB.
 * What was mapped there before is replaced.
 */
void paging_map(struct paging *paging, uint64_t at, uint64_t physical, uint64_t size);

#endif
