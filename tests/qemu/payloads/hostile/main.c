/* SPDX-License-Identifier: BSD-2-Clause */
/* usage: hostile dma|device|race EDU OTHER CARD SIBLING DISK STRANGER, with the devices' addresses.
 */
#include "hostile.h"

#include <setjmp.h>
#include <signal.h>

#define AREAS 64

struct unit units[DEVICES] = {
    {.group = -1, .device = -1},
    {.group = -1, .device = -1},
    {.group = -1, .device = -1},
    {.group = -1, .device = -1},
};
const char *stranger, *sibling;
int container = -1, events[4] = {-1, -1, -1, -1};

static struct {
    uint8_t *at;
    uint64_t size;
} areas[AREAS];
static unsigned area_count;
static uint64_t mark;    /* differs for each attack */
static uint8_t *through; /* a page for what goes to and from the device */

#define THROUGH 0x3000000000ull

/* ---- devices ---- */

static bool map_bar(struct unit *unit)
{
    unit->bar = vfio_map_bar(unit->device, &unit->size);
    return unit->bar != NULL;
}

static bool join(struct unit *unit)
{
    char path[VFIO_PATH_SIZE];

    if (vfio_group_path(unit->name, path))
        return false;
    unit->group = open(path, O_RDWR);
    return unit->group >= 0 && !ioctl(unit->group, VFIO_GROUP_SET_CONTAINER, &container);
}

static bool open_unit(struct unit *unit)
{
    unit->device = ioctl(unit->group, VFIO_GROUP_GET_DEVICE_FD, unit->name);
    return unit->device >= 0 && !vfio_command(unit->device, MEMORY | MASTER) && map_bar(unit);
}

static bool open_units(unsigned mask)
{
    container = open("/dev/vfio/vfio", O_RDWR);
    for (int i = 0; i < DEVICES; i++)
        if (mask & ONLY(i) && !join(&units[i]))
            return false;
    if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU))
        return false;
    for (int i = 0; i < DEVICES; i++)
        if (mask & ONLY(i) && !open_unit(&units[i]))
            return false;
    through = new_memory(PAGE, 0);
    return !dma_map(THROUGH, through, PAGE, READ | WRITE);
}

bool open_some(unsigned mask)
{
    if (open_units(mask))
        return true;
    CONFORM_FAIL("cannot open the devices: %s", strerror(errno));
    return false;
}

static void close_one(int *file)
{
    if (*file >= 0)
        close(*file);
    *file = -1;
}

void close_unit(struct unit *unit)
{
    if (unit->bar)
        munmap((void *)unit->bar, unit->size);
    unit->bar = NULL;
    close_one(&unit->device);
    close_one(&unit->group);
}

void close_all(void)
{
    for (int i = 0; i < DEVICES; i++)
        close_unit(&units[i]);
    close_one(&container);
    for (int i = 0; i < 4; i++)
        close_one(&events[i]);
    while (area_count) {
        area_count--;
        munmap(areas[area_count].at, areas[area_count].size);
    }
}

uint32_t get_config(enum which which, unsigned offset, unsigned width)
{
    uint32_t value = 0;

    if (pread(units[which].device, &value, width, CONFIG + offset) != (ssize_t)width)
        CONFORM_FAIL("reading configuration at 0x%x: %s", offset, strerror(errno));
    return value;
}

void set_config(enum which which, unsigned offset, unsigned width, uint32_t value)
{
    if (pwrite(units[which].device, &value, width, CONFIG + offset) != (ssize_t)width)
        CONFORM_FAIL("writing configuration at 0x%x: %s", offset, strerror(errno));
}

unsigned find_capability(enum which which, uint8_t id)
{
    unsigned offset = get_config(which, 0x34, 1) & 0xfc;

    for (int i = 0; i < 48 && offset; i++) {
        if (get_config(which, offset, 1) == id)
            return offset;
        offset = get_config(which, offset + 1, 1) & 0xfc;
    }
    return 0;
}

static _Thread_local sigjmp_buf back;

static void on_bus_error(int number)
{
    siglongjmp(back, 1);
}

bool faults(const volatile void *at)
{
    const struct sigaction action = {.sa_handler = on_bus_error};

    sigaction(SIGBUS, &action, NULL);
    if (sigsetjmp(back, 1))
        return true;
    (void)*(const volatile uint32_t *)at;
    return false;
}

/* ---- memory ---- */

void free_later(void *memory, uint64_t size)
{
    areas[area_count].at = memory;
    areas[area_count++].size = size;
}

uint8_t *new_memory(uint64_t size, uint8_t fill)
{
    uint8_t *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (memory == MAP_FAILED || area_count == AREAS) {
        printf("hostile: no memory\n");
        exit(2);
    }
    memset(memory, fill, size);
    free_later(memory, size);
    return memory;
}

bool is_filled(const uint8_t *memory, uint64_t size, uint8_t fill)
{
    for (uint64_t i = 0; i < size; i++)
        if (memory[i] != fill)
            return false;
    return true;
}

int dma_map(uint64_t iova, const void *memory, uint64_t size, unsigned permissions)
{
    struct vfio_iommu_type1_dma_map map = {.argsz = sizeof(map),
                                           .flags = permissions,
                                           .vaddr = (uintptr_t)memory,
                                           .iova = iova,
                                           .size = size};

    return ioctl(container, VFIO_IOMMU_MAP_DMA, &map);
}

int dma_unmap(uint64_t iova, uint64_t size)
{
    struct vfio_iommu_type1_dma_unmap unmap = {.argsz = sizeof(unmap), .iova = iova, .size = size};

    return ioctl(container, VFIO_IOMMU_UNMAP_DMA, &unmap);
}

/* ---- an edu ---- */

static volatile uint64_t *edu_register(enum which which, unsigned offset)
{
    return (volatile uint64_t *)(units[which].bar + offset);
}

void edu_start(enum which which, uint64_t source, uint64_t target, uint64_t bytes, bool to_memory)
{
    *edu_register(which, EDU_SOURCE) = source;
    *edu_register(which, EDU_TARGET) = target;
    *edu_register(which, EDU_COUNT) = bytes;
    *edu_register(which, EDU_COMMAND) = EDU_RUN | (to_memory ? EDU_TO_MEMORY : 0);
}

void edu_wait(enum which which)
{
    const struct timespec pause = {0, 5000000};

    while (*edu_register(which, EDU_COMMAND) & EDU_RUN)
        nanosleep(&pause, NULL);
}

static void transfer(enum which which, uint64_t source, uint64_t target, uint64_t bytes,
                     bool to_memory)
{
    edu_start(which, source, target, bytes, to_memory);
    edu_wait(which);
}

/*
 * Two words by which it is found, wherever in memory it is, and the number of the attack.
 * Calculated when it is needed, so that the program's own image does not hold it.
 */
static uint64_t mark_word(unsigned i)
{
    static const volatile uint64_t words[2] = {0x6d61726b2d6f6e65, 0x6d61726b2d74776f};

    return i < 2 ? ~words[i] : mark;
}

void edu_load_mark(enum which which)
{
    for (unsigned i = 0; i < BYTES / 8; i++)
        ((volatile uint64_t *)through)[i] = mark_word(i);
    transfer(which, THROUGH, EDU_BUFFER, BYTES, false);
    memset(through, 0, BYTES);
}

bool is_marked(const uint8_t *memory)
{
    uint64_t word;

    for (unsigned i = 0; i < BYTES / 8; i++) {
        memcpy(&word, memory + 8ull * i, 8);
        if (word != mark_word(i))
            return false;
    }
    return true;
}

void edu_write(enum which which, uint64_t address, uint64_t bytes)
{
    edu_load_mark(which);
    transfer(which, EDU_BUFFER, address, bytes, true);
}

void edu_clear(enum which which, uint64_t address)
{
    transfer(which, THROUGH, EDU_BUFFER, BYTES, false);
    transfer(which, EDU_BUFFER, address, BYTES, true);
}

void edu_read(enum which which, uint64_t address, uint8_t *out)
{
    edu_load_mark(which);
    transfer(which, address, EDU_BUFFER, BYTES, false);
    transfer(which, EDU_BUFFER, THROUGH, BYTES, true);
    memcpy(out, through, BYTES);
    memset(through, 0, BYTES);
}

uint64_t fault_count(void)
{
    char text[64] = "";
    int file = open("/sys/kernel/iommu/faults", O_RDONLY);
    ssize_t n = read(file, text, sizeof(text) - 1);

    close(file);
    return n > 6 ? strtoull(text + 6, NULL, 10) : 0;
}

bool faulted_since(uint64_t before)
{
    const struct timespec pause = {0, 1000000};

    for (unsigned i = 0; i < 100 && fault_count() == before; i++)
        nanosleep(&pause, NULL);
    return fault_count() > before;
}

/* ---- interrupts ---- */

void open_events(void)
{
    for (int i = 0; i < 4; i++)
        events[i] = eventfd(0, EFD_NONBLOCK);
}

uint64_t take(int event)
{
    uint64_t count = 0;

    return read(event, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

int set_irqs(enum which which, uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
             const int32_t *data)
{
    struct {
        uint32_t argsz, flags, index, start, count;
        int32_t data[4];
    } irq = {sizeof(irq), flags, index, start, count, {0}};

    if (data)
        memcpy(irq.data, data, sizeof(irq.data));
    return ioctl(units[which].device, VFIO_DEVICE_SET_IRQS, &irq);
}

int bind_event(enum which which, uint32_t index, uint32_t vector, int event)
{
    const int32_t data[4] = {event};

    return set_irqs(which, EVENT | TRIGGER, index, vector, 1, data);
}

void let_arrive(void)
{
    const struct timespec pause = {0, 2000000};

    nanosleep(&pause, NULL);
}

/* ---- the other side ---- */

/* Two words at a place that the test finds by the magic in front of them. */
struct control {
    volatile uint64_t magic[2], question, answer;
};
static struct control *control;

void ask_prepare(void)
{
    control = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    control->magic[0] = 0x6465626172656461;
    control->magic[1] = ~control->magic[0];
}

uint64_t ask(enum question question)
{
    const struct timespec pause = {0, 1000000};

    control->question = question;
    while (control->question != NOTHING)
        nanosleep(&pause, NULL);
    return control->answer;
}

/* ---- all of it ---- */

/* The machine does its work: a reset, memory to the device and back, a message. */
static void check_health(void)
{
    uint8_t *memory;

    close_all();
    START(ONLY(EDU));
    memory = new_memory(2 * PAGE, 0);
    open_events();
    CHECK_OK(ioctl(units[EDU].device, VFIO_DEVICE_RESET));
    *(volatile uint32_t *)(units[EDU].bar + EDU_ACKNOWLEDGE) = ~0u;
    CHECK_OK(dma_map(IOVA, memory, 2 * PAGE, READ | WRITE));
    CHECK_OK(bind_event(EDU, MSI, 0, events[0]));
    edu_write(EDU, IOVA + PAGE, BYTES);
    CHECK(is_marked(memory + PAGE));
    memset(memory + PAGE, 0, BYTES);
    *(volatile uint32_t *)(units[EDU].bar + EDU_RAISE) = 1;
    *(volatile uint32_t *)(units[EDU].bar + EDU_ACKNOWLEDGE) = 1;
    CHECK_EQUAL(take(events[0]), 1);
}

void begin_attack(const char *name)
{
    conform_why[0] = '\0';
    mark++;
    printf("hostile: %s\n", name);
    fflush(stdout);
}

bool end_attack(const char *name)
{
    check_health();
    close_all();
    if (conform_why[0])
        printf("FAIL %s: %s\n", name, conform_why);
    else
        printf("ok %s\n", name);
    return !conform_why[0];
}

static bool run_table(const struct attack *attack)
{
    bool good = true;

    for (; attack->name; attack++) {
        begin_attack(attack->name);
        attack->run();
        good &= end_attack(attack->name);
    }
    return good;
}

/* Shows that the marks are found: one is left, where the device may write. */
static bool leave_a_mark(void)
{
    uint8_t *memory;

    conform_why[0] = '\0';
    mark = 0;
    if (!open_some(ONLY(EDU)))
        return false;
    memory = new_memory(PAGE, 0);
    if (dma_map(IOVA, memory, PAGE, READ | WRITE))
        return false;
    edu_write(EDU, IOVA, BYTES);
    return is_marked(memory);
}

static const struct {
    const char *set;
    const struct attack *table;
} tables[] = {
    {"dma", dma_attacks},     {"dma", map_attacks},      {"device", config_attacks},
    {"device", irq_attacks},  {"device", table_attacks}, {"device", window_attacks},
    {"device", file_attacks},
};

static bool run_set(const char *set)
{
    bool good = true;

    if (strcmp(set, "race") == 0)
        return race_every_pair();
    for (unsigned i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
        if (strcmp(tables[i].set, set) == 0)
            good &= run_table(tables[i].table);
    return good;
}

int main(int argc, char **argv)
{
    if (argc != 8)
        return 2;
    for (int i = 0; i < 3; i++)
        units[i].name = argv[2 + i];
    sibling = argv[5];
    units[DISK].name = argv[6];
    stranger = argv[7];
    ask_prepare();
    printf("hostile: ready\n");
    fflush(stdout);
    ask(HARDWARE); /* as it is before anything was done */
    return !run_set(argv[1]) || !leave_a_mark();
}
