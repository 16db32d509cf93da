/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/iommufd_world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kernel/file/fdtable.h"
#include "kernel/file/ramfile.h"
#include "kernel/file/tree.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_user.h"
#include "tests/unit/ioas_snapshot.h"

#define SPACES_MAX 8

struct file *iommufd_file;
struct iommufd *iommufd_ctx;
static struct ioas_user user;

int tree_add_device(const char *path, unsigned major, unsigned minor, tree_open open, void *context)
{
    ASSERT(strcmp(path, "/dev/iommu") == 0);
    return host_must_fail() ? -ENOMEM : 0;
}

static void install(struct file *file, int descriptor)
{
    ASSERT(file && fd_install(file, false) == descriptor);
}

/* All of its memory is there, so that looking it up allocates nothing. */
static struct file *ram_file(void)
{
    static const uint8_t zeros[RAM_FILE_SIZE];
    struct ramfile *ram = ramfile_create(SEAL_SEAL, false);
    struct file *file = ramfile_open(ram, FILE_RDWR, "memfd");

    ASSERT(ramfile_append(ram, zeros, sizeof(zeros)) == 0);
    ramfile_put(ram);
    return file;
}

int iommufd_setup(void **state)
{
    world_create();
    host_bad_user = host_const_user = (struct phys_run){0};
    user = (struct ioas_user){source_get(), &world_account};
    ASSERT(iommufd_add_file(&user) == 0);
    ASSERT(iommufd_open(NULL, FILE_RDWR, &iommufd_file) == 0);
    iommufd_ctx = iommufd_file->context;
    fd_table_init();
    install(file_get(iommufd_file), IOMMUFD_FD);
    install(ram_file(), RAM_FD);
    return 0;
}

static struct iommufd_device *any_device(void)
{
    struct itree_node *node = itree_first(&iommufd_ctx->objects);

    while (node && !find_device(iommufd_ctx, (uint32_t)node->first))
        node = itree_next(node);
    return node ? find_device(iommufd_ctx, (uint32_t)node->first) : NULL;
}

int iommufd_teardown(void **state)
{
    host_fail_nth(0);
    while (any_device())
        iommufd_unbind(any_device());
    fd_close_all();
    ASSERT(iommufd_file->references == 1);
    file_put(iommufd_file);
    world_destroy();
    return 0;
}

int64_t iommufd_call(uint32_t command, const void *argument)
{
    return iommufd_file->ops->ioctl(iommufd_file, command, user_address(argument));
}

uint32_t iommufd_space(void)
{
    struct iommu_ioas_alloc alloc = SIZED(iommu_ioas_alloc, .flags = 0);

    ASSERT(iommufd_call(IOMMU_IOAS_ALLOC, &alloc) == 0);
    return alloc.out_ioas_id;
}

int64_t iommufd_map_at(uint32_t space, uint64_t iova, unsigned page, unsigned count)
{
    struct iommu_ioas_map map =
        SIZED(iommu_ioas_map, .flags = 7, .ioas_id = space, .user_va = source_address(page),
              .length = count * PAGE_SIZE, .iova = iova);

    return iommufd_call(IOMMU_IOAS_MAP, &map);
}

int64_t iommufd_unmap_at(uint32_t space, uint64_t iova, uint64_t length)
{
    struct iommu_ioas_unmap unmap =
        SIZED(iommu_ioas_unmap, .ioas_id = space, .iova = iova, .length = length);

    return iommufd_call(IOMMU_IOAS_UNMAP, &unmap);
}

int64_t iommufd_table(uint32_t device, uint32_t space, uint32_t *id)
{
    struct iommu_hwpt_alloc alloc = SIZED(iommu_hwpt_alloc, .dev_id = device, .pt_id = space);
    int64_t error = iommufd_call(IOMMU_HWPT_ALLOC, &alloc);

    *id = alloc.out_hwpt_id;
    return error;
}

uint32_t iommufd_attached(struct iommufd_device *device, uint32_t id)
{
    ASSERT(iommufd_attach(device, &id) == 0);
    return id;
}

struct iommufd_device *iommufd_bound(struct pci_device *pci)
{
    struct iommufd_device *device;

    ASSERT(iommufd_bind(iommufd_file, pci, &device) == 0);
    return device;
}

char *iommufd_snapshot(void)
{
    struct ioas *spaces[SPACES_MAX];
    struct itree_node *node;
    char *objects, *text;
    size_t count = 0, size;
    FILE *out = open_memstream(&objects, &size);

    for (node = itree_first(&iommufd_ctx->objects); node; node = itree_next(node)) {
        struct object *object = object_find(iommufd_ctx, (uint32_t)node->first);
        struct iommufd_ioas *ioas = find_ioas(iommufd_ctx, (uint32_t)node->first);

        fprintf(out, "type %d, %u users\n", object->type, object->users);
        if (ioas && count < SPACES_MAX)
            spaces[count++] = ioas->ioas;
    }
    text = snapshot_take(spaces, count);
    fprintf(out, "compat %p\n%s", (void *)iommufd_ctx->compat, text);
    fclose(out);
    free(text);
    return objects;
}
