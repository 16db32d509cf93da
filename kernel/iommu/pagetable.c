/* SPDX-License-Identifier: BSD-2-Clause */
/* Second-level page tables: creation and reading. What an entry means is in format.h. */
#include "kernel/iommu/pagetable.h"

#include "kernel/iommu/tree.h"
#include "kernel/lib/error.h"

int page_table_init(struct page_table *table, struct table_pool *pool)
{
    table->pool = pool;
    table->root = table_alloc(pool, table->levels);
    table->tables = 0;
    table->idle = NULL;
    for (unsigned level = 1; level <= PT_LEVELS_MAX; level++)
        table->recent[level].place = PT_NOWHERE;
    for (unsigned level = 0; level <= PT_LEAF_MAX; level++) {
        table->leaves[level] = 0;
        table->removed[level] = 0;
    }
    return table->root ? 0 : -ENOMEM;
}

bool page_table_translate(const struct page_table *table, uint64_t iova,
                          struct iommu_translation *out)
{
    const uint64_t *entries = table_entries(table->root);

    if (iova >= BIT(table->address_bits))
        return false;
    for (unsigned level = table->levels;; level--) {
        uint64_t entry = entries[pt_index(iova, level)];

        if (!entry)
            return false;
        if (pt_is_leaf(entry, level)) {
            out->leaf_size = pt_span(level);
            out->physical = pt_address(entry) | (iova & (out->leaf_size - 1));
            out->permissions = pt_permissions(entry);
            return true;
        }
        entries = child_table(entry);
    }
}

/* The first IOVA from `iova` on whose translation is not ruled out by an absent entry. */
static uint64_t skip_absent(const struct page_table *table, uint64_t iova)
{
    const uint64_t *entries = table_entries(table->root);

    for (unsigned level = table->levels;; level--) {
        uint64_t entry = entries[pt_index(iova, level)];

        if (!entry)
            return ALIGN_DOWN(iova, pt_span(level)) + pt_span(level);
        if (pt_is_leaf(entry, level))
            return iova;
        entries = child_table(entry);
    }
}

void page_table_walk(const struct page_table *table, uint64_t iova, uint64_t last,
                     bool (*leaf)(void *context, uint64_t iova,
                                  const struct iommu_translation *translation),
                     void *context)
{
    struct iommu_translation translation;

    last = MIN(last, BIT(table->address_bits) - 1);
    while (iova <= last) {
        if (!page_table_translate(table, iova, &translation)) {
            iova = skip_absent(table, iova);
            continue;
        }
        iova = ALIGN_DOWN(iova, translation.leaf_size);
        translation.physical = ALIGN_DOWN(translation.physical, translation.leaf_size);
        if (!leaf(context, iova, &translation))
            return;
        iova += translation.leaf_size;
    }
}
