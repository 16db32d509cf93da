/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maps and unmaps N times over, through the FPGA port, through a container and through /dev/iommu
 * with all that can be done to its objects. Then the memory is given back, and all must be what it
 * was: memory to the frame (one that is still pinned would be missing), the kernel's objects to the
 * byte, and the pages of the IOMMU's tables. usage: rounds port|type1|iommufd N 0000:bb:dd.f
 */
#define _GNU_SOURCE
#include "edu.h"
#include "measure.h"
#include <linux/fpga-dfl.h>

#define WARM_UP 130
#define MEMORY  (2 * BLOCK)
#define BASE    0x200000000ull
#define REOPEN  64
#define LAST    1 /* the round that is always the last, as it decides which idle table is kept */

static int port = -1, shared = -1;
static const char *interface, *name;
static char *memory;
static uint32_t spaces[2];

/* ---- memory ---- */

static void get_memory(void)
{
    memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(memory != MAP_FAILED, "memory");
    memset(memory, 1, MEMORY);
    shared = memfd_create("rounds", 0);
    must(shared >= 0 && !ftruncate(shared, MEMORY), "memfd");
}

static void give_memory(void)
{
    munmap(memory, MEMORY);
    close(shared);
}

/* ---- one round ---- */

static void open_all(void)
{
    edu_open(interface, name);
    spaces[0] = space_create();
    spaces[1] = space_create();
    must(!dma_attach(spaces[0]), "attach");
}

/* Most rounds a few pages somewhere, some a large leaf. */
static uint64_t size_of(unsigned i)
{
    return i % 5 == 0 ? BLOCK : (1 + i % 32) * PAGE;
}

static uint64_t iova_of(unsigned i)
{
    return BASE + (uint64_t)(i * 7919u % 65536) * BLOCK;
}

static void port_round(unsigned i)
{
    struct dfl_fpga_port_dma_map m = {.argsz = sizeof(m),
                                      .user_addr = (uintptr_t)memory + i % 8 * PAGE,
                                      .length = (1 + i % 32) * PAGE};
    struct dfl_fpga_port_dma_unmap u = {.argsz = sizeof(u)};

    must(!ioctl(port, DFL_FPGA_PORT_DMA_MAP, &m), "port map");
    u.iova = m.iova;
    must(!ioctl(port, DFL_FPGA_PORT_DMA_UNMAP, &u), "port unmap");
}

static void type1_round(unsigned i)
{
    struct vfio_iommu_type1_dma_unmap all = {.argsz = sizeof(all),
                                             .flags = VFIO_DMA_UNMAP_FLAG_ALL};
    uint64_t iova = iova_of(i), size = size_of(i);

    must(!dma_map(0, iova, memory + i % 8 * PAGE, size, READ), "map");
    must(!dma_map(0, iova + 2 * BLOCK, memory, size, READ | WRITE), "map again");
    must(dma_map(0, iova, memory, size, READ), "an overlap was mapped");
    must(dma_map(0, iova + 4 * BLOCK, memory + MEMORY - PAGE, BLOCK, READ), "a hole was mapped");
    if (i % 3)
        must(!dma_unmap(0, iova, size), "unmap");
    must(!ioctl(iommu, VFIO_IOMMU_UNMAP_DMA, &all), "unmap all");
}

/* The second space gets memory in three more ways. */
static void fill_second_space(unsigned i, uint64_t iova, uint64_t size)
{
    struct iommu_ioas_copy copy = {.size = sizeof(copy),
                                   .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE,
                                   .dst_ioas_id = spaces[1],
                                   .src_ioas_id = spaces[0],
                                   .length = size,
                                   .dst_iova = iova + BLOCK,
                                   .src_iova = iova};
    struct iommu_ioas_map_file file = {.size = sizeof(file),
                                       .flags = IOMMU_IOAS_MAP_READABLE,
                                       .ioas_id = spaces[1],
                                       .fd = shared,
                                       .start = i % 16 * PAGE,
                                       .length = size};
    struct iommu_ioas_map anywhere = {.size = sizeof(anywhere),
                                      .flags = IOMMU_IOAS_MAP_WRITEABLE,
                                      .ioas_id = spaces[1],
                                      .user_va = (uintptr_t)memory,
                                      .length = size};

    must(!ioctl(iommu, IOMMU_IOAS_COPY, &copy), "copy");
    must(ioctl(iommu, IOMMU_IOAS_COPY, &copy), "copied twice to one place");
    must(!ioctl(iommu, IOMMU_IOAS_MAP_FILE, &file), "map file");
    must(!ioctl(iommu, IOMMU_IOAS_MAP, &anywhere), "map anywhere");
}

static void destroy(uint32_t id)
{
    struct iommu_destroy d = {.size = sizeof(d), .id = id};

    must(!ioctl(iommu, IOMMU_DESTROY, &d), "destroy");
}

/* A page table of its own for a while. */
static void own_table(void)
{
    struct iommu_hwpt_alloc table = {
        .size = sizeof(table), .dev_id = device_id, .pt_id = spaces[0]};

    must(!ioctl(iommu, IOMMU_HWPT_ALLOC, &table), "HWPT_ALLOC");
    must(!dma_attach(table.out_hwpt_id), "attach a page table");
    must(!dma_attach(spaces[1]), "replace it");
    destroy(table.out_hwpt_id);
}

static void detach_and_attach(void)
{
    struct vfio_device_detach_iommufd_pt detach = {.argsz = sizeof(detach)};

    must(!ioctl(device, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach), "detach");
    must(!dma_attach(spaces[1]), "attach");
}

static void iommufd_round(unsigned i)
{
    uint64_t iova = iova_of(i), size = size_of(i);
    uint32_t third;

    must(!dma_map(spaces[0], iova, memory + i % 8 * PAGE, size, READ | WRITE), "map");
    fill_second_space(i, iova, size);
    if (i % 4 == 0)
        own_table();
    must(!dma_attach(spaces[1]), "replace");
    if (i % 8 == 0)
        detach_and_attach();
    if (i % 3)
        must(!dma_unmap(spaces[0], iova, size), "unmap");
    must(!dma_attach(spaces[0]), "replace again");
    must(!dma_unmap(spaces[1], 0, UINT64_MAX), "unmap all");
    if (i % 3 == 0)
        must(!dma_unmap(spaces[0], 0, UINT64_MAX), "unmap all");
    if (i % 16 == 0) {
        third = space_create();
        must(!dma_map(third, iova, memory, size, READ), "map");
        destroy(third);
    }
}

static void run(unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) {
        if (port >= 0) {
            port_round(i);
            continue;
        }
        if (i % REOPEN == REOPEN - 1) {
            edu_close();
            open_all();
        }
        if (type1)
            type1_round(i);
        else
            iommufd_round(i);
    }
}

int main(int argc, char **argv)
{
    struct machine_state before, after;
    unsigned rounds;

    if (argc < 4)
        return 2;
    interface = argv[1];
    rounds = (unsigned)atol(argv[2]);
    name = argv[3];
    if (strcmp(interface, "port") == 0)
        must((port = open("/dev/dfl-port.0", O_RDWR)) >= 0, "port");
    else
        open_all();
    for (unsigned i = 0; i < 2; i++) { /* the first time something stays behind for later */
        get_memory();
        run(0, WARM_UP);
        run(LAST, LAST + 1);
        give_memory();
        before = measure();
    }
    get_memory();
    run(WARM_UP, WARM_UP + rounds);
    run(LAST, LAST + 1);
    give_memory();
    after = measure();
    printf("rounds: %u rounds; before and after: %lu and %lu frames, %lu and %lu bytes of objects, "
           "%lu and %lu table pages\n",
           rounds, before.frames, after.frames, before.objects, after.objects, before.tables,
           after.tables);
    return memcmp(&before, &after, sizeof(before)) == 0 ? 0 : 1;
}
