/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes all there is of one thing, `hog guest WHAT`, sees a clean refusal, gives it back and finds
 * everything as before. Prints what it got.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define MIB (1l << 20)

static char block[1 << 20];

static unsigned long free_memory(void)
{
    struct sysinfo info;
    sysinfo(&info);
    return info.freeram;
}

/* Each takes until it is refused and says why; `count` is what it got. */
static int take_memory(long *count)
{
    while (mmap(NULL, MIB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
           MAP_FAILED)
        ++*count;
    return errno;
}

static int take_file(long *count)
{
    int fd = open("/tmp/hog", O_RDWR | O_CREAT | O_TRUNC, 0644);
    long n;
    while ((n = write(fd, block, sizeof(block))) > 0)
        *count += n;
    int error = errno;
    close(fd);
    unlink("/tmp/hog");
    return error;
}

static int take_shared(long *count)
{
    int fd = memfd_create("hog", 0);
    if (ftruncate(fd, 1l << 40))
        return errno;
    while (pwrite(fd, "x", 1, *count * 4096) == 1)
        ++*count;
    int error = errno;
    close(fd);
    return error;
}

static int take_files(long *count)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    int fds[2];
    while (pipe(fds) == 0)
        ++*count;
    int error = errno;
    for (int fd = 3; fd < (int)limit.rlim_max; fd++)
        close(fd);
    return error;
}

static int take_watches(long *count)
{
    struct epoll_event event = {.events = EPOLLIN};
    int error = 0;
    int events[400], polls[400];
    for (int i = 0; i < 400; i++) {
        events[i] = eventfd(0, 0);
        polls[i] = epoll_create1(0);
    }
    for (int i = 0; i < 400 && !error; i++) {
        for (int k = 0; k < 400 && !error; k++) {
            if (epoll_ctl(polls[i], EPOLL_CTL_ADD, events[k], &event))
                error = errno;
            else
                ++*count;
        }
    }
    for (int i = 0; i < 400; i++) {
        close(events[i]);
        close(polls[i]);
    }
    return error;
}

static int take_names(long *count)
{
    char name[40];
    int error = 0;
    while (!error) {
        snprintf(name, sizeof(name), "/tmp/%ld", *count / 250);
        if (*count % 250 == 0 && mkdir(name, 0755))
            error = errno;
        snprintf(name, sizeof(name), "/tmp/%ld/%ld", *count / 250, *count % 250);
        int fd = error ? -1 : open(name, O_RDWR | O_CREAT, 0644);
        if (fd < 0) {
            error = errno;
            break;
        }
        close(fd);
        ++*count;
    }
    for (long i = 0; i < *count; i++) {
        snprintf(name, sizeof(name), "/tmp/%ld/%ld", i / 250, i % 250);
        unlink(name);
    }
    for (long i = 0; i <= *count / 250; i++) {
        snprintf(name, sizeof(name), "/tmp/%ld", i);
        rmdir(name);
    }
    return error;
}

static const struct {
    const char *name;
    int (*take)(long *count);
    int expected[2];
} things[] = {
    {"memory", take_memory, {ENOMEM, ENOMEM}},   {"file", take_file, {ENOSPC, ENOSPC}},
    {"shared", take_shared, {ENOSPC, ENOSPC}},   {"files", take_files, {EMFILE, ENOMEM}},
    {"watches", take_watches, {ENOSPC, ENOSPC}}, {"names", take_names, {ENOSPC, ENOMEM}},
};

int main(int argc, char **argv)
{
    const char *what = argc > 2 ? argv[2] : "";
    for (unsigned i = 0; i < sizeof(things) / sizeof(things[0]); i++) {
        if (strcmp(what, things[i].name) != 0)
            continue;
        unsigned long before = free_memory();
        long count = 0;
        int error = things[i].take(&count);
        printf("hog: %s: %ld, then %s; free before %lu, after %lu\n", what, count,
               error ? strerror(error) : "enough", before, free_memory());
        if (error != things[i].expected[0] && error != things[i].expected[1])
            return 1;
        return count == 0;
    }
    return 2;
}
