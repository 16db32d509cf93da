/* SPDX-License-Identifier: BSD-2-Clause */
/* Regions of a device: what is told of them, reading and writing, and mapped BARs. */
#include "tests/unit/vfio_fixture.h"

static void check_access(size_t i, paddr_t at, unsigned width, bool write)
{
    assert_true(i < sim_access_count);
    assert_int_equal(sim_accesses[i].at, at);
    assert_int_equal(sim_accesses[i].width, width);
    assert_int_equal(sim_accesses[i].write, write);
}

/* ---- information ---- */

static struct vfio_region_info region_of(int fd, uint32_t index)
{
    struct vfio_region_info info = {.argsz = sizeof(info), .index = index};

    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), 0);
    return info;
}

static void each_region_tells_its_size_and_offset(void **state)
{
    const uint32_t rw = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
    int fd = open_device(PLAIN), rich_fd = open_device(RICH);
    struct vfio_region_info info = region_of(fd, 0);

    assert_int_equal(info.size, MIB);
    assert_int_equal(info.flags, rw | VFIO_REGION_INFO_FLAG_MMAP);
    assert_int_equal(info.offset, 0);
    info = region_of(fd, 3); /* absent */
    assert_int_equal(info.size, 0);
    assert_int_equal(info.flags, 0);
    assert_int_equal(info.offset, REGION(3));
    info = region_of(fd, VFIO_PCI_ROM_REGION_INDEX);
    assert_int_equal(info.size, 0);
    info = region_of(fd, VFIO_PCI_CONFIG_REGION_INDEX);
    assert_int_equal(info.size, 256);
    assert_int_equal(info.flags, rw);
    assert_int_equal(region_of(rich_fd, VFIO_PCI_CONFIG_REGION_INDEX).size, 4096);
    info = region_of(rich_fd, 2); /* I/O ports */
    assert_int_equal(info.size, 32);
    assert_int_equal(info.flags, rw);
    info = region_of(rich_fd, 4); /* less than a page */
    assert_int_equal(info.size, 256);
    assert_int_equal(info.flags, rw);
    info = region_of(rich_fd, 5); /* the same, with a page for itself */
    assert_int_equal(info.size, 256);
    assert_int_equal(info.flags, rw | VFIO_REGION_INFO_FLAG_MMAP);
    info.index = VFIO_PCI_VGA_REGION_INDEX;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), -EINVAL);
    info.index = 0xffffffff;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), -EINVAL);
    info = (struct vfio_region_info){.argsz = 31};
    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), -EINVAL);
}

/* Where interrupts are remapped the BAR is like any other, and a capability says that it is. */
static void pitfall_28_the_vector_table_is_mapped(void **state)
{
    struct {
        struct vfio_region_info region;
        struct vfio_info_cap_header cap;
        uint8_t rest[16];
    } info = {.region = {.argsz = sizeof(info.region) + sizeof(info.cap)}, .rest = {0x77}};
    int fd = open_device(RICH);

    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), 0);
    assert_int_equal(info.region.flags, VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE |
                                            VFIO_REGION_INFO_FLAG_MMAP |
                                            VFIO_REGION_INFO_FLAG_CAPS);
    assert_int_equal(info.region.cap_offset, 32);
    assert_int_equal(info.region.argsz, 40);
    assert_int_equal(info.cap.id, VFIO_REGION_INFO_CAP_MSIX_MAPPABLE);
    assert_int_equal(info.cap.version, 1);
    assert_int_equal(info.cap.next, 0);
    assert_int_equal(info.rest[0], 0x77); /* a header and no more */
    info.region.argsz = 39;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), 0);
    assert_int_equal(info.region.argsz, 40);
    assert_int_equal(info.region.cap_offset, 0);
}

static void the_vector_table_is_left_out(void **state)
{
    struct {
        struct vfio_region_info region;
        uint8_t cap[64];
    } info = {.region = {.argsz = sizeof(info)}};
    struct vfio_region_info_cap_sparse_mmap *sparse = (void *)info.cap;
    int fd = open_device(RICH);

    host_remapped = false;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), 0);
    assert_true(info.region.flags & VFIO_REGION_INFO_FLAG_CAPS);
    assert_int_equal(info.region.cap_offset, 32);
    assert_int_equal(sparse->header.id, VFIO_REGION_INFO_CAP_SPARSE_MMAP);
    assert_int_equal(sparse->header.version, 1);
    assert_int_equal(sparse->header.next, 0);
    assert_int_equal(sparse->nr_areas, 2);
    assert_int_equal(sparse->areas[0].offset, 0);
    assert_int_equal(sparse->areas[0].size, 0x2000);
    assert_int_equal(sparse->areas[1].offset, 0x3000);
    assert_int_equal(sparse->areas[1].size, 0x1000);
    /* Too little room: how much is needed, and nothing written behind the structure. */
    memset(&info, 0xee, sizeof(info));
    info.region.argsz = 79;
    info.region.index = 0;
    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), 0);
    assert_int_equal(info.region.argsz, 80);
    assert_int_equal(info.region.cap_offset, 0);
    assert_int_equal(info.cap[0], 0xee);
}

/* A table that begins near the end of a page and ends early on the next takes both. */
static void pitfall_28_the_table_s_last_page_counts_whole(void **state)
{
    struct {
        struct vfio_region_info region;
        uint8_t cap[64];
    } info = {.region = {.argsz = sizeof(info)}};
    struct vfio_region_info_cap_sparse_mmap *sparse = (void *)info.cap;
    struct pci_device *device = pci_find(0, RICH);
    uint32_t was = device->msix_location, value = 0;
    struct memobj *object;
    uint64_t at;
    int fd = open_device(RICH);

    host_remapped = false;
    device->msix_location = 0x0fc0; /* to 0x103f */
    assert_int_equal(call(fd, VFIO_DEVICE_GET_REGION_INFO, &info), 0);
    assert_int_equal(sparse->nr_areas, 1);
    assert_int_equal(sparse->areas[0].offset, 0x2000);
    assert_int_equal(sparse->areas[0].size, 0x2000);
    assert_int_equal(map(fd, 0, 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(map(fd, 0x1000, 0x1000, true, &object, &at), -EINVAL);
    /* The registers around it are reached by reads and writes. */
    assert_int_equal(write_at(fd, 0x0fbc, &value, 4), 4);
    assert_int_equal(write_at(fd, 0x0fc0, &value, 4), 4);
    assert_int_equal(write_at(fd, 0x103c, &value, 4), 4);
    assert_int_equal(write_at(fd, 0x1040, &value, 4), 4);
    assert_int_equal(sim_access_count, 2);
    check_access(0, 0xfe000fbc, 4, true);
    check_access(1, 0xfe001040, 4, true);
    device->msix_location = was;
}

/* ---- accesses ---- */

static void widths_follow_alignment(void **state)
{
    uint8_t bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, back[16];
    int fd = open_device(PLAIN);

    assert_int_equal(write_at(fd, 0x40, bytes, 8), 8); /* one access */
    assert_int_equal(sim_access_count, 1);
    check_access(0, 0xfd000040, 8, true);
    assert_int_equal(sim_accesses[0].value, UINT64_C(0x0807060504030201));
    assert_int_equal(read_at(fd, 0x40, back, 8), 8);
    check_access(1, 0xfd000040, 8, false);
    assert_memory_equal(back, bytes, 8);
    assert_int_equal(write_at(fd, 0x54, bytes, 8), 8); /* not aligned to it: two */
    check_access(2, 0xfd000054, 4, true);
    check_access(3, 0xfd000058, 4, true);
    assert_int_equal(read_at(fd, 0x40, back, 15), 15);
    check_access(4, 0xfd000040, 8, false);
    check_access(5, 0xfd000048, 4, false);
    check_access(6, 0xfd00004c, 2, false);
    check_access(7, 0xfd00004e, 1, false);
    sim_access_count = 0;
    assert_int_equal(read_at(fd, 0x41, back, 7), 7);
    assert_int_equal(sim_access_count, 3);
    check_access(0, 0xfd000041, 1, false);
    check_access(1, 0xfd000042, 2, false);
    check_access(2, 0xfd000044, 4, false);
    assert_memory_equal(back, bytes + 1, 7);
    sim_access_count = 0;
    assert_int_equal(read_at(fd, MIB - 2, back, 16), 2); /* cut at the end of the BAR */
    check_access(0, 0xfd0ffffe, 2, false);
    sim_access_count = 0;
    assert_int_equal(read_at(fd, MIB, back, 1), -EINVAL);
    assert_int_equal(read_at(fd, REGION(1), back, 1), -EINVAL);
    assert_int_equal(read_at(fd, REGION(6), back, 1), -EINVAL);
    assert_int_equal(read_at(fd, REGION(9), back, 1), -EINVAL);
    assert_int_equal(read_at(fd, UINT64_MAX, back, 1), -EINVAL);
    assert_int_equal(read_at(fd, 0, back, 0), 0);
    assert_int_equal(read_at(fd, 0x40, NULL, 4), -EFAULT);
    assert_int_equal(write_at(fd, 0x40, NULL, 4), -EFAULT);
    assert_int_equal(sim_access_count, 1); /* the value was read before the buffer failed */
    host_bad_user = (struct phys_run){user_address(back + 8), 8};
    assert_int_equal(read_at(fd, 0x40, back, 16), 8); /* what was done counts */
}

/* ---- expansion ROM ---- */

#define ROM REGION(VFIO_PCI_ROM_REGION_INDEX)

static uint64_t rom_register(void)
{
    return sim_get(plain, PCI_ROM_DEVICE, 4);
}

static void the_rom_is_read_while_it_is_switched_on(void **state)
{
    uint8_t *image = plain->bar_memory[SIM_ROM], back[16];
    struct vfio_region_info info;
    struct memobj *object;
    uint64_t at;
    int fd;

    for (unsigned i = 0; i < 64 * KIB; i++)
        image[i] = (uint8_t)(i * 7);
    image[0] = 0x55;
    image[1] = 0xaa;
    fd = open_device(PLAIN);
    info = region_of(fd, VFIO_PCI_ROM_REGION_INDEX);
    assert_int_equal(info.size, 64 * KIB);
    assert_int_equal(info.flags, VFIO_REGION_INFO_FLAG_READ);
    assert_int_equal(info.offset, ROM);
    sim_access_count = 0;
    assert_int_equal(read_at(fd, ROM + 0x100, back, 16), 16);
    assert_memory_equal(back, image + 0x100, 16);
    assert_int_equal(sim_access_count, 4); /* never 8 bytes */
    check_access(0, 0xfd200100, 4, false);
    assert_int_equal(rom_register(), 0xfd200000); /* switched off again */
    assert_int_equal(read_at(fd, ROM + 64 * KIB - 1, back, 16), 1);
    assert_int_equal(back[0], image[64 * KIB - 1]);
    assert_int_equal(read_at(fd, ROM + 64 * KIB, back, 1), -EINVAL);
    assert_int_equal(write_at(fd, ROM, back, 4), -EINVAL);
    assert_int_equal(map(fd, ROM, 0x1000, true, &object, &at), -EINVAL);
    write_command(fd, 0);
    sim_access_count = 0;
    assert_int_equal(read_at(fd, ROM, back, 4), -EIO);
    assert_int_equal(sim_access_count, 0);
    assert_int_equal(rom_register(), 0xfd200000);
}

static void a_rom_without_its_signature_is_not_there(void **state)
{
    uint8_t byte, *image = plain->bar_memory[SIM_ROM];
    int fd;

    image[1] = 0x55;
    fd = open_device(PLAIN);
    assert_int_equal(region_of(fd, VFIO_PCI_ROM_REGION_INDEX).size, 0);
    assert_int_equal(region_of(fd, VFIO_PCI_ROM_REGION_INDEX).flags, 0);
    assert_int_equal(read_at(fd, ROM, &byte, 1), -EINVAL);
    assert_int_equal(rom_register(), 0xfd200000);
    assert_int_equal(fd_close(fd), 0);
    image[1] = 0xaa;
    pci_find(0, PLAIN)->rom.base = 0; /* not placed */
    fd = open_device(PLAIN);
    assert_int_equal(region_of(fd, VFIO_PCI_ROM_REGION_INDEX).size, 0);
    pci_find(0, PLAIN)->rom.base = 0xfd200000;
    assert_int_equal(region_of(open_device(RICH), VFIO_PCI_ROM_REGION_INDEX).size, 0);
}

/* ---- vital product data ---- */

static void vital_data_is_there_after_the_write(void **state)
{
    uint16_t address = 4;
    uint32_t data = 0;
    int fd = open_device(PLAIN);

    memcpy(plain->vital_data + 4, "abcd", 4);
    assert_int_equal(write_at(fd, CONFIG + plain->vpd + PCI_VPD_ADDRESS, &address, 2), 2);
    assert_int_equal(read_at(fd, CONFIG + plain->vpd + PCI_VPD_ADDRESS, &address, 2), 2);
    assert_int_equal(address, PCI_VPD_FLAG | 4);
    assert_int_equal(read_at(fd, CONFIG + plain->vpd + PCI_VPD_DATA, &data, 4), 4);
    assert_memory_equal(&data, "abcd", 4);
}

static void ports_are_accessed_while_they_are_decoded(void **state)
{
    uint32_t value = 0xabcdef01;
    uint8_t all[8] = {0};
    int fd = open_device(RICH);

    assert_int_equal(write_at(fd, REGION(2) + 4, &value, 4), 4);
    assert_int_equal(host_port.port, 0xc004);
    assert_int_equal(host_port.width, 4);
    assert_true(host_port.write);
    host_port.value = 0x1234;
    assert_int_equal(read_at(fd, REGION(2) + 2, &value, 2), 2);
    assert_int_equal(host_port.port, 0xc002);
    assert_int_equal(host_port.width, 2);
    assert_int_equal(value & 0xffff, 0x1234);
    assert_int_equal(read_at(fd, REGION(2) + 31, &value, 4), 1);
    assert_int_equal(write_at(fd, REGION(2) + 31, &value, 4), 1);
    assert_int_equal(host_port.width, 1);
    assert_int_equal(write_at(fd, REGION(2) + 30, &value, 2), 2);
    assert_int_equal(read_at(fd, REGION(2), &value, 4), 4);
    write_command(fd, PCI_COMMAND_MEMORY);
    assert_int_equal(read_at(fd, REGION(2), &value, 4), -EIO);
    assert_int_equal(hardware_command(rich) & PCI_COMMAND_IO, 0);
    /* By the record: what the hardware says by now does not count. */
    sim_set(rich, PCI_COMMAND, 2, 0xffff, 0x547);
    assert_int_equal(read_at(fd, REGION(2), &value, 4), -EIO);
    write_command(fd, PCI_COMMAND_IO);
    host_port.width = 0;
    assert_int_equal(write_at(fd, REGION(2), &value, 4), 4);
    assert_int_equal(write_at(fd, REGION(2) + 8, all, 8), 8); /* ports have no 8 bytes */
    assert_int_equal(host_port.port, 0xc00c);
    assert_int_equal(host_port.width, 4);
}

static void the_vector_table_is_out_of_reach(void **state)
{
    uint32_t value[4] = {1, 2, 3, 4};
    int fd = open_device(RICH);

    assert_int_equal(write_at(fd, 0x2000, value, 16), 16);
    assert_int_equal(write_at(fd, 0x207c, value, 8), 8); /* the last four bytes, and four beyond */
    assert_int_equal(sim_access_count, 1);
    check_access(0, 0xfe002080, 4, true);
    assert_int_equal(read_at(fd, 0x2000, value, 4), 4);
    assert_int_equal(value[0], 0xffffffff);
    assert_int_equal(read_at(fd, 0x3000, value, 4), 4); /* pending bits may be read */
    check_access(1, 0xfe003000, 4, false);
}

static void configuration_space_ends_where_it_ends(void **state)
{
    uint32_t value = 0;
    uint8_t all[256];
    int fd = open_device(PLAIN);

    assert_int_equal(read_at(fd, CONFIG, &value, 4), 4);
    assert_int_equal(value, 0x11e81234);
    assert_int_equal(read_at(fd, CONFIG, all, 256), 256);
    assert_int_equal(all[3], 0x11);
    assert_int_equal(read_at(fd, CONFIG + 1, &value, 3), 3);
    assert_int_equal(read_at(fd, CONFIG + 254, &value, 4), -EFAULT);
    assert_int_equal(read_at(fd, CONFIG + 256, &value, 1), -EFAULT);
    assert_int_equal(write_at(fd, CONFIG + PCI_COMMAND, NULL, 2), -EFAULT);
}

static void the_command_register_is_followed(void **state)
{
    int fd = open_device(RICH);
    struct pci_device *device = pci_find(0, RICH);

    assert_int_equal(read_command(fd), PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    assert_int_equal(hardware_command(rich), 0x403);
    write_command(fd, 0xffff);
    assert_int_equal(read_command(fd), 0x547);
    assert_int_equal(hardware_command(rich), 0x407); /* no SERR, no parity, no INTx */
    write_command(fd, 0);
    assert_int_equal(hardware_command(rich), 0x400);
    device->stopped = true; /* it faulted too often */
    write_command(fd, 7);
    assert_int_equal(hardware_command(rich), 0x403);
    device->stopped = false;
    write_command(fd, 7);
    assert_int_equal(fd_close(fd), 0);
    assert_int_equal(hardware_command(rich) & PCI_COMMAND_MASTER, 0);
}

/* Only a device with I/O BARs may decode I/O. */
static void no_io_decoding_without_ports(void **state)
{
    int fd = open_device(PLAIN);

    write_command(fd, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    assert_int_equal(hardware_command(plain), 0x406);
}

/* ---- mapped BARs ---- */

static void only_whole_pages_of_memory_are_mapped(void **state)
{
    struct memobj *object;
    struct phys_run run;
    uint64_t at;
    int fd = open_device(RICH), plain_fd = open_device(PLAIN);

    assert_int_equal(map(plain_fd, 0, MIB, true, &object, &at), 0);
    assert_int_equal(at, 0);
    assert_int_equal(object->flags, MEMOBJ_DEVICE);
    memobj_put(object);
    assert_int_equal(map(plain_fd, 0x4000, 0x1000, true, &object, &at), 0);
    assert_int_equal(at, 0x4000);
    memobj_put(object);
    assert_int_equal(map(plain_fd, 0, MIB, false, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, 0, MIB + 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, 0x1000, MIB, true, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, MIB, 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, 0x1000, UINT64_MAX & ~0xfffull, true, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, REGION(1), 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, CONFIG, 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(map(plain_fd, REGION(9), 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(map(fd, REGION(2), 0x1000, true, &object, &at), -EINVAL); /* ports */
    assert_int_equal(map(fd, REGION(4), 0x1000, true, &object, &at), -EINVAL); /* below a page */
    assert_int_equal(map(fd, REGION(5), 0x1000, true, &object, &at), 0);       /* its own page */
    assert_int_equal(object->size, 0x1000);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), 0);
    assert_int_equal(run.base, 0xfe011000);
    assert_int_equal(run.length, 0x1000);
    memobj_put(object);
    assert_int_equal(map(fd, REGION(5), 0x2000, true, &object, &at), -EINVAL);
    assert_int_equal(map(fd, REGION(5) + 0x1000, 0x1000, true, &object, &at), -EINVAL);
    /* All of it, with the vector table; but not its page where interrupts are not remapped. */
    assert_int_equal(map(fd, 0, 0x4000, true, &object, &at), 0);
    assert_int_equal(memobj_run(object, 0, 0x4000, &run), 0);
    assert_int_equal(run.length, 0x4000);
    memobj_put(object);
    assert_int_equal(fd_close(fd), 0);
    fd = open_device(RICH);
    host_remapped = false;
    rich->answers_from = SIM_NEVER; /* as in a reset: it does not say where its table is */
    assert_int_equal(map(fd, 0, 0x4000, true, &object, &at), -EINVAL);
    rich->answers_from = 0;
    assert_int_equal(map(fd, 0x2000, 0x1000, true, &object, &at), -EINVAL);
    assert_int_equal(map(fd, 0, 0x4000, true, &object, &at), -EINVAL);
    assert_int_equal(map(fd, 0x1000, 0x2000, true, &object, &at), -EINVAL);
    assert_int_equal(map(fd, 0x3000, 0x1000, true, &object, &at), 0);
    /* Whoever holds the object does not get there either. */
    assert_int_equal(memobj_run(object, 0, 0x4000, &run), 0);
    assert_int_equal(run.length, 0x2000);
    assert_int_equal(memobj_run(object, 0x2000, 0x1000, &run), -EFAULT);
    assert_int_equal(memobj_run(object, 0x3000, 0x1000, &run), 0);
    assert_int_equal(run.length, 0x1000);
    memobj_put(object);
    assert_int_equal(fd_close(fd), 0);
    fd = open_device(RICH);
    host_fail_nth(1);
    assert_int_equal(map(fd, 0, 0x2000, true, &object, &at), -ENOMEM);
}

static void pitfall_34_mappings_vanish_and_come_back(void **state)
{
    struct memobj_watcher watcher = {.revoke = note_revoke, .restore = note_restore};
    uint16_t d3 = PCI_PM_D3HOT, d0 = 0;
    struct memobj *object;
    struct phys_run run;
    uint64_t at;
    uint32_t value;
    int fd = open_device(RICH);

    revokes = restores = 0;
    assert_int_equal(map(fd, 0, 0x2000, true, &object, &at), 0);
    memobj_watch(object, &watcher);
    assert_int_equal(memobj_run(object, 0x1000, 0x1000, &run), 0);
    assert_int_equal(run.base, 0xfe001000);
    write_command(fd, 0); /* decoding off */
    assert_int_equal(revokes, 1);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), -EIO);
    assert_int_equal(read_at(fd, 0, &value, 4), -EIO);
    assert_int_equal(write_at(fd, 0, &value, 4), -EIO);
    write_command(fd, PCI_COMMAND_MEMORY);
    assert_int_equal(restores, 1);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), 0);
    /* A lower power state hides it too; configuration space stays. */
    assert_int_equal(write_at(fd, CONFIG + rich->pm + PCI_PM_CONTROL, &d3, 2), 2);
    assert_int_equal(revokes, 2);
    assert_int_equal(read_at(fd, 0, &value, 4), -EIO);
    assert_int_equal(read_at(fd, REGION(2), &value, 4), -EIO);
    assert_int_equal(hardware_command(rich), 0x400); /* nor does it reach memory */
    assert_int_equal(read_at(fd, CONFIG, &value, 4), 4);
    assert_int_equal(value, 0x00101b36);
    assert_int_equal(read_command(fd), PCI_COMMAND_MEMORY);
    assert_int_equal(write_at(fd, CONFIG + rich->pm + PCI_PM_CONTROL, &d0, 2), 2);
    assert_int_equal(hardware_command(rich), 0x402);
    assert_int_equal(restores, 2);
    /* So does a reset, while it lasts. */
    assert_int_equal(call(fd, VFIO_DEVICE_RESET, NULL), 0);
    assert_int_equal(revokes, 3);
    assert_int_equal(restores, 3);
    /* After the last close it is gone for good, even when the device is opened again. */
    assert_int_equal(fd_close(fd), 0);
    assert_int_equal(revokes, 4);
    fd = open_device(RICH);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), -EIO);
    memobj_unwatch(&watcher);
    memobj_put(object);
    write_command(fd, 0);
    assert_int_equal(map(fd, 0, 0x2000, true, &object, &at), 0); /* mapped while hidden */
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), -EIO);
    write_command(fd, PCI_COMMAND_MEMORY);
    assert_int_equal(memobj_run(object, 0, 0x1000, &run), 0);
    memobj_put(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_region_tells_its_size_and_offset),
        TEST(pitfall_28_the_vector_table_is_mapped),
        TEST(the_vector_table_is_left_out),
        TEST(pitfall_28_the_table_s_last_page_counts_whole),
        TEST(widths_follow_alignment),
        TEST(the_rom_is_read_while_it_is_switched_on),
        TEST(a_rom_without_its_signature_is_not_there),
        TEST(vital_data_is_there_after_the_write),
        TEST(ports_are_accessed_while_they_are_decoded),
        TEST(the_vector_table_is_out_of_reach),
        TEST(configuration_space_ends_where_it_ends),
        TEST(the_command_register_is_followed),
        TEST(no_io_decoding_without_ports),
        TEST(only_whole_pages_of_memory_are_mapped),
        TEST(pitfall_34_mappings_vanish_and_come_back),
    };

    return cmocka_run_group_tests(tests, build, NULL);
}
