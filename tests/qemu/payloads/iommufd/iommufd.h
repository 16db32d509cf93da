/* SPDX-License-Identifier: BSD-2-Clause */
/* What the cases of the iommufd interface share: an iommufd, a device, some memory. */
#ifndef TESTS_IOMMUFD_H
#define TESTS_IOMMUFD_H

#include <fcntl.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "conform.h"
#include "vfio_open.h"

#define PAGE       4096ull
#define MIB        (1024ull * 1024)
#define IOVA       0x100000000ull
#define INTERRUPTS 0xfee00000ull
#define MEMORY     (64 * PAGE)
#define NO_ID      0x7ffffffu
#define READ_WRITE (IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE)
#define FIXED      (IOMMU_IOAS_MAP_FIXED_IOVA | READ_WRITE)
#define CDEV       "/dev/vfio/devices/vfio0"

extern int iommu, device, file, group;
extern uint32_t device_id;
extern const char *device_name;
extern unsigned char *memory; /* MEMORY bytes, readable and writable */

extern const struct conform_case sizes_cases[], objects_cases[], map_cases[], unmap_cases[],
    options_cases[], compat_cases[], devices_cases[], refused_cases[];

void close_all(void);

/* A new IOAS; 0 on failure. */
uint32_t new_ioas(void);
int destroy(uint32_t id);
int map_at(uint32_t ioas, uint32_t flags, uint64_t address, uint64_t length, uint64_t *iova);
int map(uint32_t ioas, uint64_t iova, const void *address, uint64_t length);
int map_file(uint32_t ioas, int fd, uint64_t start, uint64_t length, uint64_t iova);
int copy(uint32_t to, uint64_t to_iova, uint32_t from, uint64_t from_iova, uint64_t length);
/* Bytes removed, or -1. */
long long unmap(uint32_t ioas, uint64_t iova, uint64_t length);
int allow(uint32_t ioas, const struct iommu_iova_range *ranges, uint32_t count);
int list_ranges(uint32_t ioas, struct iommu_iova_range *ranges, uint32_t *count,
                uint64_t *alignment);
int option(uint32_t id, uint16_t op, uint32_t object, uint64_t *value);
int set_option(uint32_t id, uint32_t object, uint64_t value);
int vfio_ioas(uint16_t op, uint32_t *id);
bool bind_device(void);
int attach(uint32_t *id);
int detach(void);

#define NEW_IOAS(name)                                                                             \
    uint32_t name = new_ioas();                                                                    \
    if (!name)                                                                                     \
    return

/* A new IOAS with the device attached: `name` is the IOAS, hwpt_NAME its page table. */
#define NEW_ATTACHED(name)                                                                         \
    NEW_IOAS(name);                                                                                \
    uint32_t hwpt_##name = name;                                                                   \
    CHECK(bind_device());                                                                          \
    CHECK_OK(attach(&hwpt_##name))

#endif
