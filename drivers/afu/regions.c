/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/afu/regions.h"

#include "kernel/cpu/thread.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"

#define REMOVE_WORK 3000 /* of a short region, with its invalidation: breathe_deaf_after() */

void afu_regions_init(struct afu_regions *regions, struct ioas *ioas, const struct ioas_user *user)
{
    itree_init(&regions->tree);
    regions->ioas = ioas;
    regions->user = user;
}

static struct afu_region *region_of(struct itree_node *node)
{
    return container_of(node, struct afu_region, range);
}

int afu_dma_map(struct afu_regions *regions, uint64_t user_address, uint64_t length, uint64_t *iova)
{
    struct afu_region *region;
    uint64_t chosen = 0;
    int error;

    if (length == 0 || !IS_ALIGNED(user_address | length, PAGE_SIZE) ||
        !user_range_ok(user_address, length))
        return -EINVAL;
    region = kzalloc(sizeof(*region));
    if (!region)
        return -ENOMEM;
    error = ioas_map(regions->ioas, &regions->user->memory, user_address, length,
                     IOAS_READ | IOAS_WRITE | IOAS_RAM_ONLY, &chosen);
    if (error)
        goto free_region;
    region->range.first = chosen;
    region->range.last = chosen + (length - 1);
    if (!itree_insert(&regions->tree, &region->range)) {
        error = -EEXIST;
        goto unmap_region;
    }
    *iova = chosen;
    return 0;

unmap_region:
    (void)ioas_unmap_deaf(regions->ioas, chosen, chosen + (length - 1));
free_region:
    kfree(region);
    return error;
}

static int remove_region(struct afu_regions *regions, struct afu_region *region)
{
    uint64_t first = region->range.first, last = region->range.last;

    itree_remove(&regions->tree, &region->range);
    kfree(region);
    return ioas_unmap_deaf(regions->ioas, first, last);
}

int afu_dma_unmap(struct afu_regions *regions, uint64_t iova)
{
    struct itree_node *node = itree_find(&regions->tree, iova, iova);

    if (!node || node->first != iova)
        return -EINVAL;
    return remove_region(regions, region_of(node));
}

void afu_dma_remove_all(struct afu_regions *regions)
{
    struct itree_node *node;

    /* Always from the first one: a removed node has no neighbours to ask. */
    while ((node = itree_first(&regions->tree)) != NULL) {
        (void)remove_region(regions, region_of(node));
        breathe_deaf_after(REMOVE_WORK, "removing regions");
    }
}
