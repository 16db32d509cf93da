/* SPDX-License-Identifier: BSD-2-Clause */
/* The vectors of one device, as the files of kernel/irq share them. */
#ifndef KERNEL_IRQ_INTERNAL_H
#define KERNEL_IRQ_INTERNAL_H

#include "kernel/iommu/iommu.h"
#include "kernel/irq/irq.h"
#include "kernel/pci/pci.h"

struct irq_message {
    uint64_t address;
    uint32_t data;
};

struct irq_vector {
    struct irq_set *set;
    unsigned index;
    int cpu_vector; /* 0: not set up; INTx has none of its own */
    unsigned entry; /* its remapping entry */
    bool masked;    /* in the device, where it has mask bits */
    bool held;      /* the same, by kernel/cpu/storm.c */
};

static inline bool irq_is_masked(const struct irq_vector *vector)
{
    return vector->masked || vector->held;
}

/* How one kind of capability is driven. */
struct irq_ops {
    bool messages; /* each vector has a CPU vector and a remapping entry of its own */
    unsigned (*count)(const struct pci_device *device);
    /*
     * Makes the registers reachable, or joins the line. -ENODEV: the device says they are where
     * they cannot be.
     */
    int (*open)(struct irq_set *set);
    /* Writes all messages and masks, and enables the capability: no vector fires before that. */
    void (*program)(const struct irq_set *set);
    /* Disables the capability and undoes `open`. */
    void (*stop)(struct irq_set *set);
    /* Makes the mask bit what the vector says. False if the device has no mask bits. */
    bool (*mask)(const struct irq_set *set, unsigned index);
};

struct irq_set {
    struct pci_device *device;
    enum irq_kind kind;
    const struct irq_ops *ops;
    struct iommu_unit *unit;
    bool remapped;
    unsigned offered; /* vectors the device had when asked; it may say something else later */
    unsigned count;   /* vectors the caller asked for at first */
    unsigned entries; /* remapping entries of those: MSI rounds up */
    irq_handler handler;
    void *context;
    /* Counts the interrupt and runs the handler; given a vector. */
    void (*fire)(void *vector);
    volatile uint8_t *table; /* MSI-X: the vector table, mapped */
    struct intx_line *line;  /* INTx, and the link among those who share it */
    struct list sharing;
    bool masks_itself;           /* INTx: the device can be masked without the line */
    struct irq_vector vectors[]; /* all that are offered */
};

extern const struct irq_ops irq_intx_ops;
extern const struct irq_ops irq_msi_ops;
extern const struct irq_ops irq_msix_ops;

/* The message of a vector: for its remapping entry, or in compatibility format without remapping.
 */
struct irq_message irq_message_for(const struct irq_set *set, unsigned index);

#endif
