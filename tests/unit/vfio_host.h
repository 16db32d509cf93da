/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What surrounds VFIO groups and devices in their test: a machine with some devices, and stand-ins
 * for the file tree, containers, interrupts, reserved memory and I/O ports.
 */
#ifndef TESTS_UNIT_VFIO_HOST_H
#define TESTS_UNIT_VFIO_HOST_H

#include "kernel/file/file.h"
#include "kernel/irq/irq.h"
#include "kernel/pci/pci.h"
#include "kernel/device/vfio/container.h"
#include "tests/unit/sim_pci.h"

/*
 * Conventional, one MSI vector, BAR 0 of 1 MiB, expansion ROM of 64 KiB, vital product data; cannot
 * be reset.
 */
#define PLAIN PCI_RID(0, 2, 0)
/*
 * PCI Express with function-level reset and power management; a known interrupt line; 8 MSI-X
 * vectors, their table at 0x2000 of BAR 0 (16 KiB); 4 MSI vectors; BAR 2 of 32 I/O ports at 0xc000;
 * BAR 4 of 256 bytes, and BAR 5 of 256 bytes with a page for itself.
 */
#define RICH PCI_RID(0, 3, 0)
/* A multifunction device: only function 0 is assigned. */
#define PAIR PCI_RID(0, 5, 0)
/* Not assigned. */
#define OTHER PCI_RID(0, 6, 0)
/* Below a root port each: two functions that access control keeps apart, both assigned; */
#define LEFT  PCI_RID(1, 0, 0)
#define RIGHT PCI_RID(1, 0, 1)
/* and two that nothing keeps apart, of which only the first is assigned. */
#define JOINT PCI_RID(2, 0, 0)
/*
 * Below another one: a function with function-level reset and BAR 0 of 16 KiB, and its two virtual
 * functions, with 4 MSI-X vectors and BAR 0 of 16 KiB each. Access control keeps them apart.
 */
#define PHYSICAL   PCI_RID(3, 0, 0)
#define VIRTUAL(n) ((pci_rid_t)(PHYSICAL + 1 + (n)))

extern struct sim_function *plain, *rich, *pair, *other, *left_below, *right_below, *joint, *silent;
extern struct sim_function *physical, *virtuals[2];

/* Builds the machine, groups it and registers the groups. Once per test program. */
void host_machine_build(void);
/* Opens /dev/vfio/N of the group of a function. */
int host_open_group(pci_rid_t rid, struct file **out);
/* Opens /dev/vfio/devices/vfioN of a function, found as programs find it. */
int host_open_device(pci_rid_t rid, struct file **out);

/* Opens a device file by its path, for reading and writing. */
int host_open_path(const char *path, struct file **out);

/*
 * What happened to the rich device, in order: "bus mastering off", "reset", "no vectors" and so on.
 * What does not fit is lost; tests start it afresh.
 */
#define HOST_TAPE_MAX 32
extern const char *host_tape[HOST_TAPE_MAX];
extern size_t host_tape_length;
void host_note(const char *event);

/* Page tables of families that attach by themselves: what the next attach answers. */
extern int host_tables_error;
extern unsigned host_groups_in_tables;

/* Containers: what the next call answers, and what was called. */
extern int host_add_group_error;
extern bool host_container_ready;
extern unsigned host_groups_in_container;
/* Called when a group leaves: the moment from which its memory may be unmapped. */
extern void (*host_on_leave)(struct pci_group *group);
struct file *host_container_create(void);

/* Iommufds: what bind and attach answer, and what is bound and attached. */
struct iommufd_device {
    struct file *file;
    struct pci_device *pci;
    uint32_t attached; /* id; 0: not */
};
extern int host_bind_error, host_attach_error;
extern struct iommufd_device *host_bound; /* the last one, or NULL */
extern bool host_compat;                  /* an address space for container calls exists */
struct file *host_iommufd_create(void);

/* Interrupts. */
struct irq_set {
    struct pci_device *device;
    enum irq_kind kind;
    unsigned count;
    irq_handler handler;
    void *context;
    bool masked[64];
    bool up[64];       /* the vector has been set up, at first or by irq_add() */
    unsigned restored; /* how often irq_restore() was called */
};
extern struct irq_set *host_irqs; /* the vectors in use, or NULL */
extern bool host_remapped;        /* what irq_remapped() answers */
extern int host_irq_error;        /* what irq_enable() answers */
extern int host_add_error;        /* what irq_add() answers for a vector that is not set up */
extern unsigned host_irq_enables;

/* The function with reserved memory; 0xffff: none. */
extern pci_rid_t host_reserved;
extern bool host_relaxable; /* only while the firmware uses it */
/* The rich device's id is refused: whoever starts it has to take that back. */
extern bool host_cut;

/* Port accesses: the last one, and what reads give. */
struct host_port {
    uint16_t port;
    unsigned width;
    bool write;
    uint32_t value;
};
extern struct host_port host_port;

#endif
