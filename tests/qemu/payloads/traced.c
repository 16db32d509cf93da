/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What --trace is to tell: traced CASE does what the case says, with libc's own calls before and
 * behind. Files runs on Linux too, where strace tells the same.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/iommufd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include "vfio_open.h"

#define PAGE 4096

static void files(void)
{
    char one[8] = "", two[40] = "", long_text[80];
    struct iovec out[] = {{"first\n", 6},
                          {"\"second\"\t\1"
                           "7",
                           11}},
                 in[] = {{one, 4}, {two, sizeof(two)}};
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = 7}, came[2];
    struct timespec nap = {0, 1000};
    int ends[2];

    memset(long_text, 'x', sizeof(long_text));
    open("/traced-begins", O_RDONLY);
    open("/nothing/here", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    pipe2(ends, O_CLOEXEC);
    writev(ends[1], out, 2);
    struct pollfd polled[] = {{ends[0], POLLIN, 0}, {-1, POLLOUT, 0}};
    poll(polled, 2, 0);
    readv(ends[0], in, 2);
    write(ends[1], long_text, sizeof(long_text));
    read(ends[0], long_text, 50);
    int event_fd = eventfd(1, EFD_NONBLOCK), epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, event_fd, &event);
    epoll_wait(epoll, came, 2, 0);
    read(event_fd, one, sizeof(one));
    read(event_fd, one, sizeof(one));
    int memory = memfd_create("traced", MFD_CLOEXEC);
    ftruncate(memory, 3 * PAGE);
    pwrite(memory, "at the end", 10, 2 * PAGE);
    lseek(memory, -PAGE, SEEK_END);
    read(memory, two, 10);
    char *at = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
    mprotect(at, PAGE, PROT_NONE);
    munmap(at, 3 * PAGE);
    int copy = dup(memory);
    fcntl(copy, F_GETFD);
    dup3(copy, 20, O_CLOEXEC);
    close(20);
    close(20);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
    access("/traced-ends", R_OK);
}

static void *waiter(void *event_fd)
{
    uint64_t value;

    read(*(int *)event_fd, &value, sizeof(value));
    return NULL;
}

static void blocked(void)
{
    struct timespec nap = {0, 10000000};
    int event_fd = eventfd(0, 0);
    uint64_t one = 1;
    pthread_t thread;

    pthread_create(&thread, NULL, waiter, &event_fd);
    nanosleep(&nap, NULL);
    write(event_fd, &one, sizeof(one));
    pthread_join(thread, NULL);
}

/* Pointers to nowhere, out of a page, to a device, and a size of all that a command can say. */
static void hostile(void)
{
    char *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char *edge = page + PAGE - 8;
    struct iovec *vectors = (struct iovec *)(page + PAGE - sizeof(struct iovec));
    struct vfio_files device;
    int event_fd = eventfd(0, 0);

    munmap(page + PAGE, PAGE);
    memset(edge, 'e', 8);
    open((char *)UINTPTR_MAX, O_RDONLY);
    open((char *)0xffffffff80200000, O_RDONLY);
    open(edge, O_RDONLY);
    open("", O_RDONLY);
    write(event_fd, (void *)0x10000, SIZE_MAX);
    ioctl(event_fd, _IOC(_IOC_READ | _IOC_WRITE, 'T', 0, 0x3fff), edge);
    ioctl(event_fd, _IO(';', 100), edge + 6);
    *vectors = (struct iovec){(void *)0x8000000000000000, SIZE_MAX};
    syscall(SYS_writev, event_fd, vectors, SIZE_MAX);
    syscall(SYS_writev, event_fd, vectors, 1);
    syscall(0x100000000 + SYS_getpid);
    syscall(0xffff, 1, 2, 3, 4, 5, 6);
    syscall(SYS_poll, page, UINT64_MAX, 0);
    vfio_open("0000:00:10.0", &device);
    void *bar = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, device.device, 0);
    write(event_fd, bar, 8);
    write(event_fd, (char *)bar + PAGE - 4, 8);
}

static void on_signal(int number)
{
}

static void signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    int ends[2];
    char byte;

    sigaction(SIGUSR1, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    kill(getpid(), SIGUSR1);
    pipe(ends);
    alarm(1);
    read(ends[0], &byte, 1);
    *(volatile int *)8 = 0;
}

static void address_spaces(void)
{
    char *memory = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int fd = open("/dev/iommu", O_RDWR);
    struct iommu_ioas_alloc alloc = {.size = sizeof(alloc)};
    struct iommu_ioas_map map = {.size = sizeof(map),
                                 .user_va = (uintptr_t)memory,
                                 .length = 4 * PAGE,
                                 .iova = 0x200000,
                                 .flags = IOMMU_IOAS_MAP_FIXED_IOVA | IOMMU_IOAS_MAP_READABLE |
                                          IOMMU_IOAS_MAP_WRITEABLE};
    struct iommu_ioas_unmap unmap = {.size = sizeof(unmap), .iova = 0x200000, .length = 4 * PAGE};
    struct iommu_destroy destroy = {.size = sizeof(destroy)};

    ioctl(fd, IOMMU_IOAS_ALLOC, &alloc);
    map.ioas_id = unmap.ioas_id = destroy.id = alloc.out_ioas_id;
    ioctl(fd, IOMMU_IOAS_MAP, &map);
    ioctl(fd, IOMMU_IOAS_MAP, &map);
    ioctl(fd, IOMMU_IOAS_UNMAP, &unmap);
    ioctl(fd, IOMMU_DESTROY, &destroy);
    printf("traced: ioas %u at %p\n", alloc.out_ioas_id, memory);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {{"files", files},
                 {"blocked", blocked},
                 {"hostile", hostile},
                 {"signals", signals},
                 {"iommufd", address_spaces}};

    for (int arg = 1; arg < argc; arg++) {
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            if (strcmp(argv[arg], cases[i].name) == 0)
                cases[i].run();
        }
    }
    return 3;
}
