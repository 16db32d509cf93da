/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/kernel/internal.h"

#include "kernel/cpu/mmio.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/iommu/iommu.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/registers.h"
#include "tests/kernel/edu.h"

/* One transfer takes edu 100 ms. */
#define TRANSFER_TIMEOUT (2 * NS_PER_S)
#define NAP              (2 * NS_PER_MS)
/* edu's default DMA mask has 28 bits. */
#define SOURCE_IOVA UINT64_C(0x5000000)
#define TARGET_IOVA UINT64_C(0x9abc000)
#define BYTES       4000u

struct rig {
    struct pci_device *device;
    volatile uint8_t *registers;
    struct iommu_domain *domain;
    struct irq_set *irq;
    unsigned interrupts;
    paddr_t frames; /* two: source and target */
    uint16_t command;
    size_t attached; /* of its requester ids */
};

static uint8_t *source_of(const struct rig *rig)
{
    return phys_to_virt(rig->frames);
}

static uint8_t *target_of(const struct rig *rig)
{
    return source_of(rig) + PAGE_SIZE;
}

static void on_interrupt(void *context, unsigned index)
{
    struct rig *rig = context;

    rig->interrupts++;
    mmio_write32(rig->registers + EDU_INTERRUPT_ACK, 0x100);
}

/* ---- one transfer ---- */

static int transfer(struct rig *rig, uint64_t from, uint64_t to, unsigned command,
                    struct refusal *why)
{
    uint64_t deadline = time_ns() + TRANSFER_TIMEOUT;

    mmio_write64(rig->registers + EDU_DMA_SOURCE, from);
    mmio_write64(rig->registers + EDU_DMA_TARGET, to);
    mmio_write64(rig->registers + EDU_DMA_COUNT, BYTES);
    mmio_write64(rig->registers + EDU_DMA_COMMAND, command | EDU_DMA_START);
    while (mmio_read64(rig->registers + EDU_DMA_COMMAND) & EDU_DMA_START) {
        if (time_expired(deadline))
            return refuse(why, -EIO, "test iommu: edu did not finish a transfer");
        thread_sleep("test transfer", time_ns() + NAP);
    }
    /* The interrupt is taken while this thread sleeps. */
    thread_sleep("test interrupt", time_ns() + NAP);
    return 0;
}

static int to_device(struct rig *rig, struct refusal *why)
{
    return transfer(rig, SOURCE_IOVA, EDU_BUFFER, EDU_DMA_INTERRUPT, why);
}

static int from_device(struct rig *rig, struct refusal *why)
{
    return transfer(rig, EDU_BUFFER, TARGET_IOVA, EDU_DMA_FROM_DEVICE | EDU_DMA_INTERRUPT, why);
}

/* ---- what is tested ---- */

static int round_trip(struct rig *rig, struct refusal *why)
{
    int error;

    for (unsigned i = 0; i < PAGE_SIZE; i++)
        source_of(rig)[i] = (uint8_t)(i * 7 + i / 251);
    memset(target_of(rig), 0, PAGE_SIZE);
    error = to_device(rig, why);
    if (!error)
        error = from_device(rig, why);
    if (error)
        return error;
    if (memcmp(source_of(rig), target_of(rig), BYTES) != 0 || target_of(rig)[BYTES] != 0)
        return refuse(why, -EIO, "test iommu: what came back is not what was sent");
    if (rig->interrupts != 2)
        return refuse(why, -EIO, "test iommu: %u interrupts instead of 2", rig->interrupts);
    return 0;
}

static int stray_write(struct rig *rig, struct refusal *why)
{
    uint64_t faults = iommu_fault_count();
    struct iommu_gather gather;
    int error;

    iommu_gather_init(&gather, rig->domain);
    iommu_unmap(rig->domain, TARGET_IOVA, PAGE_SIZE, &gather);
    if (iommu_sync(&gather))
        return refuse(why, -EIO, "test iommu: the invalidation failed");
    memset(target_of(rig), 0x5a, PAGE_SIZE);
    error = from_device(rig, why);
    if (error)
        return error;
    for (unsigned i = 0; i < PAGE_SIZE; i++) {
        if (target_of(rig)[i] != 0x5a)
            return refuse(why, -EIO, "test iommu: a write reached memory that was unmapped");
    }
    if (iommu_fault_count() == faults)
        return refuse(why, -EIO, "test iommu: a refused write was not reported");
    return 0;
}

/* ---- setting up and taking down ---- */

static int map_frames(struct rig *rig)
{
    struct phys_run source = {rig->frames, PAGE_SIZE};
    struct phys_run target = {rig->frames + PAGE_SIZE, PAGE_SIZE};
    int error = iommu_map(rig->domain, SOURCE_IOVA, &source, 1, IOMMU_READ, 0);

    if (error)
        return error;
    return iommu_map(rig->domain, TARGET_IOVA, &target, 1, IOMMU_WRITE, 0);
}

static int attach_all(struct rig *rig)
{
    struct requester *const *ids = rig->device->requesters;
    int error = 0;

    while (!error && rig->attached < PCI_IDS_MAX && ids[rig->attached]) {
        error = iommu_attach(rig->domain, ids[rig->attached]);
        rig->attached += !error;
    }
    return error;
}

static int set_up(struct rig *rig)
{
    struct iommu_unit *unit = iommu_unit_of(rig->device->requesters[0]);
    int error = unit ? iommu_domain_create(unit, &rig->domain) : -ENODEV;

    if (error)
        return error;
    rig->frames = frames_alloc(1, FRAMES_ZERO);
    if (rig->frames == PADDR_NONE)
        return -ENOMEM;
    error = map_frames(rig);
    if (!error)
        error = attach_all(rig);
    if (error)
        return error;
    rig->registers = mmio_map(rig->device->bars[0].base, EDU_BAR_SIZE);
    if (!rig->registers)
        return -ENOMEM;
    error = irq_enable(rig->device, IRQ_MSI, 1, on_interrupt, rig, &rig->irq);
    if (error)
        return error;
    irq_mask(rig->irq, 0, false);
    pci_enable_path(rig->device);
    pci_write16(rig->device, PCI_COMMAND, rig->command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return 0;
}

/* Device first, memory last: the order of every teardown. Undoes as much as was set up. */
static int take_down(struct rig *rig)
{
    int error = 0;

    pci_write16(rig->device, PCI_COMMAND, rig->command);
    while (rig->attached) {
        if (iommu_detach(rig->domain, rig->device->requesters[--rig->attached]))
            error = -EIO;
    }
    if (rig->irq)
        irq_disable(rig->irq);
    if (rig->registers)
        mmio_unmap((void *)rig->registers, EDU_BAR_SIZE);
    if (rig->domain)
        iommu_domain_destroy(rig->domain);
    /* After a failed detach the device may still reach them. */
    if (rig->frames != PADDR_NONE && !error)
        frames_release(rig->frames, 2 * PAGE_SIZE);
    return error;
}

int test_iommu(struct refusal *why)
{
    static struct rig rig;
    int error;

    rig = (struct rig){.device = edu_find(), .frames = PADDR_NONE};
    if (!rig.device)
        return refuse(why, -ENODEV, "test iommu: there is no edu device (1234:11e8)");
    rig.command = pci_read16(rig.device, PCI_COMMAND) & (uint16_t)~PCI_COMMAND_MASTER;
    error = set_up(&rig);
    if (error)
        refuse(why, error, "test iommu: setting up failed (%s)", error_name(error));
    else
        error = round_trip(&rig, why);
    if (!error)
        error = stray_write(&rig, why);
    if (take_down(&rig) && !error)
        error = refuse(why, -EIO, "test iommu: the device could not be detached");
    if (!error)
        log_info("test iommu: passed, %u bytes to edu and back, 2 interrupts, 1 write refused",
                 BYTES);
    return error;
}
