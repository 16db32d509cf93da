/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/lease_host.h"

#include <stdlib.h>

#include "drivers/afu/internal.h"
#include "kernel/device/uio/uio.h"
#include "kernel/file/tree.h"
#include "kernel/lib/error.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/vfio_host.h"

/* ---- IO address spaces: where something is mapped is all that they know ---- */

#define FIRST_IOVA 0x100000

static struct ioas {
    unsigned areas;
} spaces[2]; /* of UIO, of the AFU */
static size_t space_count;

int ioas_create(struct ioas_account *account, struct mutex *lock, struct ioas **out)
{
    *out = &spaces[space_count++];
    return 0;
}

void ioas_destroy(struct ioas *ioas)
{
    abort(); /* they stay until the end */
}

void ioas_tables_init(struct ioas_tables *tables, struct ioas *ioas)
{
    tables->ioas = ioas;
}

int ioas_map(struct ioas *ioas, const struct ioas_source *source, uint64_t offset, uint64_t length,
             unsigned flags, uint64_t *iova)
{
    if (host_must_fail())
        return -ENOMEM;
    ioas->areas++;
    *iova = FIRST_IOVA;
    return 0;
}

int ioas_unmap_deaf(struct ioas *ioas, uint64_t iova, uint64_t last)
{
    if (iova != FIRST_IOVA || ioas->areas == 0)
        abort();
    ioas->areas--;
    host_note("unmapped");
    return 0;
}

/* ---- the file tree: nothing goes before the end ---- */

int tree_add_texts(const char *folder, const struct tree_text *texts, size_t count, void *context)
{
    return 0;
}

int tree_add_directory(const char *path)
{
    return 0;
}

void tree_remove(const char *path)
{
    abort();
}

/* ---- what nobody asks for here ---- */

int uio_dma_create(struct uio_device *device, uint64_t length, uint32_t *number)
{
    return -EPERM;
}

void lease_host_build(void)
{
    static const struct ioas_user user;
    struct refusal why;

    host_remapped = true;
    host_machine_build();
    if (uio_add(pci_find(0, RICH), false, NULL, &why) ||
        afu_add(pci_find(0, RICH), AFU_EDU, 0, &user, &why))
        abort();
}
