/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of kernel/ioas begin with: memory, two spaces, three page tables, three groups. */
#ifndef TESTS_UNIT_IOAS_WORLD_H
#define TESTS_UNIT_IOAS_WORLD_H

#include "kernel/ioas/group.h"
#include "kernel/ioas/ioas.h"
#include "tests/unit/ioas_iommu.h"
#include "tests/unit/ioas_source.h"

#define WORLD_LIMIT (32 * MIB)

extern struct ioas *world_space[2];
extern struct iommu_domain *world_table[3]; /* one per unit, attached to nothing */
extern struct ioas_account world_account;
extern struct mutex world_lock; /* of both spaces; always held */
/*
 * Two functions behind unit 0; one function behind each of the units 1 and 2; one behind unit 0 and
 * one behind no unit.
 */
extern struct pci_group world_pair, world_split, world_lost;

void world_create(void);
/* Detaches, unmaps and destroys all that is left, and checks that nothing stays. */
void world_destroy(void);

/* ioas_map() of source pages with full access; at `iova`, or anywhere for WORLD_ANYWHERE. */
#define WORLD_ANYWHERE UINT64_MAX
int world_map(int space, unsigned page, unsigned count, uint64_t iova);
int world_attach(int space, int table);
/* Does DMA of the group go through these tables' space? */
bool world_attached(const struct ioas_tables *tables, const struct pci_group *group);
/* A picture of both spaces (ioas_snapshot.h). */
char *world_snapshot(void);

#endif
