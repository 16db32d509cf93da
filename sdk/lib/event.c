/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting: eventfd, epoll, poll, select, timerfd. */
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "call.h"

int eventfd(unsigned initial, int flags)
{
    return (int)CALL(SYS_eventfd2, initial, flags);
}

int eventfd_read(int fd, eventfd_t *value)
{
    return read(fd, value, sizeof(*value)) == sizeof(*value) ? 0 : -1;
}

int eventfd_write(int fd, eventfd_t value)
{
    return write(fd, &value, sizeof(value)) == sizeof(value) ? 0 : -1;
}

int epoll_create(int size)
{
    return (int)CALL(SYS_epoll_create, size);
}

int epoll_create1(int flags)
{
    return (int)CALL(SYS_epoll_create1, flags);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    return (int)CALL(SYS_epoll_ctl, epoll, operation, fd, event);
}

int epoll_wait(int epoll, struct epoll_event *events, int room, int timeout_ms)
{
    return (int)CALL(SYS_epoll_wait, epoll, events, room, timeout_ms);
}

int epoll_pwait(int epoll, struct epoll_event *events, int room, int timeout_ms,
                const sigset_t *mask)
{
    return (int)CALL(SYS_epoll_pwait, epoll, events, room, timeout_ms, mask, sizeof(sigset_t));
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    return (int)CALL(SYS_poll, fds, count, timeout_ms);
}

int ppoll(struct pollfd *fds, nfds_t count, const struct timespec *timeout, const sigset_t *mask)
{
    /* The kernel may write the time left into its argument; the interface here says const. */
    struct timespec copy = timeout ? *timeout : (struct timespec){0};
    return (int)CALL(SYS_ppoll, fds, count, timeout ? &copy : NULL, mask, sizeof(sigset_t));
}

int select(int count, fd_set *reads, fd_set *writes, fd_set *exceptions, struct timeval *timeout)
{
    return (int)CALL(SYS_select, count, reads, writes, exceptions, timeout);
}

int timerfd_create(int clock, int flags)
{
    return (int)CALL(SYS_timerfd_create, clock, flags);
}

int timerfd_settime(int fd, int flags, const struct itimerspec *set, struct itimerspec *old)
{
    return (int)CALL(SYS_timerfd_settime, fd, flags, set, old);
}

int timerfd_gettime(int fd, struct itimerspec *now)
{
    return (int)CALL(SYS_timerfd_gettime, fd, now);
}
