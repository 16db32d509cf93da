/* SPDX-License-Identifier: BSD-2-Clause */
/* The modes of a terminal. The kernel's structure is the first part of ours. */
#include <errno.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "call.h"

#define KERNEL_NCCS 19

/* What TCGETS and TCSETS move. */
struct kernel_termios {
    tcflag_t iflag, oflag, cflag, lflag;
    cc_t line;
    cc_t cc[KERNEL_NCCS];
};

_Static_assert(offsetof(struct termios, c_cc) == offsetof(struct kernel_termios, cc), "a prefix");

int tcgetattr(int fd, struct termios *modes)
{
    *modes = (struct termios){0};
    return ioctl(fd, TCGETS, modes);
}

int tcsetattr(int fd, int when, const struct termios *modes)
{
    if (when < TCSANOW || when > TCSAFLUSH) {
        errno = EINVAL;
        return -1;
    }
    return ioctl(fd, TCSETS + (unsigned long)when, modes);
}

void cfmakeraw(struct termios *modes)
{
    modes->c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    modes->c_oflag &= ~(tcflag_t)OPOST;
    modes->c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | ISIG | IEXTEN);
    modes->c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
    modes->c_cflag |= CS8;
    modes->c_cc[VMIN] = 1;
    modes->c_cc[VTIME] = 0;
}
