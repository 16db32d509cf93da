/* SPDX-License-Identifier: BSD-2-Clause */
/* leave WHAT HOW: leaves files under /out and ends. The calls are by number: not every library has
 * a name for each. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALL(name, ...) syscall(SYS_##name, ##__VA_ARGS__)
#define COUNT(array)    (sizeof(array) / sizeof((array)[0]))
#define MIB             (1l << 20)
#define CREATE          0100 /* Linux' O_CREAT */
#define TRUNCATED       01000

static void fail(const char *what, const char *name)
{
    printf("leave: %s %s: errno %d\n", what, name, errno);
    exit(99);
}

static int make(const char *name, int mode)
{
    int fd = (int)CALL(open, name, O_RDWR | CREATE | TRUNCATED, mode);

    if (fd < 0)
        fail("open", name);
    return fd;
}

static void put(int fd, const void *bytes, long length)
{
    if (CALL(write, fd, bytes, length) != length)
        fail("write", "a file");
}

static void file(const char *name, const char *text)
{
    int fd = make(name, 0644);

    put(fd, text, (long)strlen(text));
    CALL(close, fd);
}

static void folder(const char *name)
{
    if (CALL(mkdir, name, 0755))
        fail("mkdir", name);
}

/* Byte i is (7 * i) >> 3: no page is like another, and some bytes are zero. */
static void pattern(const char *name, long length)
{
    static unsigned char bytes[4096];
    int fd = make(name, 0644);

    for (long at = 0; at < length; at += (long)sizeof(bytes)) {
        long n = length - at < (long)sizeof(bytes) ? length - at : (long)sizeof(bytes);

        for (long i = 0; i < n; i++)
            bytes[i] = (unsigned char)(7 * (at + i) >> 3);
        put(fd, bytes, n);
    }
    CALL(close, fd);
}

/* Holes, zeros that were written, and bytes that came by a mapping, which is still there at the
 * end. */
static void sparse(const char *name)
{
    static const char zeros[8192];
    int fd = make(name, 0600);
    char *mapped;

    put(fd, "start", 5);
    put(fd, zeros, sizeof(zeros));
    CALL(lseek, fd, 2 * MIB + 1, SEEK_SET);
    put(fd, "behind a hole", 13);
    if (CALL(ftruncate, fd, 64 * MIB + 3))
        fail("ftruncate", name);
    mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, MIB);
    if (mapped == MAP_FAILED)
        fail("mmap", name);
    strcpy(mapped + 100, "by a mapping");
}

static void leave_few(void)
{
    file("/out/plain", "left behind\n");
    file("/out/empty", "");
    folder("/out/folder");
    folder("/out/folder/below");
    folder("/out/nothing in it");
    pattern("/out/folder/below/pattern", 100003);
    file("/out/behind", "behind a folder\n");
    sparse("/out/sparse");
    CALL(close, make("/out/program", 0755));
    file("/out/gone", "unlinked\n");
    CALL(unlink, "/out/gone");
    file("/tmp/elsewhere", "came from /tmp\n");
    if (CALL(rename, "/tmp/elsewhere", "/out/moved"))
        fail("rename", "/out/moved");
}

/* What a host could trip over. */
static void leave_odd(void)
{
    static char longest[6 + 255], name[64];

    file("/out/line\nfeed", "1");
    file("/out/\033[31mred\a", "2");
    file("/out/\xc3\xbcn\xc3\xaf", "3");
    file("/out/no\xff\xfeunicode", "4");
    file("/out/-rf", "5");
    file("/out/..also", "6");
    file("/out/...", "7");
    memset(longest, 'x', sizeof(longest) - 1);
    memcpy(longest, "/out/", 5);
    file(longest, "8");
    if (CALL(symlink, "/etc/passwd", "/out/link") || CALL(symlink, "..", "/out/up"))
        fail("symlink", "/out/link");
    file("/out/taken", "9");
    pattern("/out/too much", MIB + 1);
    file("/out/last", "10");
    CALL(chdir, "/out");
    for (int depth = 1; depth <= 500; depth++) {
        folder("deep");
        if (CALL(chdir, "deep"))
            fail("chdir", "deep");
        if (depth % 50)
            continue;
        snprintf(name, sizeof(name), "at %d", depth);
        file(name, "deep");
    }
}

/* As many as there can be. */
static void leave_many(void)
{
    char name[40];
    int number = 0;

    for (;; number++) {
        snprintf(name, sizeof(name), "/out/%d", number);
        int fd = (int)CALL(open, name, O_RDWR | CREATE, 0644);
        if (fd < 0)
            break;
        CALL(close, fd);
    }
    printf("leave: %d files\n", number);
    fflush(stdout);
}

static const struct {
    const char *name;
    void (*leave)(void);
} cases[] = {{"few", leave_few}, {"odd", leave_odd}, {"many", leave_many}};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc == 3 && i < COUNT(cases); i++)
        if (!strcmp(argv[1], cases[i].name))
            cases[i].leave();
    if (argc != 3)
        return 2;
    if (!strcmp(argv[2], "crash"))
        *(char *volatile *)argv = *(char **)0x10;
    while (!strcmp(argv[2], "hang"))
        sleep(1000);
    return atoi(argv[2]);
}
