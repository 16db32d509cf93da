/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The software card cannot reach memory by itself: a private feature of its port asks us to copy
 * between a DMA region and a window in its BAR. Each request is one interrupt. Addresses go through
 * the same region tree and the same page tables that a card's own DMA would.
 */
#include "drivers/afu/internal.h"
#include "kernel/cpu/mmio.h"
#include "kernel/iommu/iommu.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/paging.h"

#define BOUNCE_ID        0x3f
#define BOUNCE_GUID_LOW  UINT64_C(0xb0b0b0b0b0c0ffee)
#define BOUNCE_GUID_HIGH UINT64_C(0x62756c6b68656164)

#define BOUNCE_REQUEST  0x00 /* sequence 31:0, operation 39:32 */
#define BOUNCE_IOVA     0x08
#define BOUNCE_LENGTH   0x10
#define BOUNCE_COMPLETE 0x18 /* sequence 31:0, error number 63:32 */
#define BOUNCE_WINDOW   0x1000
#define BOUNCE_MAX      0x1000 /* bytes of the window */
#define BOUNCE_SIZE     (BOUNCE_WINDOW + BOUNCE_MAX)

enum bounce_operation {
    BOUNCE_ACQUIRE = 1,
    BOUNCE_READ = 2,  /* memory to window */
    BOUNCE_WRITE = 3, /* window to memory */
    BOUNCE_RELEASE = 4,
};

struct afu_bounce {
    unsigned vector;
    volatile void *registers;
};

/* A request, read once. */
struct request {
    uint32_t sequence;
    unsigned operation;
    uint64_t iova;
    uint64_t length;
};

int afu_bounce_create(struct afu_port *port)
{
    const struct dfl_feature *f = dfl_find(port->unit, BOUNCE_ID);

    if (!f || f->guid_low != BOUNCE_GUID_LOW || f->guid_high != BOUNCE_GUID_HIGH ||
        f->size < BOUNCE_SIZE || f->irq_count == 0 || !IS_ALIGNED(f->offset, 8))
        return 0;
    struct afu_bounce *bounce = kzalloc(sizeof(*bounce));
    if (!bounce)
        return -ENOMEM;
    bounce->vector = f->irq_first;
    bounce->registers = mmio_map(port->device->pci->bars[f->bar].base + f->offset, BOUNCE_SIZE);
    if (!bounce->registers) {
        kfree(bounce);
        return -ENOMEM;
    }
    port->bounce = bounce;
    return 0;
}

void afu_bounce_destroy(struct afu_port *port)
{
    if (!port->bounce)
        return;
    mmio_unmap((void *)port->bounce->registers, BOUNCE_SIZE);
    kfree(port->bounce);
    port->bounce = NULL;
}

void afu_bounce_listen(const struct afu_port *port)
{
    if (port->bounce)
        irq_mask(port->device->lease.irqs, port->bounce->vector, false);
}

static volatile void *at(const struct afu_bounce *bounce, unsigned offset)
{
    return (volatile char *)bounce->registers + offset;
}

/* The window has no alignment of its own: whole words first, then what is left of the last one. */
static void copy_piece(const struct afu_bounce *bounce, bool to_memory, uint8_t *memory,
                       uint64_t offset, uint64_t length)
{
    for (uint64_t i = 0; i < length; i++) {
        volatile void *byte = at(bounce, (unsigned)(BOUNCE_WINDOW + offset + i));

        if (to_memory)
            memory[i] = mmio_read8(byte);
        else
            mmio_write8(byte, memory[i]);
    }
}

/* Copies leaf by leaf, refusing what a device would be refused. */
static int copy(const struct afu_port *port, const struct request *r, bool to_memory)
{
    struct iommu_domain *domain = ioas_tables_domain(&port->device->tables);
    unsigned need = to_memory ? IOMMU_WRITE : IOMMU_READ;
    uint64_t done = 0;

    if (!domain)
        return -EIO;
    while (done < r->length) {
        struct iommu_translation t;

        if (!iommu_translate(domain, r->iova + done, &t) || !(t.permissions & need))
            return -EFAULT;
        uint64_t left = t.leaf_size - (r->iova + done) % t.leaf_size;
        uint64_t piece = MIN(left, r->length - done);
        copy_piece(port->bounce, to_memory, phys_to_virt(t.physical), done, piece);
        done += piece;
    }
    return 0;
}

static int serve(struct afu_port *port, const struct request *r)
{
    struct afu_region *region;

    if (r->length == 0)
        return -EINVAL;
    region = afu_dma_find(&port->regions, r->iova, r->length);
    if (!region)
        return -EFAULT;
    switch (r->operation) {
    case BOUNCE_ACQUIRE:
        region->users++;
        return 0;
    case BOUNCE_RELEASE:
        if (region->users == 0)
            return -EINVAL;
        region->users--;
        return 0;
    case BOUNCE_READ:
    case BOUNCE_WRITE:
        if (region->users == 0 || r->length > BOUNCE_MAX)
            return -EINVAL;
        return copy(port, r, r->operation == BOUNCE_WRITE);
    default:
        return -EINVAL;
    }
}

bool afu_bounce_interrupt(struct afu_port *port, unsigned vector)
{
    struct afu_bounce *bounce = port->bounce;

    if (!bounce || bounce->vector != vector)
        return false;
    uint64_t raw = mmio_read64(at(bounce, BOUNCE_REQUEST));
    struct request r = {
        .sequence = (uint32_t)raw,
        .operation = (unsigned)bits_get(raw, 39, 32),
        .iova = mmio_read64(at(bounce, BOUNCE_IOVA)),
        .length = mmio_read64(at(bounce, BOUNCE_LENGTH)),
    };
    /* An answered request again: two interrupts of the card became one, or one came twice. */
    if ((uint32_t)mmio_read64(at(bounce, BOUNCE_COMPLETE)) == r.sequence)
        return true;
    int error = port->ops->held(port) ? -EIO : serve(port, &r);
    mmio_write64(at(bounce, BOUNCE_COMPLETE), (uint64_t)(uint32_t)-error << 32 | r.sequence);
    return true;
}
