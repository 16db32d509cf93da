/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of kernel/device/iommufd begin with: the world of ioas_world.h, an open iommufd
 * that is descriptor 0 as well, and a file in RAM as descriptor 1. Ids are given from 1 on.
 */
#ifndef TESTS_UNIT_IOMMUFD_WORLD_H
#define TESTS_UNIT_IOMMUFD_WORLD_H

#include "kernel/device/iommufd/internal.h"
#include "tests/unit/ioas_world.h"

#define IOMMUFD_FD    0
#define RAM_FD        1
#define RAM_FILE_SIZE (64 * PAGE_SIZE)
/* What was passed is as long as its type says. */
#define SIZED(type, ...) ((struct type){.size = sizeof(struct type), __VA_ARGS__})

extern struct file *iommufd_file;
extern struct iommufd *iommufd_ctx;

int iommufd_setup(void **state);
/* Unbinds all devices, closes all files, and checks that nothing stays. */
int iommufd_teardown(void **state);

int64_t iommufd_call(uint32_t command, const void *argument);
/* A new IOAS, and pages of the source in it at `iova`. */
uint32_t iommufd_space(void);
int64_t iommufd_map_at(uint32_t space, uint64_t iova, unsigned page, unsigned count);
int64_t iommufd_unmap_at(uint32_t space, uint64_t iova, uint64_t length);
/* A page table of its own for a device. */
int64_t iommufd_table(uint32_t device, uint32_t space, uint32_t *id);
/* Must succeed. The id of the page table. */
uint32_t iommufd_attached(struct iommufd_device *device, uint32_t id);
struct iommufd_device *iommufd_bound(struct pci_device *pci);
/* A picture (ioas_snapshot.h) of all spaces of the file, and of its objects. */
char *iommufd_snapshot(void);

#endif
