/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens, connects, copies and closes containers, groups, devices and iommufds in random orders,
 * with mappings, interrupts and a thread asleep, and compares each answer with a model of what
 * holds what. After each walk everything is closed, and the machine must be what it was. usage:
 * lifetime SEED WALKS 0000:bb:dd.f
 */
#define _GNU_SOURCE
#include "measure.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>

#define OBJECTS  10
#define COPIES   3 /* descriptors of one open file */
#define STEPS    40
#define PLACES   4 /* IOVAs */
#define BASE     0x40000000ull
#define WARM_UP  60
#define SKIPPED  (-1)
#define LOG_SIZE 4096

enum kind {
    CONTAINER = 1,
    IOMMUFD = 2,
    GROUP = 4,
    MEMBER = 8, /* a device through its group */
    OWN = 16,   /* ... through a file of its own */
    DEVICE = MEMBER | OWN,
    SPACE = CONTAINER | IOMMUFD,
    ANY = 31,
};

/* An open file. It is there as long as a descriptor, a mapping or another object keeps it. */
struct object {
    enum kind kind; /* 0: none */
    int copies[COPIES];
    unsigned count;
    struct object *in; /* of a group: what it was put in; of OWN: what it is bound to */
    bool type1;        /* of a container: SET_IOMMU */
    bool attached;     /* of OWN */
    uint32_t ioas;     /* of an iommufd; 0: none yet */
    unsigned mapped;   /* of those two: a bit for each IOVA */
    void *bar;
};

static struct object objects[OBJECTS];
static const char *device_name;
static char group_path[VFIO_PATH_SIZE];
static char *buffer;
static uint64_t seed;
static char history[LOG_SIZE]; /* of this walk */

static unsigned chance(unsigned below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed >> 33) % below;
}

/* ---- the model ---- */

static struct object *find(unsigned kinds)
{
    for (unsigned i = 0; i < OBJECTS; i++)
        if (objects[i].kind & kinds)
            return &objects[i];
    return NULL;
}

static struct object *bound(void)
{
    for (unsigned i = 0; i < OBJECTS; i++)
        if (objects[i].kind == OWN && objects[i].in)
            return &objects[i];
    return NULL;
}

static bool ready(const struct object *object)
{
    return object->kind == MEMBER || object->in;
}

static bool holds_group(void)
{
    return find(MEMBER) != NULL;
}

static void leave(struct object *group)
{
    if (group->in && group->in->kind == CONTAINER) {
        group->in->type1 = false;
        group->in->mapped = 0;
    }
    group->in = NULL;
}

static bool held(const struct object *object)
{
    if (object->count || object->bar)
        return true;
    for (unsigned i = 0; i < OBJECTS; i++)
        if (objects[i].kind && objects[i].in == object)
            return true;
    return object->kind == GROUP && holds_group();
}

/* Lets go of what nothing holds any more: inner ones before what they hold. */
static void settle(void)
{
    static const enum kind order[] = {MEMBER, OWN, GROUP, CONTAINER, IOMMUFD};

    for (unsigned k = 0; k < 5; k++)
        for (unsigned i = 0; i < OBJECTS; i++) {
            if (objects[i].kind != order[k] || held(&objects[i]))
                continue;
            if (objects[i].kind == GROUP)
                leave(&objects[i]);
            objects[i] = (struct object){0};
        }
}

/* ---- what is done ---- */

static void wrong(const char *what)
{
    printf("lifetime: WRONG: %s (%s) after%s\n", what, strerror(errno), history);
    exit(1);
}

static int expect(int result, int error, const char *what)
{
    size_t used = strlen(history);

    snprintf(history + used, sizeof(history) - used, " %s=%d", what, error);
    if (error ? result != -1 || errno != error : result < 0)
        wrong(what);
    return error ? -1 : result;
}

/* One of those kinds that has a descriptor. NULL: there is none. */
static struct object *pick(unsigned kinds)
{
    unsigned first = chance(OBJECTS);

    for (unsigned i = 0; i < OBJECTS; i++) {
        struct object *object = &objects[(first + i) % OBJECTS];

        if ((object->kind & kinds) && object->count)
            return object;
    }
    return NULL;
}

static void open_as(enum kind kind, int fd)
{
    for (unsigned i = 0; i < OBJECTS; i++) {
        if (objects[i].kind)
            continue;
        objects[i] = (struct object){.kind = kind, .copies = {fd}, .count = 1};
        return;
    }
}

static bool room(void)
{
    for (unsigned i = 0; i < OBJECTS; i++)
        if (!objects[i].kind)
            return true;
    return false;
}

static void open_path(enum kind kind, const char *path, int error)
{
    int fd = room() ? expect(open(path, O_RDWR), error, path) : SKIPPED;

    if (fd >= 0)
        open_as(kind, fd);
}

static void open_container(void)
{
    open_path(CONTAINER, "/dev/vfio/vfio", 0);
}

static void open_iommufd(void)
{
    open_path(IOMMUFD, "/dev/iommu", 0);
}

static void open_group(void)
{
    open_path(GROUP, group_path, find(GROUP) || bound() ? EBUSY : 0);
}

static void open_own(void)
{
    open_path(OWN, "/dev/vfio/devices/vfio0", 0);
}

static void copy_one(void)
{
    struct object *object = pick(ANY);

    if (object && object->count < COPIES)
        object->copies[object->count++] = expect(dup(object->copies[0]), 0, "dup");
}

static void close_one(void)
{
    struct object *object = pick(ANY);

    if (!object)
        return;
    unsigned which = chance(object->count);
    int fd = object->copies[which];
    object->copies[which] = object->copies[--object->count];
    expect(close(fd), 0, "close");
    settle();
}

static void set_container(void)
{
    struct object *group = pick(GROUP), *space = pick(SPACE);

    if (!group || !space)
        return;
    if (expect(ioctl(group->copies[0], VFIO_GROUP_SET_CONTAINER, &space->copies[0]),
               group->in ? EINVAL : 0, "set_container") == 0)
        group->in = space;
}

static void unset_container(void)
{
    struct object *group = pick(GROUP);

    if (!group)
        return;
    int error = !group->in ? EINVAL : holds_group() ? EBUSY : 0;
    if (expect(ioctl(group->copies[0], VFIO_GROUP_UNSET_CONTAINER), error, "unset_container") == 0)
        leave(group);
    settle();
}

static void set_iommu(void)
{
    struct object *container = pick(CONTAINER), *group = find(GROUP);

    if (!container)
        return;
    bool fits = group && group->in == container && !container->type1;
    if (expect(ioctl(container->copies[0], VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU), fits ? 0 : EINVAL,
               "set_iommu") == 0)
        container->type1 = true;
}

static void get_device(void)
{
    struct object *group = pick(GROUP);

    if (!group || !room())
        return;
    bool fits = group->in && (group->in->kind == IOMMUFD || group->in->type1);
    int fd = expect(ioctl(group->copies[0], VFIO_GROUP_GET_DEVICE_FD, device_name),
                    fits ? 0 : EINVAL, "get_device");
    if (fd >= 0)
        open_as(MEMBER, fd);
}

static void bind_own(void)
{
    struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
    struct object *own = pick(OWN), *space = pick(IOMMUFD);

    if (!own || !space)
        return;
    bind.iommufd = space->copies[0];
    int error = own->in ? EINVAL : find(GROUP) ? EBUSY : bound() ? EINVAL : 0;
    if (expect(ioctl(own->copies[0], VFIO_DEVICE_BIND_IOMMUFD, &bind), error, "bind") == 0)
        own->in = space;
}

static bool has_ioas(struct object *space)
{
    struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};

    if (space->ioas || !space->count)
        return space->ioas;
    expect(ioctl(space->copies[0], IOMMU_IOAS_ALLOC, &alloc), 0, "ioas");
    space->ioas = alloc.out_ioas_id;
    return true;
}

static void attach_own(void)
{
    struct vfio_device_attach_iommufd_pt attach = {.argsz = sizeof(attach)};
    struct object *own = pick(OWN);

    if (!own || (own->in && !has_ioas(own->in)))
        return;
    attach.pt_id = own->in ? own->in->ioas : 1;
    if (expect(ioctl(own->copies[0], VFIO_DEVICE_ATTACH_IOMMUFD_PT, &attach), own->in ? 0 : EINVAL,
               "attach") == 0)
        own->attached = true;
}

static void detach_own(void)
{
    struct vfio_device_detach_iommufd_pt detach = {.argsz = sizeof(detach)};
    struct object *own = pick(OWN);

    if (own && expect(ioctl(own->copies[0], VFIO_DEVICE_DETACH_IOMMUFD_PT, &detach),
                      own->in ? 0 : EINVAL, "detach") == 0)
        own->attached = false;
}

static void destroy_ioas(void)
{
    struct object *space = pick(IOMMUFD), *own = bound();

    if (!space || !space->ioas)
        return;
    struct iommu_destroy destroy = {.size = sizeof(destroy), .id = space->ioas};
    bool used = own && own->attached && own->in == space;
    if (expect(ioctl(space->copies[0], IOMMU_DESTROY, &destroy), used ? EBUSY : 0, "destroy") == 0)
        space->ioas = space->mapped = 0;
}

static void map_memory(void)
{
    struct object *space = pick(SPACE);
    unsigned place = chance(PLACES);

    if (!space || (space->kind == IOMMUFD && !has_ioas(space)))
        return;
    type1 = space->kind == CONTAINER;
    iommu = space->copies[0];
    bool there = space->mapped >> place & 1;
    int error = there ? EEXIST : 0;
    if (type1 && !space->type1)
        error = EINVAL;
    if (expect(dma_map(space->ioas, BASE + place * BLOCK, buffer, 2 * PAGE, READ | WRITE), error,
               "map") == 0)
        space->mapped |= 1u << place;
}

static void unmap_memory(void)
{
    struct object *space = pick(SPACE);
    unsigned place = chance(PLACES);

    if (!space || (space->kind == IOMMUFD && !space->ioas))
        return;
    type1 = space->kind == CONTAINER;
    iommu = space->copies[0];
    bool there = space->mapped >> place & 1;
    int error = type1 ? (space->type1 ? 0 : EINVAL) : there ? 0 : ENOENT;
    if (expect(dma_unmap(space->ioas, BASE + place * BLOCK, 2 * PAGE), error, "unmap") == 0)
        space->mapped &= ~(1u << place);
}

/* What is mapped for devices stays theirs. */
static void renew_memory(void)
{
    if (buffer)
        munmap(buffer, 2 * PAGE);
    buffer = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    must(buffer != MAP_FAILED, "memory");
    buffer[0] = 1;
}

static void set_interrupts(void)
{
    struct object *object = pick(DEVICE);
    int event;

    if (!object)
        return;
    event = eventfd(0, 0);
    expect(vfio_listen(object->copies[0], VFIO_PCI_MSI_IRQ_INDEX, event),
           ready(object) ? 0 : EINVAL, "set_irqs");
    close(event);
}

static void map_bar(void)
{
    struct object *object = pick(DEVICE);

    if (!object || object->bar)
        return;
    void *at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, object->copies[0], 0);
    if (expect(at == MAP_FAILED ? -1 : 0, ready(object) ? 0 : EINVAL, "mmap") == 0)
        object->bar = at;
}

static void unmap_bar(void)
{
    for (unsigned i = 0; i < OBJECTS; i++) {
        if (!objects[i].bar)
            continue;
        munmap(objects[i].bar, PAGE);
        objects[i].bar = NULL;
        settle();
        return;
    }
}

static void reset_device(void)
{
    struct object *object = pick(DEVICE);

    if (object)
        expect(ioctl(object->copies[0], VFIO_DEVICE_RESET), ready(object) ? 0 : EINVAL, "reset");
}

/* ---- a thread that waits for a device's events while the files are closed around it ---- */

static pthread_t sleeper;
static int asleep_on, wakes;
static bool asleep;

static void *sleep_there(void *argument)
{
    struct pollfd files[] = {{asleep_on, POLLIN, 0}};

    while (poll(files, 1, -1) != 1)
        ;
    return NULL;
}

/* The event is the request interrupt of a device, if there is one. */
static void fall_asleep(void)
{
    struct object *object = pick(DEVICE);

    if (asleep || !object)
        return;
    asleep_on = eventfd(0, 0);
    wakes = dup(asleep_on);
    expect(vfio_listen(object->copies[0], VFIO_PCI_REQ_IRQ_INDEX, asleep_on),
           ready(object) ? 0 : EINVAL, "request");
    asleep = !pthread_create(&sleeper, NULL, sleep_there, NULL);
    must(asleep, "thread");
    nanosleep(&(struct timespec){0, 100000}, NULL);
    close(asleep_on);
}

static void wake_up(void)
{
    const uint64_t one = 1;

    if (!asleep)
        return;
    must(write(wakes, &one, sizeof(one)) == sizeof(one), "wake");
    pthread_join(sleeper, NULL);
    close(wakes);
    asleep = false;
}

/* ---- walks ---- */

static void (*const steps[])(void) = {
    open_container, open_iommufd,   open_group,    open_own,        copy_one,     close_one,
    close_one,      set_container,  set_container, unset_container, set_iommu,    get_device,
    bind_own,       attach_own,     detach_own,    destroy_ioas,    map_memory,   unmap_memory,
    renew_memory,   set_interrupts, map_bar,       unmap_bar,       reset_device, fall_asleep,
    wake_up,        set_iommu,      get_device,    bind_own,        map_memory,   attach_own,
};
static unsigned reached[5]; /* at the end of a walk: how many there were of each kind */

static void walk(void)
{
    history[0] = '\0';
    renew_memory();
    for (unsigned i = 0; i < STEPS; i++)
        steps[chance(sizeof(steps) / sizeof(steps[0]))]();
    for (unsigned i = 0; i < OBJECTS; i++)
        for (unsigned kind = 0; kind < 5; kind++)
            reached[kind] += objects[i].kind == 1 << kind;
    while (find(ANY)) {
        (chance(3) ? close_one : unmap_bar)();
        if (!pick(ANY))
            unmap_bar();
    }
    wake_up();
}

int main(int argc, char **argv)
{
    struct machine_state before, after;
    unsigned walks;

    must(argc == 4, "arguments");
    seed = strtoull(argv[1], NULL, 10) * 2654435761u + 1;
    walks = (unsigned)strtoul(argv[2], NULL, 10);
    device_name = argv[3];
    must(!vfio_group_path(device_name, group_path), "group");
    for (unsigned i = 0; i < WARM_UP; i++)
        walk();
    measure();
    before = measure();
    for (unsigned i = 0; i < walks; i++) {
        walk();
        after = measure_once();
        if (memcmp(&before, &after, sizeof(before))) {
            printf("lifetime: walk %u left something: frames %ld, bytes %ld, tables %ld, entries "
                   "%ld:%s\n",
                   i, (long)(before.frames - after.frames), (long)(after.objects - before.objects),
                   (long)(after.tables - before.tables), (long)(after.entries - before.entries),
                   history);
            return 1;
        }
    }
    printf("lifetime: %u walks; left at their ends: %u containers, %u iommufds, %u groups, %u and "
           "%u devices\n",
           walks, reached[0], reached[1], reached[2], reached[3], reached[4]);
    return 0;
}
