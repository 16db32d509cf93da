/* SPDX-License-Identifier: BSD-2-Clause */
/* What the cases of the type1 interface share: a container, a group, a device, some memory. */
#ifndef TESTS_TYPE1_H
#define TESTS_TYPE1_H

#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>

#include "conform.h"
#include "vfio_open.h"

#define PAGE       4096ull
#define MIB        (1024ull * 1024)
#define IOVA       0x100000000ull
#define INTERRUPTS 0xfee00000ull
#define QUOTA      65535u
#define CANARY     0x5a
#define MEMORY     (64 * PAGE)

extern const char *device_name;
extern char group_path[VFIO_PATH_SIZE];
extern int container, group, device, other;
extern unsigned char *memory; /* MEMORY bytes, readable and writable */

extern const struct conform_case container_cases[], group_cases[], info_cases[], map_cases[],
    unmap_cases[], dirty_cases[], bar_cases[];

/* What every case starts from; on failure the case has failed. */
void close_all(void);
bool open_group(void);
bool join(void);
bool start(int type);

#define START(type)                                                                                \
    do {                                                                                           \
        if (!start(type))                                                                          \
            return;                                                                                \
    } while (0)
#define START_V2() START(VFIO_TYPE1v2_IOMMU)

/* May the program lock memory without a limit? Root of Linux may. */
bool is_unlimited(void);

int map_flags(uint64_t iova, const void *address, uint64_t size, uint32_t flags);
int map(uint64_t iova, const void *address, uint64_t size);
/* Bytes removed, or -1. */
long long unmap_flags(uint64_t iova, uint64_t size, uint32_t flags);
long long unmap(uint64_t iova, uint64_t size);

/* GET_INFO with everything it has to say; the caller frees. NULL on failure. */
struct vfio_iommu_type1_info *get_info(void);
/* One of its capabilities, or NULL. */
const struct vfio_info_cap_header *capability(const struct vfio_iommu_type1_info *info,
                                              uint16_t id);
uint32_t mappings_left(void);
/* The highest IOVA the device can use. */
uint64_t last_iova(void);

#endif
