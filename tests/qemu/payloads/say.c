/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes a file to standard output twice, each time followed by a call that the kernel's log tells
 * of, or for ever if there is one more argument.
 */
#include <err.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char text[4096];
    int file = open(argv[1], O_RDONLY);
    ssize_t length = read(file, text, sizeof(text));

    if (file < 0 || length < 0)
        err(1, "%s", argv[1]);
    for (int i = 0; i < 2 || argc > 2; i++) {
        if (write(1, text, (size_t)length) != length)
            err(1, "write");
        syscall(SYS_vfork);
    }
    return 0;
}
