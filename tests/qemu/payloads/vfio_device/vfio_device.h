/* SPDX-License-Identifier: BSD-2-Clause */
/* What the cases of VFIO device files share: one device, opened anew for each case. */
#ifndef TESTS_VFIO_DEVICE_H
#define TESTS_VFIO_DEVICE_H

#include <linux/vfio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "conform.h"
#include "irq_names.h"
#include "vfio_open.h"

#define PAGE    4096ull
#define COMMAND 4
#define MEMORY  2
#define MASTER  4
#define NO_INTX 0x400 /* command register: the line stays at rest */
#define PM      0x01  /* capabilities */
#define EXPRESS 0x10

extern const char *device_name;
extern int container, group, device, events[4];
extern struct vfio_region_info config, rom, regions[6];
extern uint32_t irq_counts[5];
extern bool can_reset;
extern bool own_file;                 /* not through its group: `container` is an iommufd */
extern int memory_bar;                /* the first BAR that can be mapped; -1: there is none */
extern uint64_t map_offset, map_size; /* its first mappable area */

extern const struct conform_case info_cases[], size_cases[], config_cases[], bar_cases[],
    irq_cases[], file_cases[], own_cases[], hot_reset_cases[], feature_cases[], edu_cases[],
    e1000e_cases[];

void close_all(void);
bool open_device(void);
/* What every case starts from; on failure the case has failed. */
bool start(void);
#define START()                                                                                    \
    do {                                                                                           \
        if (!start())                                                                              \
            return;                                                                                \
    } while (0)

/* For what is about groups and containers. */
#define START_GROUP()                                                                              \
    do {                                                                                           \
        if (own_file || !start())                                                                  \
            return;                                                                                \
    } while (0)

/* The device's own file, unbound. -1, and errno: there is none. */
int open_own(void);
/* As open_device(), bound to an iommufd and attached to an address space of it. */
bool open_through_own_file(void);

/* One capability of GET_REGION_INFO, valid until the next call; NULL: the region lacks it. */
const struct vfio_info_cap_header *region_capability(uint32_t index, uint16_t id);
/* Where the MSI-X vector table is. False: there is none. */
bool find_table(uint32_t *bar, uint64_t *offset);

uint32_t get_config(unsigned offset, unsigned width);
void set_config(unsigned offset, unsigned width, uint32_t value);
/* The offset of a capability; 0: there is none. */
unsigned find_capability(uint8_t id);

/* Registers of BAR 0. */
uint32_t get_register(unsigned offset);
void set_register(unsigned offset, uint32_t value);

/* True if the access faults. */
bool faults(const volatile uint32_t *at);

/* ---- interrupts ---- */

/* struct vfio_irq_set with its data. */
struct irq_call {
    uint32_t argsz, flags, index, start, count;
    int32_t data[8];
};
extern struct irq_call irq;
/* SET_IRQS with what is in irq.data. */
int set_irqs(uint32_t flags, uint32_t index, uint32_t start, uint32_t count);

/* Gives one vector of an index its eventfd; -1: none. */
int bind_event(uint32_t index, uint32_t vector, int event);
/* Switches an index off. */
int irqs_off(uint32_t index);
/* Fills `events`. */
void open_events(void);
/* What an eventfd has counted since it was last asked. */
uint64_t take(int event);

#endif
