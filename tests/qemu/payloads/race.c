/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several threads do at random, to the same few objects, what can be done to memory, to mappings
 * for a device and to the device: each call finds what others are in the middle of. Descriptors
 * have fixed numbers that are closed and opened again meanwhile. A thread keeps memory of its own,
 * which nobody else may change: the device may write to what is mapped for it only.
 *
 * usage: race type1|iommufd 0000:bb:dd.f SEED CALLS stay|leave
 * stay: waits for all threads, then closes everything. leave: ends while they are at work.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/eventfd.h>

#include "edu.h"

#define WORKERS        4
#define SLOT           (4 * BLOCK)
#define SLOTS          6ull
#define ARENA          (SLOTS * SLOT)
#define IDS            24u   /* iommufd's numbers start at 1 */
#define TRANSFER       4000u /* bytes; QEMU finds all of edu's buffer too much */
#define OWN            16u   /* pages of a thread's own */
#define POPULATE_WRITE 23    /* madvise, since Linux 5.14 */
#define CONFIG         ((off_t)VFIO_PCI_CONFIG_REGION_INDEX << 40)

/* The descriptors. */
enum { IOMMU = 100, GROUP, DEVICE, MEMORY, EVENT, BEHIND };

struct worker {
    pthread_t thread;
    uint64_t random;
    uint64_t *own;
    unsigned long left;
};

static struct worker workers[WORKERS];
static char *arena;
static const char *bdf;

static uint64_t below(struct worker *w, uint64_t bound)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random % bound;
}

/* A place in the arena, often the same. */
static char *place(struct worker *w)
{
    return arena + below(w, SLOTS) * SLOT + (below(w, 3) ? 0 : below(w, 8) * PAGE);
}

/* Never beyond the slot behind the last. */
static uint64_t length(struct worker *w)
{
    return below(w, 3) ? (1 + below(w, 40)) * PAGE : (1 + below(w, 2)) * BLOCK;
}

static uint64_t iova(struct worker *w)
{
    return BLOCK * (512 + 4 * below(w, SLOTS)) + (below(w, 3) ? 0 : below(w, 8) * PAGE);
}

static uint32_t id(struct worker *w)
{
    return 1 + (uint32_t)below(w, IDS);
}

/* Puts a new file at its fixed number. */
static void install(int file, int number)
{
    if (file < 0)
        return;
    dup2(file, number);
    close(file);
}

/* ---- memory ---- */

static void memory_map(struct worker *w)
{
    const bool shared = below(w, 2), file = below(w, 2);

    mmap(place(w), length(w), PROT_READ | PROT_WRITE,
         (shared ? MAP_SHARED : MAP_PRIVATE) | MAP_FIXED | (file ? 0 : MAP_ANONYMOUS) |
             (below(w, 2) ? MAP_POPULATE : 0),
         file ? MEMORY : -1, 0);
}

static void memory_change(struct worker *w)
{
    static const int advice[] = {MADV_DONTNEED, MADV_REMOVE, POPULATE_WRITE, MADV_FREE};
    char *at = place(w);

    switch (below(w, 5)) {
    case 0:
        mprotect(at, length(w), PROT_READ | (below(w, 2) ? PROT_WRITE : 0));
        break;
    case 1:
        mremap(at, length(w), length(w), MREMAP_MAYMOVE | MREMAP_FIXED, place(w));
        break;
    case 2:
        below(w, 2) ? mlock(at, length(w)) : munlock(at, length(w));
        break;
    case 3:
        munmap(at, length(w));
        break;
    default:
        madvise(at, length(w), advice[below(w, 4)]);
    }
}

static void memory_resize(struct worker *w)
{
    if (below(w, 2))
        ftruncate(MEMORY, (off_t)(below(w, 5) * BLOCK / 2));
    else
        fallocate(MEMORY, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)(below(w, 64) * PAGE),
                  (off_t)length(w));
}

/* Through calls, which survive what is not there. */
static void memory_use(struct worker *w)
{
    if (below(w, 2))
        pread(MEMORY, place(w), length(w), (off_t)(below(w, 64) * PAGE));
    else
        pwrite(MEMORY, place(w), length(w), (off_t)(below(w, 64) * PAGE));
}

/* ---- mappings for the device ---- */

static void one_map(struct worker *w)
{
    struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
                                           .flags = READ | WRITE,
                                           .vaddr = (uintptr_t)place(w),
                                           .iova = iova(w),
                                           .size = length(w)};

    ioctl(IOMMU, VFIO_IOMMU_MAP_DMA, &map);
}

static void one_unmap(struct worker *w)
{
    struct vfio_iommu_type1_dma_unmap unmap = {
        .argsz = sizeof(unmap), .iova = iova(w), .size = length(w)};

    if (below(w, 8) == 0) {
        unmap.flags = VFIO_DMA_UNMAP_FLAG_ALL;
        unmap.iova = unmap.size = 0;
    }
    ioctl(IOMMU, VFIO_IOMMU_UNMAP_DMA, &unmap);
}

static void two_alloc(struct worker *w)
{
    struct iommu_ioas_alloc space = {.size = sizeof(space)};
    struct iommu_hwpt_alloc table = {.size = sizeof(table), .dev_id = id(w), .pt_id = id(w)};
    struct iommu_vfio_ioas chosen = {
        .size = sizeof(chosen), .ioas_id = id(w), .op = IOMMU_VFIO_IOAS_SET};

    switch (below(w, 3)) {
    case 0:
        ioctl(IOMMU, IOMMU_IOAS_ALLOC, &space);
        break;
    case 1:
        table.flags = below(w, 2) ? IOMMU_HWPT_ALLOC_NEST_PARENT : 0;
        ioctl(IOMMU, IOMMU_HWPT_ALLOC, &table);
        break;
    default:
        ioctl(IOMMU, IOMMU_VFIO_IOAS, &chosen);
    }
}

static void two_destroy(struct worker *w)
{
    struct iommu_destroy destroy = {.size = sizeof(destroy), .id = id(w)};

    ioctl(IOMMU, IOMMU_DESTROY, &destroy);
}

static void two_map(struct worker *w)
{
    const uint32_t flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_WRITEABLE |
                           (below(w, 3) ? IOMMU_IOAS_MAP_FIXED_IOVA : 0);
    struct iommu_ioas_map map = {.size = sizeof(map),
                                 .flags = flags,
                                 .ioas_id = id(w),
                                 .user_va = (uintptr_t)place(w),
                                 .length = length(w),
                                 .iova = iova(w)};
    struct iommu_ioas_map_file file = {.size = sizeof(file),
                                       .flags = flags,
                                       .ioas_id = id(w),
                                       .fd = MEMORY,
                                       .start = below(w, 64) * PAGE,
                                       .length = length(w),
                                       .iova = iova(w)};

    below(w, 3) ? ioctl(IOMMU, IOMMU_IOAS_MAP, &map) : ioctl(IOMMU, IOMMU_IOAS_MAP_FILE, &file);
}

static void two_copy(struct worker *w)
{
    struct iommu_ioas_copy copy = {.size = sizeof(copy),
                                   .flags = IOMMU_IOAS_MAP_READABLE | IOMMU_IOAS_MAP_FIXED_IOVA,
                                   .dst_ioas_id = id(w),
                                   .src_ioas_id = id(w),
                                   .length = length(w),
                                   .dst_iova = iova(w),
                                   .src_iova = iova(w)};

    ioctl(IOMMU, IOMMU_IOAS_COPY, &copy);
}

static void two_unmap(struct worker *w)
{
    const bool all = below(w, 8) == 0;
    struct iommu_ioas_unmap unmap = {.size = sizeof(unmap),
                                     .ioas_id = id(w),
                                     .iova = all ? 0 : iova(w),
                                     .length = all ? UINT64_MAX : length(w)};

    ioctl(IOMMU, IOMMU_IOAS_UNMAP, &unmap);
}

static void two_allow(struct worker *w)
{
    struct iommu_iova_range ranges[8];
    struct iommu_ioas_allow_iovas allow = {.size = sizeof(allow),
                                           .ioas_id = id(w),
                                           .num_iovas = (uint32_t)below(w, 2),
                                           .allowed_iovas = (uintptr_t)ranges};
    struct iommu_ioas_iova_ranges tell = {
        .size = sizeof(tell), .ioas_id = id(w), .num_iovas = 8, .allowed_iovas = (uintptr_t)ranges};

    ranges[0] = (struct iommu_iova_range){0, BLOCK * 8192 - 1};
    below(w, 2) ? ioctl(IOMMU, IOMMU_IOAS_ALLOW_IOVAS, &allow)
                : ioctl(IOMMU, IOMMU_IOAS_IOVA_RANGES, &tell);
}

static void two_attach(struct worker *w)
{
    struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach), .pt_id = id(w)};
    struct vfio_device_detach_iommufd_pt detach = {.argsz = sizeof(detach)};

    below(w, 4) ? ioctl(DEVICE, VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach)
                : ioctl(DEVICE, VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach);
}

static void two_dirty(struct worker *w)
{
    uint64_t words[16];
    struct iommu_hwpt_set_dirty_tracking set = {
        .size = sizeof(set), .flags = (uint32_t)below(w, 2), .hwpt_id = id(w)};
    struct iommu_hwpt_get_dirty_bitmap get = {.size = sizeof(get),
                                              .hwpt_id = id(w),
                                              .iova = iova(w),
                                              .length = 2 * BLOCK,
                                              .page_size = PAGE,
                                              .data = (uintptr_t)words};

    below(w, 2) ? ioctl(IOMMU, IOMMU_HWPT_SET_DIRTY_TRACKING, &set)
                : ioctl(IOMMU, IOMMU_HWPT_GET_DIRTY_BITMAP, &get);
}

/* ---- the device ---- */

static void device_settings(struct worker *w)
{
    uint16_t command = (uint16_t)(below(w, 4) ? 6 : below(w, 8));
    uint32_t word = (uint32_t)below(w, 1ull << 32);
    const off_t at = (off_t)below(w, 256);

    if (below(w, 2))
        pwrite(DEVICE, &command, sizeof(command), CONFIG + 4);
    else
        below(w, 2) ? pwrite(DEVICE, &word, 1 << below(w, 3), CONFIG + at)
                    : pread(DEVICE, &word, 4, CONFIG + at);
}

/*
 * Not waited for: it is under way while mappings come and go. One thread at a time, because QEMU
 * aborts when it is told an address beyond edu's buffer.
 */
static void device_transfer(struct worker *w)
{
    static pthread_mutex_t telling = PTHREAD_MUTEX_INITIALIZER;
    const uint64_t to_memory = below(w, 4) ? EDU_TO_MEMORY : 0;
    const uint64_t values[] = {to_memory ? EDU_BUFFER : iova(w), to_memory ? iova(w) : EDU_BUFFER,
                               TRANSFER, to_memory | EDU_RUN};

    uint64_t command;

    if (pthread_mutex_trylock(&telling))
        return;
    const bool idle = pread(DEVICE, &command, 8, EDU_COMMAND) == 8 && !(command & EDU_RUN);
    for (unsigned i = 0; idle && i < 4; i++)
        if (pwrite(DEVICE, &values[i], 8, EDU_SOURCE + 8 * (off_t)i) != 8)
            break;
    pthread_mutex_unlock(&telling);
}

static void device_bar(struct worker *w)
{
    uint64_t value;

    if (below(w, 2))
        mmap(place(w), (1 + below(w, 4)) * PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, DEVICE, 0);
    else
        pread(DEVICE, &value, 4, (off_t)below(w, 32) * 4);
}

static void device_vectors(struct worker *w)
{
    /* struct vfio_irq_set with two descriptors. */
    uint32_t words[7] = {sizeof(words)};

    words[1] = VFIO_IRQ_SET_ACTION_TRIGGER |
               (below(w, 2) ? VFIO_IRQ_SET_DATA_EVENTFD : VFIO_IRQ_SET_DATA_NONE);
    words[2] = (uint32_t)below(w, 3);
    words[3] = (uint32_t)below(w, 2);
    words[4] = (uint32_t)below(w, 3);
    words[5] = below(w, 3) ? (uint32_t)EVENT : UINT32_MAX;
    words[6] = EVENT;
    ioctl(DEVICE, VFIO_DEVICE_SET_IRQS, words);
}

static void device_reset(struct worker *w)
{
    if (below(w, 4) == 0)
        ioctl(DEVICE, VFIO_DEVICE_RESET);
}

/* ---- files ---- */

static void open_one(void)
{
    struct vfio_files files = {-1, -1, -1};

    vfio_open(bdf, &files);
    install(files.container, IOMMU);
    install(files.group, GROUP);
    install(files.device, DEVICE);
}

static void open_two(void)
{
    struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind), .iommufd = IOMMU};

    install(open("/dev/iommu", O_RDWR), IOMMU);
    install(open("/dev/vfio/devices/vfio0", O_RDWR), DEVICE);
    ioctl(DEVICE, VFIO_DEVICE_BIND_IOMMUFD, &bind);
}

static void open_all(void)
{
    type1 ? open_one() : open_two();
    install(memfd_create("race", 0), MEMORY);
    ftruncate(MEMORY, (off_t)BLOCK);
    install(eventfd(0, EFD_NONBLOCK), EVENT);
}

static void reopen(struct worker *w)
{
    if (below(w, 40))
        return;
    if (below(w, 2))
        close(IOMMU + (int)below(w, BEHIND - IOMMU));
    else
        open_all();
}

/* ---- what nobody else may change ---- */

static void own_memory(struct worker *w)
{
    if (w->own) {
        for (uint64_t i = 0; i < OWN * PAGE / 8; i++)
            if (w->own[i] != (uintptr_t)w + i) {
                printf("race: memory of a thread's own was changed\n");
                _exit(1);
            }
        munmap(w->own, OWN * PAGE);
    }
    w->own = mmap(NULL, OWN * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (w->own == MAP_FAILED)
        w->own = NULL;
    for (uint64_t i = 0; w->own && i < OWN * PAGE / 8; i++) {
        if (w->own[i]) {
            printf("race: new memory is not zero\n");
            _exit(1);
        }
        w->own[i] = (uintptr_t)w + i;
    }
}

/* ---- all of it ---- */

typedef void (*operation)(struct worker *w);

static const operation both[] = {
    memory_map,   memory_map,      memory_change,   memory_change, memory_resize,
    memory_use,   device_settings, device_transfer, device_bar,    device_vectors,
    device_reset, reopen,          own_memory,
};
static const operation container[] = {one_map, one_map, one_map, one_unmap};
static const operation spaces[] = {
    two_alloc, two_destroy, two_map,    two_map,   two_map, two_copy,
    two_unmap, two_allow,   two_attach, two_dirty, one_map, one_unmap,
};

#define PICK(w, table) (table)[below(w, sizeof(table) / sizeof((table)[0]))]

static void *work(void *argument)
{
    struct worker *w = argument;

    while (w->left--) {
        const operation shared = PICK(w, both);
        const operation own = type1 ? PICK(w, container) : PICK(w, spaces);

        below(w, 2) ? shared(w) : own(w);
        if (below(w, 4) == 0)
            sched_yield();
    }
    return NULL;
}

static void close_all(void)
{
    munmap(arena, ARENA);
    for (int file = IOMMU; file < BEHIND; file++)
        close(file);
    for (int i = 0; i < WORKERS; i++)
        if (workers[i].own)
            munmap(workers[i].own, OWN * PAGE);
}

int main(int argc, char **argv)
{
    const struct timespec moment = {0, 50000000};

    if (argc < 6)
        return 2;
    type1 = strcmp(argv[1], "type1") == 0;
    bdf = argv[2];
    arena = mmap(NULL, ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    must(arena != MAP_FAILED, "arena");
    open_all();
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i].random = strtoull(argv[3], NULL, 0) * 0x9e3779b97f4a7c15 + i + 1;
        workers[i].left = strtoul(argv[4], NULL, 0) / WORKERS;
        must(!pthread_create(&workers[i].thread, NULL, work, &workers[i]), "thread");
    }
    if (strcmp(argv[5], "leave") == 0) {
        nanosleep(&moment, NULL);
        return 0;
    }
    for (unsigned i = 0; i < WORKERS; i++)
        pthread_join(workers[i].thread, NULL);
    close_all();
    edu_open(argv[1], bdf);
    must(!dma_attach(space_create()), "attach");
    printf("race: still there\n");
    return 0;
}
