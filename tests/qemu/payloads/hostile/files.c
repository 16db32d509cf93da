/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose device it is: groups and containers, descriptors, resets of a bus. */
#include "hostile.h"

/* ---- devices of others ---- */

static int open_group(const char *name)
{
    char path[VFIO_PATH_SIZE];

    return vfio_group_path(name, path) ? -1 : open(path, O_RDWR);
}

/* A device that nobody was given has a group that nobody can open. */
static void group_in_quarantine(void)
{
    CHECK_ERROR(open_group(stranger), ENOENT);
    START(ONLY(EDU));
    CHECK_ERROR(open_group(stranger), ENOENT);
}

static void device_in_quarantine(void)
{
    START(ONLY(EDU) | ONLY(CARD));
    CHECK_ERROR(ioctl(units[EDU].group, VFIO_GROUP_GET_DEVICE_FD, stranger), ENODEV);
    CHECK_ERROR(ioctl(units[CARD].group, VFIO_GROUP_GET_DEVICE_FD, stranger), ENODEV);
}

/* Of the same group, and not given to the program. */
static void device_in_quarantine_of_the_own_group(void)
{
    START(ONLY(CARD));
    CHECK_ERROR(ioctl(units[CARD].group, VFIO_GROUP_GET_DEVICE_FD, sibling), ENODEV);
}

static void device_of_another_group(void)
{
    START(ONLY(EDU) | ONLY(CARD));
    CHECK_ERROR(ioctl(units[EDU].group, VFIO_GROUP_GET_DEVICE_FD, units[CARD].name), ENODEV);
    CHECK_ERROR(ioctl(units[CARD].group, VFIO_GROUP_GET_DEVICE_FD, units[EDU].name), ENODEV);
}

/* Names that are none; one that has no end; one at an address that is not the program's. */
static void device_of_no_name(void)
{
    static const char *const names[] = {
        "", "0000:00:00.0", "0000:00:1c.0", "../0000:02:00.0", "%s%s%n", "0000:02:00.0 vf_token=1"};
    static char endless[PAGE];

    START(ONLY(EDU));
    memset(endless, '0', sizeof(endless));
    for (unsigned i = 0; i < 6; i++)
        CHECK_ERROR(ioctl(units[EDU].group, VFIO_GROUP_GET_DEVICE_FD, names[i]), ENODEV);
    CHECK_ERROR(ioctl(units[EDU].group, VFIO_GROUP_GET_DEVICE_FD, endless), ENODEV);
    CHECK_ERROR(ioctl(units[EDU].group, VFIO_GROUP_GET_DEVICE_FD, 0xffffffff80200000), EFAULT);
}

static void device_without_an_iommu(void)
{
    struct vfio_files files;

    CHECK_OK(vfio_join(units[EDU].name, &files));
    CHECK_ERROR(ioctl(files.group, VFIO_GROUP_GET_DEVICE_FD, units[EDU].name), EINVAL);
    close(files.group);
    files.group = open_group(units[EDU].name);
    CHECK_ERROR(ioctl(files.group, VFIO_GROUP_GET_DEVICE_FD, units[EDU].name), EINVAL);
    close(files.group);
    close(files.container);
}

int own_file(enum which which)
{
    char path[128];

    for (int i = 0; i < 16; i++) {
        snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev/vfio%d/dev",
                 units[which].name, i);
        if (access(path, R_OK) == 0) {
            snprintf(path, sizeof(path), "/dev/vfio/devices/vfio%d", i);
            return open(path, O_RDWR);
        }
    }
    return -1;
}

/* By both interfaces at once. */
static void device_by_both_interfaces(void)
{
    struct vfio_device_bind_iommufd bind = {.argsz = sizeof(bind)};
    int file;

    START(ONLY(EDU));
    bind.iommufd = open("/dev/iommu", O_RDWR);
    file = own_file(EDU);
    if (file >= 0)
        CHECK_EQUAL(ioctl(file, VFIO_DEVICE_BIND_IOMMUFD, &bind), -1);
    close(file);
    close(bind.iommufd);
    CHECK_EQUAL(*(volatile uint32_t *)units[EDU].bar, 0x010000edu);
}

static void device_used_before_it_is_bound(void)
{
    struct vfio_device_info info = {.argsz = sizeof(info)};
    uint32_t value;
    int file = own_file(EDU);

    CHECK(file >= 0);
    CHECK_EQUAL(ioctl(file, VFIO_DEVICE_GET_INFO, &info), -1);
    CHECK_EQUAL(ioctl(file, VFIO_DEVICE_RESET), -1);
    CHECK_EQUAL(pread(file, &value, 4, CONFIG), -1);
    CHECK_EQUAL(pwrite(file, &value, 4, BAR(0)), -1);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0) == MAP_FAILED);
    close(file);
}

/* ---- groups and containers ---- */

static void group_twice(void)
{
    START(ONLY(EDU));
    CHECK_ERROR(open_group(units[EDU].name), EBUSY);
}

static void group_into_a_second_container(void)
{
    int second = open("/dev/vfio/vfio", O_RDWR);

    START(ONLY(EDU));
    CHECK_ERROR(ioctl(units[EDU].group, VFIO_GROUP_SET_CONTAINER, &second), EINVAL);
    close(second);
}

static void group_taken_out_under_a_device(void)
{
    START(ONLY(EDU));
    CHECK_ERROR(ioctl(units[EDU].group, VFIO_GROUP_UNSET_CONTAINER), EBUSY);
}

static void group_into_what_is_no_container(void)
{
    int group = open_group(units[EDU].name), file = open("/dev/console", O_RDWR);
    const int wrong[] = {-1, 1000, group, file};

    for (unsigned i = 0; i < 4; i++)
        CHECK_EQUAL(ioctl(group, VFIO_GROUP_SET_CONTAINER, &wrong[i]), -1);
    CHECK_ERROR(ioctl(group, VFIO_GROUP_SET_CONTAINER, NULL), EFAULT);
    close(file);
    close(group);
}

static void container_of_an_unknown_kind(void)
{
    struct vfio_files files;

    CHECK_OK(vfio_join(units[EDU].name, &files));
    CHECK_EQUAL(ioctl(files.container, VFIO_SET_IOMMU, 8), -1); /* no IOMMU at all */
    CHECK_EQUAL(ioctl(files.container, VFIO_SET_IOMMU, 0xffffffffu), -1);
    CHECK_EQUAL(ioctl(files.group, VFIO_GROUP_GET_DEVICE_FD, units[EDU].name), -1);
    close(files.group);
    close(files.container);
}

static void container_set_twice(void)
{
    START(ONLY(EDU));
    CHECK_EQUAL(ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU), -1);
}

/* ---- descriptors ---- */

/* Closed under its number, which another file has then; the device stays open by its mapping. */
static void descriptor_replaced_under_a_device(void)
{
    uint32_t value;

    START(ONLY(EDU));
    open_events();
    CHECK_EQUAL(dup2(events[0], units[EDU].device), units[EDU].device);
    CHECK_EQUAL(ioctl(units[EDU].device, VFIO_DEVICE_RESET), -1);
    CHECK_EQUAL(pread(units[EDU].device, &value, 4, CONFIG), -1);
    CHECK_EQUAL(*(volatile uint32_t *)units[EDU].bar, 0x010000edu);
}

static void descriptor_of_a_container_replaced(void)
{
    uint8_t *memory;

    START(ONLY(EDU));
    memory = new_memory(PAGE, 0);
    open_events();
    CHECK_OK(dma_map(IOVA, memory, PAGE, READ | WRITE));
    CHECK_EQUAL(dup2(events[0], container), container);
    CHECK_EQUAL(dma_unmap(IOVA, PAGE), -1);
    edu_write(EDU, IOVA, BYTES); /* the device keeps its container */
    CHECK(is_marked(memory));
    memset(memory, 0, BYTES);
}

static void *close_device(void *argument)
{
    close(*(int *)argument);
    return NULL;
}

/* Closed by one thread while the other is in a call that sleeps. */
static void descriptor_closed_during_a_reset(void)
{
    pthread_t thread;
    int copy;

    START(ONLY(EDU));
    copy = units[EDU].device;
    CHECK_EQUAL(pthread_create(&thread, NULL, close_device, &copy), 0);
    (void)ioctl(units[EDU].device, VFIO_DEVICE_RESET);
    CHECK_EQUAL(pthread_join(thread, NULL), 0);
    units[EDU].device = -1;
}

static void descriptors_closed_in_every_order(void)
{
    uint8_t *memory;

    for (unsigned order = 0; order < 6; order++) {
        START(ONLY(EDU));
        memory = new_memory(PAGE, 0xa5);
        CHECK_OK(dma_map(IOVA, memory, PAGE, READ | WRITE));
        edu_load_mark(EDU);
        edu_start(EDU, EDU_BUFFER, IOVA, BYTES, true);
        munmap((void *)units[EDU].bar, units[EDU].size);
        units[EDU].bar = NULL;
        int *files[] = {&units[EDU].device, &units[EDU].group, &container};
        for (unsigned left = 3, at = order; left; left--) {
            unsigned which = at % left;

            at /= left;
            close(*files[which]);
            *files[which] = -1;
            files[which] = files[left - 1];
        }
        const struct timespec longer = {0, 150000000};
        nanosleep(&longer, NULL);
        CHECK(is_filled(memory, PAGE, 0xa5));
        close_all();
    }
}

/* ---- the bus of others ---- */

static int hot_reset(enum which which, uint32_t count, const int *files)
{
    struct {
        uint32_t argsz, flags, count;
        int32_t files[8];
    } reset = {sizeof(reset), 0, count, {0}};

    for (uint32_t i = 0; i < 8 && files; i++)
        reset.files[i] = files[i];
    return ioctl(units[which].device, VFIO_DEVICE_PCI_HOT_RESET, &reset);
}

static void bus_reset_with_foreign_groups(void)
{
    START(ONLY(EDU) | ONLY(CARD) | ONLY(DISK));
    const int card[8] = {units[CARD].group}, disk[8] = {units[DISK].group};
    CHECK_ERROR(hot_reset(EDU, 1, card), EINVAL);
    CHECK_ERROR(hot_reset(CARD, 1, disk), EINVAL);
    CHECK_EQUAL(*(volatile uint32_t *)units[EDU].bar, 0x010000edu);
}

static void bus_reset_with_no_group(void)
{
    START(ONLY(EDU));
    CHECK_ERROR(hot_reset(EDU, 0, NULL), EINVAL);
}

static void bus_reset_with_other_files(void)
{
    START(ONLY(EDU));
    open_events();
    const int wrong[] = {events[0], container, units[EDU].device, 1000, -1};
    for (unsigned i = 0; i < 5; i++) {
        const int files[8] = {wrong[i]};

        CHECK_EQUAL(hot_reset(EDU, 1, files), -1);
    }
}

static void bus_reset_with_endless_files(void)
{
    START(ONLY(EDU));
    CHECK_ERROR(hot_reset(EDU, 0xffffffff, NULL), EINVAL);
    CHECK_ERROR(hot_reset(EDU, 0x40000000, NULL), EINVAL);
}

/* The root bus is everybody's. */
static void bus_reset_of_the_root(void)
{
    START(ONLY(OTHER));
    const int files[8] = {units[OTHER].group};
    CHECK_ERROR(hot_reset(OTHER, 1, files), ENODEV);
}

/* The other function of the card is reset too, and stays silent and shut. */
static void bus_reset_with_a_silent_sibling(void)
{
    START(ONLY(CARD));
    const int files[8] = {units[CARD].group};
    CHECK_OK(hot_reset(CARD, 1, files));
    CHECK_EQUAL(ask(HARDWARE), 1);
    CHECK_ERROR(ioctl(units[CARD].group, VFIO_GROUP_GET_DEVICE_FD, sibling), ENODEV);
}

static void reset_of_a_device_without_one(void)
{
    START(ONLY(OTHER));
    CHECK_EQUAL(ioctl(units[OTHER].device, VFIO_DEVICE_RESET), -1);
}

/* ---- features ---- */

static int feature(uint32_t flags, uint32_t argsz)
{
    struct {
        uint32_t argsz, flags;
        uint8_t data[64];
    } ask = {argsz, flags, {0xff}};

    return ioctl(units[EDU].device, VFIO_DEVICE_FEATURE, &ask);
}

/* Logs of DMA, migration, tokens, DMA buffers, and what will be invented. */
static void features_of_others(void)
{
    START(ONLY(EDU));
    for (uint32_t index = 0; index < 0x10000; index += index < 64 ? 1 : 4099) {
        if (index >= VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY &&
            index <= VFIO_DEVICE_FEATURE_LOW_POWER_EXIT)
            continue;
        CHECK_EQUAL(feature(index | VFIO_DEVICE_FEATURE_SET, 72), -1);
        CHECK_EQUAL(feature(index | VFIO_DEVICE_FEATURE_GET, 72), -1);
        CHECK_EQUAL(feature(index | VFIO_DEVICE_FEATURE_PROBE, 72), -1);
    }
}

static void feature_of_no_size(void)
{
    const uint32_t enter = VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP;

    START(ONLY(EDU));
    for (uint32_t argsz = 0; argsz < 16; argsz++)
        CHECK_ERROR(feature(enter | VFIO_DEVICE_FEATURE_SET, argsz), EINVAL);
    CHECK(!faults(units[EDU].bar));
}

/* Every number of a call, on every kind of file, with memory that is not the program's. */
static void every_call_with_foreign_memory(void)
{
    START(ONLY(EDU));
    const int files[] = {units[EDU].device, units[EDU].group, container};
    for (unsigned i = 0; i < 3; i++)
        for (unsigned call = 0; call < 256; call++)
            (void)ioctl(files[i], _IO(';', call), (void *)0xffffffff80200000);
}

const struct attack file_attacks[] = {
    ATTACK(group_in_quarantine, QUIET),
    ATTACK(device_in_quarantine, QUIET),
    ATTACK(device_in_quarantine_of_the_own_group, QUIET),
    ATTACK(device_of_another_group, QUIET),
    ATTACK(device_of_no_name, QUIET),
    ATTACK(device_without_an_iommu, QUIET),
    ATTACK(device_by_both_interfaces, QUIET),
    ATTACK(device_used_before_it_is_bound, QUIET),
    ATTACK(group_twice, QUIET),
    ATTACK(group_into_a_second_container, QUIET),
    ATTACK(group_taken_out_under_a_device, QUIET),
    ATTACK(group_into_what_is_no_container, QUIET),
    ATTACK(container_of_an_unknown_kind, QUIET),
    ATTACK(container_set_twice, QUIET),
    ATTACK(descriptor_replaced_under_a_device, QUIET),
    ATTACK(descriptor_of_a_container_replaced, QUIET),
    ATTACK(descriptor_closed_during_a_reset, QUIET),
    ATTACK(descriptors_closed_in_every_order, QUIET),
    ATTACK(bus_reset_with_foreign_groups, QUIET),
    ATTACK(bus_reset_with_no_group, QUIET),
    ATTACK(bus_reset_with_other_files, QUIET),
    ATTACK(bus_reset_with_endless_files, QUIET),
    ATTACK(bus_reset_of_the_root, QUIET),
    ATTACK(bus_reset_with_a_silent_sibling, QUIET),
    ATTACK(reset_of_a_device_without_one, QUIET),
    ATTACK(features_of_others, QUIET),
    ATTACK(feature_of_no_size, QUIET),
    ATTACK(every_call_with_foreign_memory, QUIET),
    LAST_ATTACK,
};
