/* SPDX-License-Identifier: BSD-2-Clause */
/* Every rule of the FPGA port and FME interfaces, one case each; the card is the software FPGA. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/fpga-dfl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "dfl.h"

#define FME "/dev/dfl-fme.0"

static const char *path;
int port = -1, other = -1, event = -1;
volatile uint8_t *afu;
uint64_t afu_size;
unsigned char *memory;

static void close_all(void)
{
    int *all[] = {&port, &other, &event};

    if (afu)
        munmap((void *)afu, afu_size);
    afu = NULL;
    for (unsigned i = 0; i < 3; i++) {
        if (*all[i] >= 0)
            close(*all[i]);
        *all[i] = -1;
    }
}

bool begin(void)
{
    struct dfl_fpga_port_region_info r = {.argsz = sizeof(r)};

    port = open(path, O_RDWR);
    if (port < 0 || ioctl(port, DFL_FPGA_PORT_GET_REGION_INFO, &r)) {
        CONFORM_FAIL("%s: %s", path, strerror(errno));
        return false;
    }
    afu_size = r.size;
    void *mapped = mmap(NULL, r.size, PROT_READ | PROT_WRITE, MAP_SHARED, port, (off_t)r.offset);
    if (mapped == MAP_FAILED) {
        CONFORM_FAIL("mmap: %s", strerror(errno));
        return false;
    }
    afu = mapped;
    return true;
}

uint64_t read64(unsigned at)
{
    return *(volatile uint64_t *)(afu + at);
}

void write64(unsigned at, uint64_t value)
{
    *(volatile uint64_t *)(afu + at) = value;
}

void pause_ms(unsigned ms)
{
    struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};

    nanosleep(&t, NULL);
}

void misbehave(uint64_t mode)
{
    write64(TEST_MODE, mode);
    while (read64(TEST_MODE))
        pause_ms(1);
}

int map_size(const void *address, uint64_t length, uint64_t *iova)
{
    struct dfl_fpga_port_dma_map m = {
        .argsz = sizeof(m), .user_addr = (uintptr_t)address, .length = length};
    int result = ioctl(port, DFL_FPGA_PORT_DMA_MAP, &m);

    *iova = m.iova;
    return result;
}

int unmap(uint64_t iova)
{
    struct dfl_fpga_port_dma_unmap u = {.argsz = sizeof(u), .iova = iova};

    return ioctl(port, DFL_FPGA_PORT_DMA_UNMAP, &u);
}

int set_irqs(int file, unsigned long call, uint32_t start, uint32_t count, int fd0, int fd1)
{
    uint32_t words[4] = {start, count, (uint32_t)fd0, (uint32_t)fd1};

    return ioctl(file, call, words);
}

bool signalled(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 20000) == 1;
}

static bool read_row(const char *row, char *text, size_t size)
{
    char file[128];

    snprintf(file, sizeof(file), REGION "/%s", row);
    int fd = open(file, O_RDONLY);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, text, size - 1);
    text[n > 0 ? n : 0] = '\0';
    close(fd);
    return n > 0;
}

/* Files. */

static void exclusive_open_keeps_others_out(void)
{
    port = open(path, O_RDWR | O_EXCL);
    CHECK_OK(port);
    CHECK_ERROR(open(path, O_RDWR), EBUSY);
    CHECK_ERROR(open(path, O_RDWR | O_EXCL), EBUSY);
    close(port);
    port = open(path, O_RDWR);
    CHECK_OK(port);
    CHECK_ERROR(open(path, O_RDWR | O_EXCL), EBUSY);
    other = open(path, O_RDWR);
    CHECK_OK(other);
}

static void version_and_extensions(void)
{
    CHECK(begin());
    CHECK_EQUAL(ioctl(port, DFL_FPGA_GET_API_VERSION), 0);
    CHECK_EQUAL(ioctl(port, DFL_FPGA_CHECK_EXTENSION, 1), 0);
    other = open(FME, O_RDWR);
    CHECK_OK(other);
    CHECK_EQUAL(ioctl(other, DFL_FPGA_GET_API_VERSION), 0);
}

static void unknown_calls_are_invalid(void)
{
    CHECK(begin());
    CHECK_ERROR(ioctl(port, _IO(DFL_FPGA_MAGIC, 0x7f)), EINVAL);
    other = open(FME, O_RDWR);
    CHECK_OK(other);
    CHECK_ERROR(ioctl(other, _IO(DFL_FPGA_MAGIC, 0x7f)), EINVAL);
}

/* Information. */

static void info_and_its_size(void)
{
    struct dfl_fpga_port_info i = {.argsz = sizeof(i), .flags = 7, .num_umsgs = 7};

    CHECK(begin());
    CHECK_OK(ioctl(port, DFL_FPGA_PORT_GET_INFO, &i));
    CHECK_EQUAL(i.flags, 0);
    CHECK_EQUAL(i.num_regions, 1);
    CHECK_EQUAL(i.num_umsgs, 0);
    i.argsz = sizeof(i) - 1;
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_GET_INFO, &i), EINVAL);
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_GET_INFO, NULL), EFAULT);
}

static void region_info(void)
{
    struct dfl_fpga_port_region_info r = {.argsz = sizeof(r)};

    CHECK(begin());
    CHECK_OK(ioctl(port, DFL_FPGA_PORT_GET_REGION_INFO, &r));
    CHECK_EQUAL(r.flags, 7);
    CHECK_EQUAL(r.size, 256 * 1024);
    r.padding = 1;
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_GET_REGION_INFO, &r), EINVAL);
    r.padding = 0;
    r.index = DFL_PORT_REGION_INDEX_STP;
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_GET_REGION_INFO, &r), EINVAL);
    r.index = 2;
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_GET_REGION_INFO, &r), EINVAL);
    r = (struct dfl_fpga_port_region_info){.argsz = sizeof(r) - 1};
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_GET_REGION_INFO, &r), EINVAL);
}

static void mmap_refusals(void)
{
    CHECK(begin());
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, port, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, afu_size + PAGE, PROT_READ, MAP_SHARED, port, 0) == MAP_FAILED &&
          errno == EINVAL);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, port, (off_t)afu_size) == MAP_FAILED &&
          errno == EINVAL);
}

/* What lies behind the window in the same BAR is not the AFU's. */
static void window_does_not_grow(void)
{
    CHECK(begin());
    CHECK(mremap((void *)afu, 0, 2 * afu_size, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
    CHECK(mremap((void *)afu, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EFAULT);
    CHECK(mremap((void *)afu, afu_size, 2 * afu_size, MREMAP_MAYMOVE) == MAP_FAILED &&
          errno == EFAULT);
}

/* mmap, then close: what the program can still reach is still in use. */
static void mapping_keeps_the_port_open(void)
{
    CHECK(begin());
    uint64_t header = *(volatile uint64_t *)afu;
    close(port);
    port = -1;
    CHECK(header != 0);
    CHECK_EQUAL(*(volatile uint64_t *)afu, header);
    CHECK_ERROR(open(path, O_RDWR | O_EXCL), EBUSY);
    munmap((void *)afu, afu_size);
    afu = NULL;
    port = open(path, O_RDWR | O_EXCL);
    CHECK_OK(port);
}

static void rows_of_sysfs(void)
{
    char text[80];

    CHECK(read_row("dfl-port.0/afu_id", text, sizeof(text)));
    CHECK(strcmp(text, "d8424dc4a4a3c413f89e433683f9040b\n") == 0);
    CHECK(read_row("dfl-port.0/id", text, sizeof(text)));
    CHECK(strcmp(text, "0\n") == 0);
    CHECK(read_row("dfl-fme.0/ports_num", text, sizeof(text)));
    CHECK(strcmp(text, "1\n") == 0);
    CHECK(read_row("dfl-fme.0/bitstream_id", text, sizeof(text)));
    CHECK(strcmp(text, "0x123000200000b01\n") == 0);
    CHECK(read_row("dfl-port.0/power_state", text, sizeof(text)));
    CHECK(read_row("dfl-port.0/errors/errors", text, sizeof(text)));
}

/* Reset. */

static void reset_takes_no_argument(void)
{
    CHECK(begin());
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_RESET, 1), EINVAL);
    CHECK_OK(ioctl(port, DFL_FPGA_PORT_RESET, 0));
}

static void reset_times_out_and_recovers(void)
{
    char text[64];

    CHECK(begin());
    misbehave(MODE_NO_ACK);
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_RESET, 0), ETIMEDOUT);
    CHECK(!read_row("dfl-port.0/afu_id", text, sizeof(text)) && errno == EBUSY);
    misbehave(MODE_GOOD);
    CHECK_OK(ioctl(port, DFL_FPGA_PORT_RESET, 0));
}

static void reset_waits_for_the_acknowledge_to_go(void)
{
    CHECK(begin());
    misbehave(MODE_ACK_STUCK);
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_RESET, 0), ETIMEDOUT);
    misbehave(MODE_GOOD);
    CHECK_OK(ioctl(port, DFL_FPGA_PORT_RESET, 0));
}

/* DMA_MAP and DMA_UNMAP. */

static void map_argument_checks(void)
{
    struct dfl_fpga_port_dma_map m = {
        .argsz = sizeof(m), .flags = 1, .user_addr = (uintptr_t)memory, .length = PAGE};
    uint64_t iova;

    CHECK(begin());
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_DMA_MAP, &m), EINVAL);
    m.flags = 0;
    m.argsz = sizeof(m) - 1;
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_DMA_MAP, &m), EINVAL);
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_DMA_MAP, NULL), EFAULT);
    CHECK_ERROR(map_size(memory, 0, &iova), EINVAL);
    CHECK_ERROR(map_size(memory + 1, PAGE, &iova), EINVAL);
    CHECK_ERROR(map_size(memory, PAGE + 1, &iova), EINVAL);
    CHECK_ERROR(map_size((void *)-PAGE, 2 * PAGE, &iova), EINVAL);
    CHECK_ERROR(map_size((void *)0xffff800000000000, PAGE, &iova), EINVAL);
}

static void map_grows_by_argsz(void)
{
    struct {
        struct dfl_fpga_port_dma_map m;
        uint64_t more;
    } a = {.m = {.argsz = sizeof(a), .user_addr = (uintptr_t)memory, .length = PAGE},
           .more = ~0ull};

    CHECK(begin());
    CHECK_OK(ioctl(port, DFL_FPGA_PORT_DMA_MAP, &a));
    CHECK_EQUAL(a.more, ~0ull);
    CHECK_OK(unmap(a.m.iova));
}

static void map_unreachable_memory(void)
{
    unsigned char *hole =
        mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t iova;

    CHECK(begin());
    CHECK(hole != MAP_FAILED);
    CHECK_OK(munmap(hole + PAGE, PAGE));
    CHECK_ERROR(map_size(hole, 3 * PAGE, &iova), EFAULT);
    CHECK_OK(mprotect(hole, PAGE, PROT_READ));
    CHECK_ERROR(map_size(hole, PAGE, &iova), EFAULT);
    CHECK_ERROR(map_size((void *)afu, PAGE, &iova), EFAULT);
    munmap(hole, 3 * PAGE);
}

static void map_is_charged(void)
{
    struct rlimit old, low;
    uint64_t iova, again;

    CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &old));
    low = (struct rlimit){8 * PAGE, old.rlim_max};
    CHECK(begin());
    CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &low));
    bool binds = map_size(memory, 9 * PAGE, &iova) == -1 && errno == ENOMEM;
    binds = binds && map_size(memory, 8 * PAGE, &iova) == 0;
    binds = binds && map_size(memory + 8 * PAGE, PAGE, &again) == -1 && errno == ENOMEM;
    binds = binds && unmap(iova) == 0 && map_size(memory, PAGE, &again) == 0 && unmap(again) == 0;
    CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &old));
    CHECK(binds);
}

/* The structure lies in a page that can be read but not written: the mapping must be undone. */
static void map_undone_if_the_result_cannot_be_stored(void)
{
    struct dfl_fpga_port_dma_map *m =
        mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct rlimit old, low;
    uint64_t iova;

    CHECK(m != MAP_FAILED);
    *m = (struct dfl_fpga_port_dma_map){
        .argsz = sizeof(*m), .user_addr = (uintptr_t)memory, .length = 8 * PAGE};
    CHECK_OK(mprotect(m, PAGE, PROT_READ));
    CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &old));
    low = (struct rlimit){8 * PAGE, old.rlim_max};
    CHECK(begin());
    CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &low));
    bool refused = ioctl(port, DFL_FPGA_PORT_DMA_MAP, m) == -1 && errno == EFAULT;
    /* Nothing is charged, so the whole limit is there. */
    bool undone = map_size(memory, 8 * PAGE, &iova) == 0;
    CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &old));
    CHECK(refused && undone);
    munmap(m, PAGE);
}

static void unmap_wants_the_exact_start(void)
{
    struct dfl_fpga_port_dma_unmap u = {.argsz = sizeof(u), .flags = 1};
    uint64_t iova;

    CHECK(begin());
    CHECK_OK(map_size(memory, 4 * PAGE, &iova));
    CHECK_ERROR(unmap(iova + PAGE), EINVAL);
    CHECK_ERROR(unmap(iova + 4 * PAGE), EINVAL);
    u.iova = iova;
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_DMA_UNMAP, &u), EINVAL);
    u.flags = 0;
    u.argsz = sizeof(u) - 1;
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_DMA_UNMAP, &u), EINVAL);
    CHECK_OK(unmap(iova));
    CHECK_ERROR(unmap(iova), EINVAL);
}

static void regions_do_not_overlap(void)
{
    uint64_t a, b;

    CHECK(begin());
    CHECK_OK(map_size(memory, 4 * PAGE, &a));
    CHECK_OK(map_size(memory, 4 * PAGE, &b));
    CHECK(a + 4 * PAGE <= b || b + 4 * PAGE <= a);
    CHECK_OK(unmap(a));
    CHECK_OK(unmap(b));
}

static void scattered_memory_is_welcome(void)
{
    unsigned char *two =
        mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    uint64_t iova;

    CHECK(begin());
    CHECK(two != MAP_FAILED);
    void *moved = mremap(memory, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, two);
    CHECK(moved == two);
    CHECK_OK(map_size(two, 2 * PAGE, &iova));
    CHECK_OK(unmap(iova));
    CHECK(mmap(memory, PAGE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1,
               0) == memory);
    munmap(two, 2 * PAGE);
}

static void last_close_removes_every_region(void)
{
    struct rlimit old, low;
    uint64_t iova;

    CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &old));
    low = (struct rlimit){32 * PAGE, old.rlim_max};
    CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &low));
    CHECK(begin());
    for (unsigned i = 0; i < 4; i++)
        CHECK_OK(map_size(memory + i * 8 * PAGE, 8 * PAGE, &iova));
    close_all();
    CHECK(begin());
    bool free_again = map_size(memory, 32 * PAGE, &iova) == 0;
    CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &old));
    CHECK(free_again);
}

/* Interrupts. */

static void irq_numbers(void)
{
    uint32_t count = 99;

    CHECK(begin());
    CHECK_OK(ioctl(port, DFL_FPGA_PORT_ERR_GET_IRQ_NUM, &count));
    CHECK_EQUAL(count, 1);
    CHECK_OK(ioctl(port, DFL_FPGA_PORT_UINT_GET_IRQ_NUM, &count));
    CHECK_EQUAL(count, 2);
    other = open(FME, O_RDWR);
    CHECK_OK(other);
    CHECK_OK(ioctl(other, DFL_FPGA_FME_ERR_GET_IRQ_NUM, &count));
    CHECK_EQUAL(count, 1);
    CHECK_ERROR(ioctl(port, DFL_FPGA_PORT_ERR_GET_IRQ_NUM, NULL), EFAULT);
}

static void irq_set_checks(void)
{
    CHECK(begin());
    event = eventfd(0, 0);
    CHECK_OK(event);
    CHECK_ERROR(set_irqs(port, DFL_FPGA_PORT_UINT_SET_IRQ, 0, 0, event, event), EINVAL);
    CHECK_ERROR(set_irqs(port, DFL_FPGA_PORT_UINT_SET_IRQ, 0, 3, event, event), EINVAL);
    CHECK_ERROR(set_irqs(port, DFL_FPGA_PORT_UINT_SET_IRQ, 2, 1, event, event), EINVAL);
    CHECK_ERROR(set_irqs(port, DFL_FPGA_PORT_UINT_SET_IRQ, 1, ~0u, event, event), EINVAL);
    CHECK_ERROR(set_irqs(port, DFL_FPGA_PORT_UINT_SET_IRQ, 0, 1, 999, 0), EBADF);
    CHECK_ERROR(set_irqs(port, DFL_FPGA_PORT_UINT_SET_IRQ, 0, 1, port, 0), EINVAL);
    CHECK_OK(set_irqs(port, DFL_FPGA_PORT_UINT_SET_IRQ, 0, 1, -1, 0));
}

/* The second descriptor is bad, so the first must not have been taken. */
static void irq_set_is_all_or_nothing(void)
{
    CHECK(begin());
    event = eventfd(0, EFD_NONBLOCK);
    other = eventfd(0, EFD_NONBLOCK);
    CHECK(event >= 0 && other >= 0);
    CHECK_OK(set_irqs(port, DFL_FPGA_PORT_UINT_SET_IRQ, 0, 1, event, 0));
    CHECK_ERROR(set_irqs(port, DFL_FPGA_PORT_UINT_SET_IRQ, 0, 2, other, 999), EBADF);
    write64(TEST_INJECT, INJECT_USER_0);
    CHECK(signalled(event));
    uint64_t count;
    CHECK_ERROR(read(other, &count, 8), EAGAIN);
}

/* The card keeps what it raises while nobody listens. */
static void unheard_interrupt_waits(void)
{
    CHECK(begin());
    event = eventfd(0, EFD_NONBLOCK);
    write64(TEST_INJECT, INJECT_USER_0);
    pause_ms(500);
    CHECK_OK(set_irqs(port, DFL_FPGA_PORT_UINT_SET_IRQ, 0, 1, event, 0));
    CHECK(signalled(event));
}

static void user_interrupts_arrive(void)
{
    uint64_t count;

    CHECK(begin());
    event = eventfd(0, 0);
    CHECK_OK(set_irqs(port, DFL_FPGA_PORT_UINT_SET_IRQ, 1, 1, event, 0));
    write64(TEST_INJECT, INJECT_USER_1);
    CHECK(signalled(event));
    CHECK_EQUAL(read(event, &count, 8), 8);
    CHECK_EQUAL(count, 1);
}

static void error_interrupts_arrive(void)
{
    CHECK(begin());
    event = eventfd(0, 0);
    CHECK_OK(set_irqs(port, DFL_FPGA_PORT_ERR_SET_IRQ, 0, 1, event, 0));
    write64(TEST_INJECT, INJECT_PORT);
    CHECK(signalled(event));
}

static void fme_errors_arrive(void)
{
    CHECK(begin());
    event = eventfd(0, 0);
    other = open(FME, O_RDWR);
    CHECK_OK(other);
    CHECK_OK(set_irqs(other, DFL_FPGA_FME_ERR_SET_IRQ, 0, 1, event, 0));
    write64(TEST_INJECT, INJECT_FME);
    CHECK(signalled(event));
}

static void fme_refuses_what_it_cannot(void)
{
    int number = 0;

    other = open(FME, O_RDWR);
    CHECK_OK(other);
    CHECK_ERROR(ioctl(other, DFL_FPGA_FME_PORT_RELEASE, &number), EOPNOTSUPP);
    CHECK_ERROR(ioctl(other, DFL_FPGA_FME_PORT_ASSIGN, &number), EOPNOTSUPP);
    CHECK_ERROR(ioctl(other, DFL_FPGA_FME_PORT_PR, &number), EOPNOTSUPP);
}

static const struct conform_case cases[] = {
    CASE(exclusive_open_keeps_others_out),
    CASE(version_and_extensions),
    CASE(unknown_calls_are_invalid),
    CASE(info_and_its_size),
    CASE(region_info),
    CASE(mmap_refusals),
    CASE(window_does_not_grow),
    CASE(mapping_keeps_the_port_open),
    CASE(rows_of_sysfs),
    CASE(reset_takes_no_argument),
    CASE(reset_times_out_and_recovers),
    CASE(reset_waits_for_the_acknowledge_to_go),
    CASE(map_argument_checks),
    CASE(map_grows_by_argsz),
    CASE(map_unreachable_memory),
    CASE(map_is_charged),
    CASE(map_undone_if_the_result_cannot_be_stored),
    CASE(unmap_wants_the_exact_start),
    CASE(regions_do_not_overlap),
    CASE(scattered_memory_is_welcome),
    CASE(last_close_removes_every_region),
    CASE(irq_numbers),
    CASE(irq_set_checks),
    CASE(irq_set_is_all_or_nothing),
    CASE(unheard_interrupt_waits),
    CASE(user_interrupts_arrive),
    CASE(error_interrupts_arrive),
    CASE(fme_errors_arrive),
    CASE(fme_refuses_what_it_cannot),
    LAST_CASE,
};

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: dfl /dev/dfl-port.N [CASE]...\n");
        return 2;
    }
    path = argv[1];
    memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return 2;
    const struct conform_case *const tables[] = {cases, dma_cases};
    return conform_run_tables(tables, 2, close_all, argc, argv);
}
