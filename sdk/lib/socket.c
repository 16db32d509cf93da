/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets: each call is the kernel's to refuse. */
#include <errno.h>
#include <sys/socket.h>

#include "call.h"

int socket(int family, int type, int protocol)
{
    return (int)CALL(SYS_socket, family, type, protocol);
}

int bind(int fd, const struct sockaddr *address, socklen_t size)
{
    return (int)CALL(SYS_bind, fd, address, size);
}

int listen(int fd, int waiting)
{
    return (int)CALL(SYS_listen, fd, waiting);
}

int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict size)
{
    return (int)CALL(SYS_accept, fd, address, size);
}

int connect(int fd, const struct sockaddr *address, socklen_t size)
{
    return (int)CALL(SYS_connect, fd, address, size);
}

ssize_t sendto(int fd, const void *buffer, size_t length, int flags, const struct sockaddr *to,
               socklen_t size)
{
    return CALL(SYS_sendto, fd, buffer, length, flags, to, size);
}

ssize_t recvfrom(int fd, void *restrict buffer, size_t length, int flags,
                 struct sockaddr *restrict from, socklen_t *restrict size)
{
    return CALL(SYS_recvfrom, fd, buffer, length, flags, from, size);
}

ssize_t send(int fd, const void *buffer, size_t length, int flags)
{
    return sendto(fd, buffer, length, flags, NULL, 0);
}

ssize_t recv(int fd, void *buffer, size_t length, int flags)
{
    return recvfrom(fd, buffer, length, flags, NULL, NULL);
}

int getsockopt(int fd, int level, int name, void *restrict value, socklen_t *restrict size)
{
    return (int)CALL(SYS_getsockopt, fd, level, name, value, size);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    return (int)CALL(SYS_setsockopt, fd, level, name, value, size);
}

int shutdown(int fd, int how)
{
    return (int)CALL(SYS_shutdown, fd, how);
}
