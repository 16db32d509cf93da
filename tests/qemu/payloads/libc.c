/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a program may expect of its C library and of the system calls below it, one case each. The
 * SDK, musl and glibc builds run on Linux and in a guest; the first argument is not used.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "conform.h"

static __thread int thread_value = 42;
static __thread volatile int thread_zero;
static int constructed;
static char **arguments;
static sigjmp_buf back;
static volatile int caught;
static void *volatile fault_address;

__attribute__((constructor)) static void construct(void)
{
    constructed = 7;
}

static void start_up(void)
{
    CHECK_EQUAL(constructed, 7);
    thread_zero = thread_value;
    CHECK_EQUAL(thread_zero, 42);
    CHECK(arguments[0] && arguments[0][0]);
    CHECK_EQUAL(getauxval(AT_PAGESZ), 4096);
    CHECK_EQUAL(sysconf(_SC_PAGESIZE), 4096);
    CHECK((uintptr_t)__builtin_frame_address(0) % 16 == 0);
}

static void environment(void)
{
    CHECK_EQUAL(setenv("BULKHEAD_TEST", "one", 1), 0);
    CHECK(strcmp(getenv("BULKHEAD_TEST"), "one") == 0);
    CHECK(!getenv("BULKHEAD_NO_SUCH"));
}

static void formatting(void)
{
    char text[100];

    snprintf(text, sizeof(text), "%d %5.2f %" PRIx64 " %zu %s", -3, 3.14159, UINT64_MAX,
             sizeof(void *), "text");
    CHECK(strcmp(text, "-3  3.14 ffffffffffffffff 8 text") == 0);
    CHECK(strtod("2.5e3", NULL) == 2500.0);
    CHECK_EQUAL(strtoull("0xffffffffffffffff", NULL, 0), -1);
}

static void error_numbers(void)
{
    CHECK_ERROR(open("/no/such/file", O_RDONLY), ENOENT);
    CHECK_ERROR(close(99), EBADF);
    CHECK_ERROR(syscall(SYS_getpid + 100000), ENOSYS);
    CHECK_EQUAL(EOVERFLOW, 75);
    CHECK_EQUAL(EADDRINUSE, 98);
    CHECK_EQUAL(ENOTSUP, EOPNOTSUPP);
}

static void heap(void)
{
    unsigned char *blocks[64];

    for (unsigned i = 0; i < 64; i++) {
        blocks[i] = malloc(i * 977);
        CHECK(blocks[i]);
        memset(blocks[i], (int)i, i * 977);
    }
    for (unsigned i = 1; i < 64; i++)
        CHECK(blocks[i][0] == i && blocks[i][i * 977 - 1] == i);
    for (unsigned i = 0; i < 64; i++)
        free(blocks[i]);
    void *big = malloc(8 << 20);
    CHECK(big);
    memset(big, 1, 8 << 20);
    free(big);
    CHECK_EQUAL(posix_memalign(&big, 8192, 100), 0);
    CHECK((uintptr_t)big % 8192 == 0);
    free(big);
    CHECK_EQUAL(posix_memalign(&big, 3, 100), EINVAL);
}

static void mappings(void)
{
    char *memory = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED && (uintptr_t)memory % 4096 == 0);
    for (unsigned i = 0; i < 4 * 4096; i++)
        CHECK(memory[i] == 0);
    memory[5] = 9;
    CHECK_OK(munmap(memory + 2 * 4096, 2 * 4096));
    CHECK_EQUAL(memory[5], 9);
    CHECK_OK(munmap(memory, 2 * 4096));
    CHECK_ERROR((long)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK_ERROR((long)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, 99, 0), EBADF);
}

static void eventfd_counter(void)
{
    int fd = eventfd(3, EFD_NONBLOCK | EFD_CLOEXEC);
    eventfd_t value = 0;

    CHECK_OK(fd);
    CHECK_OK(eventfd_read(fd, &value));
    CHECK_EQUAL(value, 3);
    CHECK_ERROR(eventfd_read(fd, &value), EAGAIN);
    CHECK_OK(eventfd_write(fd, 2));
    CHECK_OK(eventfd_write(fd, 5));
    CHECK_OK(eventfd_read(fd, &value));
    CHECK_EQUAL(value, 7);
    CHECK_ERROR(eventfd_write(fd, UINT64_MAX), EINVAL);
    CHECK_ERROR(read(fd, &value, 7), EINVAL);
    CHECK_EQUAL(fcntl(fd, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
    CHECK_EQUAL(fcntl(fd, F_GETFD), FD_CLOEXEC);
    CHECK_OK(close(fd));
}

static void descriptors(void)
{
    int fd = eventfd(0, 0);
    int copy = dup(fd);
    eventfd_t value = 0;

    CHECK_OK(copy);
    CHECK(copy > fd);
    CHECK_OK(eventfd_write(copy, 1));
    CHECK_OK(close(copy));
    CHECK_OK(eventfd_read(fd, &value));
    CHECK_EQUAL(value, 1);
    CHECK_OK(close(fd));
    CHECK_ERROR(read(fd, &value, sizeof(value)), EBADF);
}

static void poll_one(void)
{
    int fd = eventfd(0, 0);
    struct pollfd wait = {.fd = fd, .events = POLLIN | POLLOUT};

    CHECK_EQUAL(poll(&wait, 1, 0), 1);
    CHECK_EQUAL(wait.revents, POLLOUT);
    wait.events = POLLIN;
    CHECK_EQUAL(poll(&wait, 1, 5), 0);
    CHECK_OK(eventfd_write(fd, 1));
    CHECK_EQUAL(poll(&wait, 1, -1), 1);
    CHECK_EQUAL(wait.revents, POLLIN);
    close(fd);
}

static void select_one(void)
{
    int fd = eventfd(1, 0);
    fd_set reads;
    struct timeval none = {0};

    FD_ZERO(&reads);
    FD_SET(fd, &reads);
    CHECK_EQUAL(select(fd + 1, &reads, NULL, NULL, &none), 1);
    CHECK(FD_ISSET(fd, &reads));
    close(fd);
}

static void epoll_one(void)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC), fd = eventfd(0, 0);
    struct epoll_event event = {.events = EPOLLIN, .data = {.u64 = 0x123456789abcdef0}}, out;

    CHECK_OK(epoll);
    CHECK_OK(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
    CHECK_ERROR(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), EEXIST);
    CHECK_EQUAL(epoll_wait(epoll, &out, 1, 0), 0);
    CHECK_OK(eventfd_write(fd, 1));
    CHECK_EQUAL(epoll_wait(epoll, &out, 1, -1), 1);
    CHECK(out.events == EPOLLIN && out.data.u64 == 0x123456789abcdef0);
    close(fd);
    close(epoll);
}

static void timer_file(void)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec soon = {.it_value = {.tv_nsec = 5000000}};
    uint64_t expirations = 0;

    CHECK_OK(fd);
    CHECK_OK(timerfd_settime(fd, 0, &soon, NULL));
    CHECK_EQUAL(read(fd, &expirations, sizeof(expirations)), 8);
    CHECK_EQUAL(expirations, 1);
    close(fd);
}

static void clocks(void)
{
    struct timespec before, after, pause = {.tv_nsec = 20000000};

    CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &before));
    CHECK_OK(nanosleep(&pause, NULL));
    CHECK_OK(clock_gettime(CLOCK_MONOTONIC, &after));
    long long ns = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec - before.tv_nsec;
    CHECK(ns >= 20000000 && ns < 15000000000); /* of another unit it would be 20 s */
    CHECK_ERROR(clock_gettime(12345, &after), EINVAL);
}

static void device_files(void)
{
    struct stat status;
    char zeros[100];

    CHECK_OK(stat("/dev/null", &status));
    CHECK(S_ISCHR(status.st_mode) && major(status.st_rdev) == 1 && minor(status.st_rdev) == 3);
    int fd = open("/dev/null", O_RDWR);
    CHECK_OK(fd);
    CHECK_EQUAL(write(fd, "x", 1), 1);
    CHECK_EQUAL(read(fd, zeros, 1), 0);
    close(fd);
    fd = open("/dev/zero", O_RDONLY);
    memset(zeros, 1, sizeof(zeros));
    CHECK_EQUAL(read(fd, zeros, sizeof(zeros)), sizeof(zeros));
    CHECK(zeros[0] == 0 && zeros[99] == 0);
    close(fd);
}

static void ram_files(void)
{
    char text[32] = "";
    struct iovec vector[2] = {{"one ", 4}, {"two\n", 4}};
    int fd = open("/tmp/bulkhead-test", O_RDWR | O_CREAT | O_TRUNC, 0600);

    CHECK_OK(fd);
    CHECK_EQUAL(writev(fd, vector, 2), 8);
    CHECK_EQUAL(pread(fd, text, 3, 4), 3);
    CHECK(strcmp(text, "two") == 0);
    CHECK_EQUAL(lseek(fd, 0, SEEK_END), 8);
    CHECK_OK(ftruncate(fd, 4));
    CHECK_EQUAL(lseek(fd, 0, SEEK_END), 4);
    close(fd);
    FILE *file = fopen("/tmp/bulkhead-test", "r");
    CHECK(file && fgets(text, sizeof(text), file));
    CHECK(strcmp(text, "one ") == 0);
    fclose(file);
    CHECK_OK(unlink("/tmp/bulkhead-test"));
    CHECK_ERROR(open("/tmp/bulkhead-test", O_RDONLY), ENOENT);
}

static void lines(void)
{
    FILE *file = fopen("/proc/self/maps", "r");
    char *line = NULL;
    size_t size = 0;
    unsigned count = 0;

    CHECK(file);
    while (getline(&line, &size, file) > 0)
        count++;
    CHECK(count >= 3);
    free(line);
    fclose(file);
}

static void directories(void)
{
    DIR *directory = opendir("/dev");
    bool null = false;

    CHECK(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        null |= strcmp(entry->d_name, "null") == 0;
    CHECK(null);
    CHECK_EQUAL(closedir(directory), 0);
    CHECK(!opendir("/no/such/directory") && errno == ENOENT);
}

static void on_signal(int number, siginfo_t *info, void *context)
{
    caught = number;
    fault_address = info->si_addr;
    if (number == SIGSEGV)
        siglongjmp(back, 1);
}

static void signals(void)
{
    struct sigaction action = {.sa_flags = SA_SIGINFO}, old;

    action.sa_sigaction = on_signal;
    CHECK_OK(sigaction(SIGUSR1, &action, &old));
    CHECK_EQUAL(raise(SIGUSR1), 0);
    CHECK_EQUAL(caught, SIGUSR1);
    CHECK_OK(sigaction(SIGSEGV, &action, NULL));
    if (sigsetjmp(back, 1) == 0)
        *(volatile int *)0x1234 = 1;
    CHECK_EQUAL(caught, SIGSEGV);
    CHECK_EQUAL(fault_address, 0x1234);
    signal(SIGSEGV, SIG_DFL);
}

static void signal_mask(void)
{
    sigset_t set, old;

    caught = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    CHECK_OK(sigprocmask(SIG_BLOCK, &set, &old));
    CHECK_EQUAL(raise(SIGUSR1), 0);
    CHECK_EQUAL(caught, 0);
    CHECK_OK(sigprocmask(SIG_SETMASK, &old, NULL));
    CHECK_EQUAL(caught, SIGUSR1);
}

static void limits(void)
{
    struct rlimit limit;

    CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &limit));
    CHECK(limit.rlim_cur > 0 && limit.rlim_cur <= limit.rlim_max);
    CHECK_OK(getrlimit(RLIMIT_NOFILE, &limit));
    CHECK(limit.rlim_cur >= 64);
}

static void identity(void)
{
    struct utsname name;
    unsigned char random[32] = {0};
    unsigned sum = 0;

    CHECK_OK(uname(&name));
    CHECK(strcmp(name.sysname, "Linux") == 0 && strcmp(name.machine, "x86_64") == 0);
    CHECK(getpid() > 0);
    CHECK_EQUAL(getrandom(random, sizeof(random), 0), sizeof(random));
    for (unsigned i = 0; i < sizeof(random); i++)
        sum += random[i];
    CHECK(sum > 0);
}

static const struct conform_case cases[] = {
    CASE(start_up),      CASE(environment), CASE(formatting),
    CASE(error_numbers), CASE(heap),        CASE(mappings),
    CASE(clocks),        CASE(limits),      CASE(eventfd_counter),
    CASE(descriptors),   CASE(poll_one),    CASE(select_one),
    CASE(epoll_one),     CASE(timer_file),  CASE(identity),
    CASE(device_files),  CASE(ram_files),   CASE(lines),
    CASE(directories),   CASE(signals),     CASE(signal_mask),
};

int main(int argc, char **argv)
{
    arguments = argv;
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), NULL, argc, argv);
}
