/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Huge pages of 2 MiB: files of hugetlbfs, memfd, anonymous memory, and the one count of them.
 * First argument: `guest`, or on Linux a folder where hugetlbfs is mounted, with 16 pages at least.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "conform.h"

#define CALL(name, ...) syscall(SYS_##name, ##__VA_ARGS__)
#define PAGE            4096ul
#define HUGE            (2ul << 20)
#define RW              (PROT_READ | PROT_WRITE)
#define ANONYMOUS       0x20
#define HUGETLB         0x40000
#define SIZE_OF(log2)   ((unsigned)(log2) << 26)
#define POOL            "/sys/kernel/mm/hugepages/hugepages-2048kB/"
#define NODE            "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/"

static const char *folder = "/dev/hugepages";
static bool in_guest;
static int fd = -1;
static char *mapped = MAP_FAILED;

struct figures {
    long total, free, reserved, surplus;
};

static long number_in(const char *path)
{
    char text[32] = "";
    int file = open(path, O_RDONLY);
    ssize_t got = file < 0 ? -1 : read(file, text, sizeof(text) - 1);

    close(file);
    return got > 0 && text[got - 1] == '\n' ? strtol(text, NULL, 10) : -1;
}

static struct figures count(void)
{
    return (struct figures){
        .total = number_in(POOL "nr_hugepages"),
        .free = number_in(POOL "free_hugepages"),
        .reserved = number_in(POOL "resv_hugepages"),
        .surplus = number_in(POOL "surplus_hugepages"),
    };
}

/* How many may still be promised: what Linux reserves for a mapping the product takes at once. */
static long promised(const struct figures *figures)
{
    return figures->total - figures->free + figures->reserved;
}

static long in_use(void)
{
    struct figures now = count();

    return promised(&now);
}

static int open_in(const char *name, int flags)
{
    char path[100];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return open(path, flags, 0600);
}

static int remove_in(const char *name)
{
    char path[100];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return unlink(path);
}

/* A new file without a name. */
static void make(void)
{
    fd = open_in("conform", O_RDWR | O_CREAT | O_EXCL);
    remove_in("conform");
}

static void tidy(void)
{
    if (mapped != MAP_FAILED)
        munmap(mapped, 4 * HUGE);
    mapped = MAP_FAILED;
    close(fd);
    fd = -1;
}

static char *map(size_t length, int protection, int flags)
{
    return mmap(NULL, length, protection, flags, fd, 0);
}

static void sizes(void)
{
    struct stat stat;

    make();
    CHECK(fd >= 0);
    CHECK_ERROR(CALL(ftruncate, fd, PAGE), EINVAL);
    CHECK_ERROR(CALL(ftruncate, fd, HUGE + 1), EINVAL);
    CHECK_OK(CALL(ftruncate, fd, 3 * HUGE));
    CHECK_OK(fstat(fd, &stat));
    CHECK_EQUAL(stat.st_size, 3 * HUGE);
    CHECK_EQUAL(stat.st_blksize, HUGE);
    CHECK(S_ISREG(stat.st_mode));
    CHECK_EQUAL(lseek(fd, 0, SEEK_END), 3 * HUGE);
    CHECK_OK(CALL(ftruncate, fd, 0));
}

static void reading_and_writing(void)
{
    char bytes[64] = "x";

    make();
    CHECK_OK(CALL(ftruncate, fd, 2 * HUGE));
    CHECK_ERROR(CALL(write, fd, bytes, 1ul), EINVAL);
    CHECK_ERROR(CALL(write, fd, bytes, 0ul), EINVAL);
    CHECK_ERROR(CALL(pwrite64, fd, bytes, 1ul, 0l), EINVAL);
    CHECK_EQUAL(CALL(pread64, fd, bytes, sizeof(bytes), 0l), sizeof(bytes)); /* a hole */
    CHECK_EQUAL(bytes[0], 0);
    mapped = map(2 * HUGE, RW, MAP_SHARED);
    CHECK(mapped != MAP_FAILED);
    mapped[HUGE] = 7;
    mapped[2 * HUGE - 1] = 8;
    CHECK_EQUAL(CALL(pread64, fd, bytes, sizeof(bytes), HUGE - 1), sizeof(bytes));
    CHECK_EQUAL(bytes[1], 7);
    CHECK_EQUAL(CALL(pread64, fd, bytes, sizeof(bytes), 2 * HUGE - 1), 1);
    CHECK_EQUAL(bytes[0], 8);
    CHECK_OK(munmap(mapped, 2 * HUGE));
    mapped = map(2 * HUGE, PROT_READ, MAP_SHARED);
    CHECK_EQUAL(mapped[HUGE], 7);
}

static void where_it_is_mapped(void)
{
    char *odd;

    make();
    CHECK_OK(CALL(ftruncate, fd, 2 * HUGE));
    CHECK_ERROR(CALL(mmap, NULL, HUGE, RW, MAP_SHARED, fd, PAGE), EINVAL);
    CHECK_ERROR(CALL(mmap, NULL, 0ul, RW, MAP_SHARED, fd, 0ul), EINVAL);
    mapped = map(PAGE, RW, MAP_SHARED); /* rounded up */
    CHECK(mapped != MAP_FAILED);
    CHECK_EQUAL((uintptr_t)mapped % HUGE, 0);
    mapped[HUGE - 1] = 1;
    odd = mapped + PAGE;
    CHECK_ERROR(CALL(mmap, odd, HUGE, RW, MAP_SHARED | MAP_FIXED, fd, 0ul), EINVAL);
    CHECK_ERROR(CALL(munmap, mapped, PAGE), EINVAL);
    CHECK_ERROR(CALL(munmap, odd, HUGE - PAGE), EINVAL);
    CHECK_ERROR(CALL(mprotect, mapped, PAGE, PROT_READ), EINVAL);
    CHECK_ERROR(CALL(mmap, odd, PAGE, RW, MAP_PRIVATE | MAP_FIXED | ANONYMOUS, -1, 0ul), EINVAL);
    CHECK_ERROR(CALL(mremap, mapped, HUGE, 2 * HUGE, 1 /* MREMAP_MAYMOVE */, 0ul), EINVAL);
    CHECK_EQUAL(mapped[HUGE - 1], 1);
    CHECK_OK(CALL(munmap, mapped, HUGE));
    /* With the flag, which only such files take. */
    mapped = map(2 * HUGE, RW, MAP_SHARED | HUGETLB);
    CHECK(mapped != MAP_FAILED);
    CHECK_EQUAL(mapped[HUGE - 1], 1);
    CHECK_OK(CALL(mprotect, mapped, HUGE, PROT_READ));
    CHECK_OK(CALL(munmap, mapped + HUGE, HUGE));
    CHECK_OK(CALL(munmap, mapped, HUGE));
    mapped = MAP_FAILED;
}

/* What may be written is long enough; what may not ends where the file does. */
static void mapping_makes_it_longer(void)
{
    struct stat stat;

    make();
    mapped = map(2 * HUGE, PROT_READ, MAP_SHARED);
    CHECK(mapped != MAP_FAILED);
    CHECK_OK(fstat(fd, &stat));
    CHECK_EQUAL(stat.st_size, 0);
    CHECK_OK(munmap(mapped, 2 * HUGE));
    mapped = map(HUGE + PAGE, RW, MAP_SHARED);
    CHECK(mapped != MAP_FAILED);
    CHECK_OK(fstat(fd, &stat));
    CHECK_EQUAL(stat.st_size, 2 * HUGE);
    mapped[2 * HUGE - 1] = 1;
}

static void shared_and_private(void)
{
    char *other, *mine;

    make();
    mapped = map(2 * HUGE, RW, MAP_SHARED | MAP_POPULATE);
    CHECK(mapped != MAP_FAILED);
    mapped[0] = 1;
    other = map(2 * HUGE, PROT_READ, MAP_SHARED);
    CHECK(other != MAP_FAILED);
    CHECK_EQUAL(other[0], 1);
    mapped[HUGE + 5] = 2;
    CHECK_EQUAL(other[HUGE + 5], 2);
    CHECK_OK(munmap(other, 2 * HUGE));
    mine = map(2 * HUGE, RW, MAP_PRIVATE);
    CHECK(mine != MAP_FAILED);
    CHECK_EQUAL(mine[HUGE + 5], 2);
    mine[HUGE + 5] = 3;
    CHECK_EQUAL(mapped[HUGE + 5], 2);
    CHECK_OK(munmap(mine, 2 * HUGE));
}

static void one_count(void)
{
    struct figures before = count(), now;
    long used = in_use();
    char *other;

    CHECK(before.total >= 0 && before.free >= 8 && before.reserved >= 0 && before.surplus >= 0);
    make();
    CHECK_OK(CALL(ftruncate, fd, 8 * HUGE)); /* none yet */
    CHECK_EQUAL(in_use(), used);
    mapped = map(4 * HUGE, RW, MAP_SHARED);
    CHECK(mapped != MAP_FAILED);
    CHECK_EQUAL(in_use(), used + 4);
    other = map(4 * HUGE, RW, MAP_SHARED); /* the same ones */
    CHECK(other != MAP_FAILED);
    CHECK_EQUAL(in_use(), used + 4);
    CHECK_OK(munmap(other, 4 * HUGE));
    memset(mapped, 1, 4 * HUGE);
    now = count();
    CHECK_EQUAL(now.free, before.free - 4);
    CHECK_EQUAL(now.total, before.total);
    CHECK_OK(munmap(mapped, 4 * HUGE));
    mapped = MAP_FAILED;
    CHECK_EQUAL(in_use(), used + 4); /* they are the file's */
    other = map(2 * HUGE, RW, MAP_PRIVATE);
    CHECK(other != MAP_FAILED);
    CHECK_EQUAL(in_use(), used + 6);
    CHECK_OK(munmap(other, 2 * HUGE));
    CHECK_EQUAL(in_use(), used + 4);
    CHECK_OK(CALL(ftruncate, fd, HUGE));
    CHECK_EQUAL(in_use(), used + 1);
    CHECK_OK(close(fd)); /* without a name it goes */
    fd = -1;
    now = count();
    CHECK(memcmp(&now, &before, sizeof(now)) == 0);
}

static void anonymous(void)
{
    struct figures before = count(), now;
    long used = in_use();
    static const int kinds[] = {MAP_PRIVATE, MAP_SHARED};

    for (size_t i = 0; i < 2; i++) {
        mapped = mmap(NULL, 4 * HUGE, RW, kinds[i] | ANONYMOUS | HUGETLB, -1, 0);
        CHECK(mapped != MAP_FAILED);
        CHECK_EQUAL((uintptr_t)mapped % HUGE, 0);
        CHECK_EQUAL(in_use(), used + 4);
        CHECK_EQUAL(mapped[4 * HUGE - 1], 0);
        memset(mapped, 1, 4 * HUGE);
        CHECK_ERROR(CALL(munmap, mapped, PAGE), EINVAL);
        CHECK_OK(CALL(munmap, mapped + HUGE, HUGE));
        CHECK_OK(CALL(munmap, mapped, HUGE));
        CHECK_OK(CALL(munmap, mapped + 2 * HUGE, 2 * HUGE));
        mapped = MAP_FAILED;
        now = count();
        CHECK(memcmp(&now, &before, sizeof(now)) == 0);
    }
    CHECK_ERROR(
        CALL(mmap, NULL, HUGE, RW, MAP_PRIVATE | ANONYMOUS | HUGETLB | SIZE_OF(13), -1, 0ul),
        EINVAL);
    CHECK_ERROR(CALL(mmap, NULL, HUGE, RW,
                     MAP_PRIVATE | ANONYMOUS | HUGETLB | 0x100 /* MAP_GROWSDOWN */, -1, 0ul),
                EINVAL);
}

/* The last page below the addresses that are nobody's is not for programs, nor a huge one with it.
 */
static void the_last_one(void)
{
    char *last = (char *)0x7fffffe00000ul;

    mapped = mmap(NULL, HUGE, RW | PROT_EXEC, MAP_PRIVATE | ANONYMOUS | HUGETLB, -1, 0);
    CHECK(mapped != MAP_FAILED);
    CHECK_ERROR(CALL(mremap, mapped, PAGE, PAGE, 3ul /* MAYMOVE, FIXED */, last), EINVAL);
    CHECK_ERROR(CALL(mremap, mapped, HUGE, HUGE, 3ul, last), EINVAL);
    CHECK_ERROR(CALL(mmap, last, PAGE, RW, MAP_PRIVATE | ANONYMOUS | HUGETLB | MAP_FIXED, -1, 0ul),
                ENOMEM);
    CHECK_OK(CALL(munmap, mapped, HUGE));
    mapped = MAP_FAILED;
}

/* What there is not enough for is refused when it is mapped, and nothing is different then. */
static void exhaustion(void)
{
    struct figures before = count(), now;
    struct stat stat;
    size_t most = (size_t)(before.free - before.reserved) * HUGE;
    char *all;

    make();
    CHECK_ERROR(CALL(mmap, NULL, most + HUGE, RW, MAP_SHARED, fd, 0ul), ENOMEM);
    CHECK_ERROR(CALL(mmap, NULL, most + HUGE, RW, MAP_PRIVATE, fd, 0ul), ENOMEM);
    CHECK_ERROR(CALL(mmap, NULL, most + HUGE, RW, MAP_PRIVATE | ANONYMOUS | HUGETLB, -1, 0ul),
                ENOMEM);
    CHECK_ERROR(CALL(mmap, NULL, most + HUGE, RW, MAP_SHARED | ANONYMOUS | HUGETLB, -1, 0ul),
                ENOMEM);
    CHECK_OK(fstat(fd, &stat));
    CHECK_EQUAL(stat.st_size, 0);
    now = count();
    CHECK(memcmp(&now, &before, sizeof(now)) == 0);
    all = map(most, RW, MAP_SHARED);
    CHECK(all != MAP_FAILED);
    CHECK_ERROR(CALL(mmap, NULL, HUGE, RW, MAP_PRIVATE | ANONYMOUS | HUGETLB, -1, 0ul), ENOMEM);
    for (size_t at = 0; at < most; at += HUGE)
        all[at] = 1; /* there */
    CHECK_EQUAL(number_in(POOL "free_hugepages"), 0);
    CHECK_ERROR(CALL(fallocate, fd, 0, most, HUGE), ENOSPC);
    CHECK_OK(munmap(all, most));
    tidy();
    now = count();
    CHECK(memcmp(&now, &before, sizeof(now)) == 0);
}

static void kept_without_a_name(void)
{
    long used = in_use();

    fd = open_in("named", O_RDWR | O_CREAT | O_EXCL);
    CHECK(fd >= 0);
    mapped = map(HUGE, RW, MAP_SHARED);
    CHECK(mapped != MAP_FAILED);
    mapped[9] = 9;
    CHECK_OK(remove_in("named"));
    CHECK_ERROR(open_in("named", O_RDWR), ENOENT);
    CHECK_OK(close(fd));
    fd = -1;
    CHECK_EQUAL(mapped[9], 9);
    CHECK_EQUAL(in_use(), used + 1);
    CHECK_OK(munmap(mapped, HUGE));
    mapped = MAP_FAILED;
    CHECK_EQUAL(in_use(), used);
}

static void allocated_and_removed(void)
{
    long used = in_use();
    struct stat stat;

    make();
    CHECK_OK(CALL(fallocate, fd, 0, 0l, 3 * HUGE));
    CHECK_EQUAL(in_use(), used + 3);
    CHECK_OK(CALL(fallocate, fd, 0, HUGE, HUGE)); /* it has that */
    CHECK_EQUAL(in_use(), used + 3);
    CHECK_OK(fstat(fd, &stat));
    CHECK_EQUAL(stat.st_size, 3 * HUGE);
    mapped = map(3 * HUGE, RW, MAP_SHARED);
    CHECK(mapped != MAP_FAILED);
    memset(mapped, 5, 3 * HUGE);
    CHECK_OK(madvise(mapped + HUGE, HUGE, 9 /* MADV_REMOVE */));
    CHECK_EQUAL(in_use(), used + 2);
    CHECK_EQUAL(mapped[HUGE - 1], 5);
    CHECK_EQUAL(mapped[2 * HUGE], 5);
    CHECK_EQUAL(mapped[HUGE + 3], 0); /* a new one */
    CHECK_EQUAL(in_use(), used + 3);
}

struct file_system {
    long type, block_size;
    unsigned long blocks, free, available, files, files_free;
    int id[2];
    long name_length, fragment_size, flags, spare[4];
};

static void file_systems(void)
{
    struct file_system told = {0};
    static const struct {
        const char *path;
        long type;
    } rows[] = {{"/dev/shm", 0x01021994}, {"/proc/self", 0x9fa0}, {"/sys/kernel/mm", 0x62656572}};

    make();
    CHECK_OK(CALL(fstatfs, fd, &told));
    CHECK_EQUAL(told.type, 0x958458f6);
    CHECK_EQUAL(told.block_size, HUGE);
    CHECK_EQUAL(told.fragment_size, HUGE);
    CHECK_EQUAL(told.blocks + told.free + told.available, 0);
    CHECK_EQUAL(told.name_length, 255);
    memset(&told, 0, sizeof(told));
    CHECK_OK(CALL(statfs, folder, &told));
    CHECK_EQUAL(told.type, 0x958458f6);
    CHECK_EQUAL(told.block_size, HUGE);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_OK(CALL(statfs, rows[i].path, &told));
        CHECK_EQUAL(told.type, rows[i].type);
        CHECK_EQUAL(told.block_size, PAGE);
    }
    CHECK_ERROR(CALL(fstatfs, 999, &told), EBADF);
}

static void memory_files(void)
{
    long used = in_use();
    struct file_system told;

    CHECK_ERROR(CALL(memfd_create, "a", 4u | SIZE_OF(13)), ENODEV);
    CHECK_ERROR(CALL(memfd_create, "a", SIZE_OF(21)), EINVAL);
    CHECK_ERROR(CALL(memfd_create, "a", 4u | 0x1000u), EINVAL);
    if (in_guest) /* Linux has those of 1 GiB where the CPU does */
        CHECK_ERROR(CALL(memfd_create, "a", 4u | SIZE_OF(30)), ENODEV);
    for (unsigned i = 0; i < 2; i++) {
        fd = (int)CALL(memfd_create, "a", 4u | 2u /* sealing */ | SIZE_OF(i ? 21 : 0));
        CHECK(fd >= 0);
        CHECK_ERROR(CALL(ftruncate, fd, PAGE), EINVAL);
        CHECK_OK(CALL(ftruncate, fd, 2 * HUGE));
        CHECK_OK(CALL(fstatfs, fd, &told));
        CHECK_EQUAL(told.type, 0x958458f6);
        mapped = map(2 * HUGE, RW, MAP_SHARED);
        CHECK(mapped != MAP_FAILED);
        mapped[2 * HUGE - 1] = 1;
        CHECK_EQUAL(in_use(), used + 2);
        CHECK_ERROR(CALL(write, fd, "x", 1ul), EINVAL);
        CHECK_OK(CALL(fcntl, fd, 1033 /* F_ADD_SEALS */, 2 | 4 /* shrink, grow */));
        CHECK_ERROR(CALL(ftruncate, fd, HUGE), EPERM);
        CHECK_ERROR(CALL(ftruncate, fd, 3 * HUGE), EPERM);
        CHECK_OK(munmap(mapped, 2 * HUGE));
        mapped = MAP_FAILED;
        tidy();
        CHECK_EQUAL(in_use(), used);
    }
}

static void locks(void)
{
    int other;

    fd = open_in("locked", O_RDWR | O_CREAT);
    other = open_in("locked", O_RDONLY);
    CHECK(fd >= 0 && other >= 0);
    CHECK_OK(CALL(flock, fd, 1 | 4)); /* shared */
    CHECK_OK(CALL(flock, other, 1 | 4));
    CHECK_OK(CALL(flock, fd, 8));
    CHECK_OK(close(other));
    CHECK_OK(remove_in("locked"));
}

static void folders(void)
{
    char path[100], away[] = "/tmp/away";
    struct file_system told;

    snprintf(path, sizeof(path), "%s/below", folder);
    CHECK_OK(mkdir(path, 0700));
    fd = open_in("below/file", O_RDWR | O_CREAT | O_EXCL);
    CHECK(fd >= 0);
    CHECK_OK(CALL(fstatfs, fd, &told));
    CHECK_EQUAL(told.block_size, HUGE);
    CHECK_OK(CALL(statfs, path, &told));
    CHECK_EQUAL(told.block_size, HUGE);
    CHECK_ERROR(CALL(ftruncate, fd, PAGE), EINVAL);
    snprintf(path, sizeof(path), "%s/below/file", folder);
    CHECK_ERROR(CALL(renameat2, -100, path, -100, away, 0), EXDEV);
    CHECK_OK(unlink(path));
    snprintf(path, sizeof(path), "%s/below", folder);
    CHECK_OK(rmdir(path));
    tidy();
    fd = open(folder, O_RDWR | 020200000 /* O_TMPFILE */, 0600);
    CHECK(fd >= 0);
    CHECK_ERROR(CALL(ftruncate, fd, PAGE), EINVAL);
}

static long meminfo(const char *name)
{
    static char text[4096];
    int file = open("/proc/meminfo", O_RDONLY);
    ssize_t got = read(file, text, sizeof(text) - 1);
    const char *row;

    close(file);
    text[got > 0 ? got : 0] = 0;
    row = strstr(text, name);
    return row ? strtol(row + strlen(name), NULL, 10) : -1;
}

static void the_files_agree(void)
{
    struct figures now;

    make();
    mapped = map(3 * HUGE, RW, MAP_SHARED | MAP_POPULATE);
    CHECK(mapped != MAP_FAILED);
    now = count();
    CHECK_EQUAL(meminfo("HugePages_Total:"), now.total);
    CHECK_EQUAL(meminfo("HugePages_Free:"), now.free);
    CHECK_EQUAL(meminfo("HugePages_Rsvd:"), now.reserved);
    CHECK_EQUAL(meminfo("HugePages_Surp:"), now.surplus);
    CHECK_EQUAL(meminfo("Hugepagesize:"), 2048);
    CHECK_EQUAL(meminfo("Hugetlb:"), now.total * 2048);
    CHECK_EQUAL(number_in(NODE "nr_hugepages"), now.total);
    CHECK_EQUAL(number_in(NODE "free_hugepages"), now.free);
    CHECK_EQUAL(number_in(NODE "surplus_hugepages"), now.surplus);
    CHECK_EQUAL(number_in(POOL "nr_hugepages_mempolicy"), now.total);
    CHECK_EQUAL(number_in(POOL "nr_overcommit_hugepages"), 0);
    CHECK_EQUAL(number_in("/proc/sys/vm/nr_hugepages"), now.total);
}

static long write_to(const char *path, const char *text)
{
    int file = open(path, O_WRONLY);
    ssize_t wrote = file < 0 ? -1 : write(file, text, strlen(text));
    int error = errno;

    close(file);
    errno = error;
    return (long)wrote;
}

/* The limit is set by any of the files; what is in use stays, and counts as surplus. */
static void the_limit(void)
{
    static const char *const setters[] = {POOL "nr_hugepages", NODE "nr_hugepages",
                                          POOL "nr_hugepages_mempolicy",
                                          "/proc/sys/vm/nr_hugepages"};
    struct figures before = count(), now;
    char text[32];

    for (size_t i = 0; i < sizeof(setters) / sizeof(setters[0]); i++) {
        CHECK_EQUAL(write_to(setters[i], "6\n"), 2);
        now = count();
        CHECK_EQUAL(now.total, 6);
        CHECK_EQUAL(now.free, 6);
        CHECK_EQUAL(write_to(setters[i], "9"), 1);
        CHECK_EQUAL(number_in(POOL "nr_hugepages"), 9);
    }
    CHECK_ERROR(write_to(POOL "nr_hugepages", "many"), EINVAL);
    make();
    mapped = map(4 * HUGE, RW, MAP_SHARED | MAP_POPULATE);
    CHECK(mapped != MAP_FAILED);
    CHECK_EQUAL(write_to(POOL "nr_hugepages", "1\n"), 2);
    now = count();
    CHECK_EQUAL(now.total, 4);
    CHECK_EQUAL(now.free, 0);
    CHECK_EQUAL(now.surplus, 3);
    CHECK_ERROR(CALL(mmap, NULL, HUGE, RW, MAP_PRIVATE | ANONYMOUS | HUGETLB, -1, 0ul), ENOMEM);
    tidy();
    now = count();
    CHECK_EQUAL(now.total, 1);
    CHECK_EQUAL(now.surplus, 0);
    snprintf(text, sizeof(text), "%ld\n", before.total);
    CHECK_EQUAL(write_to(POOL "nr_hugepages", text), strlen(text));
    now = count();
    CHECK(memcmp(&now, &before, sizeof(now)) == 0);
    if (in_guest) { /* as many as there is room for */
        CHECK_EQUAL(write_to(POOL "nr_hugepages", "1000000\n"), 8);
        CHECK(number_in(POOL "nr_hugepages") > before.total);
        CHECK_EQUAL(write_to(POOL "nr_hugepages", text), strlen(text));
    }
}

static const struct conform_case cases[] = {
    CASE(sizes),
    CASE(reading_and_writing),
    CASE(where_it_is_mapped),
    CASE(mapping_makes_it_longer),
    CASE(shared_and_private),
    CASE(one_count),
    CASE(anonymous),
    CASE(the_last_one),
    CASE(exhaustion),
    CASE(kept_without_a_name),
    CASE(allocated_and_removed),
    CASE(file_systems),
    CASE(memory_files),
    CASE(locks),
    CASE(folders),
    CASE(the_files_agree),
    CASE(the_limit),
};

int main(int argc, char **argv)
{
    in_guest = argc > 1 && strcmp(argv[1], "guest") == 0;
    if (argc > 1 && !in_guest)
        folder = argv[1];
    return conform_run(cases, sizeof(cases) / sizeof(cases[0]), tidy, argc, argv);
}
