/* SPDX-License-Identifier: BSD-2-Clause */
/* Calls on a descriptor other than reading and writing. */
#include "kernel/cpu/user.h"
#include "kernel/file/fdtable.h"
#include "kernel/file/file.h"
#include "kernel/file/pipe.h"
#include "kernel/file/ramfile.h"
#include "kernel/lib/string.h"
#include "kernel/linux/calls/syscall_table.h"

/* What F_SETFL may change. */
#define FLAGS_CHANGEABLE (FILE_NONBLOCK | FILE_APPEND | FILE_DIRECT)
#define CLOSE_ON_EXEC    1 /* FD_CLOEXEC, and CLOSE_RANGE_CLOEXEC shifted */

enum fcntl_command {
    F_DUPFD = 0,
    F_GETFD = 1,
    F_SETFD = 2,
    F_GETFL = 3,
    F_SETFL = 4,
    F_GETLK = 5,
    F_SETLK = 6,
    F_SETLKW = 7,
    F_OFD_GETLK = 36,
    F_OFD_SETLK = 37,
    F_OFD_SETLKW = 38,
    F_DUPFD_CLOEXEC = 1030,
    F_GETPIPE_SZ = 1032,
    F_ADD_SEALS = 1033,
    F_GET_SEALS = 1034,
};

enum generic_ioctl {
    FIONCLEX = 0x5450,
    FIOCLEX = 0x5451,
    FIONBIO = 0x5421,
    GENERIC_IOCTLS = 0x54, /* their second byte */
};

enum close_range_flags {
    CLOSE_RANGE_UNSHARE = 2,
    CLOSE_RANGE_CLOEXEC = 4,
};

int64_t sys_close_range(unsigned first, unsigned last, unsigned flags)
{
    if (first > last || (flags & ~(unsigned)(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC)))
        return -EINVAL;
    fd_close_range(first, last, flags & CLOSE_RANGE_CLOEXEC);
    return 0;
}

static int64_t duplicate_from(int fd, int minimum, bool close_on_exec)
{
    struct file *file = fd_get_path(fd);
    return file ? fd_install_from(minimum, file, close_on_exec) : -EBADF;
}

static int64_t duplicate_to(int fd, int target, bool close_on_exec)
{
    struct file *file = fd_get_path(fd);
    return file ? fd_replace(target, file, close_on_exec) : -EBADF;
}

int64_t sys_dup(int fd)
{
    return duplicate_from(fd, 0, false);
}

int64_t sys_dup2(int fd, int target)
{
    if (fd == target)
        return fd_close_on_exec(fd) < 0 ? -EBADF : fd;
    return duplicate_to(fd, target, false);
}

int64_t sys_dup3(int fd, int target, int flags)
{
    if (fd == target || (flags & ~FILE_CLOEXEC))
        return -EINVAL;
    return duplicate_to(fd, target, flags & FILE_CLOEXEC);
}

/* struct flock of the interface. */
struct lock {
    int16_t type; /* 0 read, 1 write, 2 unlock */
    int16_t whence;
    uint32_t padding;
    int64_t start, length;
    int32_t pid;
    uint32_t padding_end;
};
_Static_assert(sizeof(struct lock) == 32, "layout of the Linux interface");

#define LOCK_READ  0
#define LOCK_WRITE 1
#define LOCK_NONE  2

/* There is one process, and a process's locks never stand in its own way. */
static int64_t file_lock(const struct file *file, uaddr_t from, bool ask)
{
    struct lock lock;
    int error = copy_from_user(&lock, from, sizeof(lock));
    if (error)
        return error;
    bool none = lock.type == LOCK_NONE;
    if ((lock.type != LOCK_READ && lock.type != LOCK_WRITE && (!none || ask)) || lock.whence < 0 ||
        lock.whence > 2)
        return -EINVAL;
    if (!ask)
        return none || (lock.type == LOCK_READ ? file_readable(file) : file_writable(file))
                   ? 0
                   : -EBADF;
    lock.type = LOCK_NONE;
    return copy_to_user(from, &lock, sizeof(lock));
}

static int64_t ramfile_fcntl(const struct file *file, unsigned command, uint64_t argument)
{
    struct ramfile *ram = file_ramfile(file);
    if (!ram)
        return -EINVAL;
    if (command == F_GET_SEALS)
        return ramfile_get_seals(ram);
    if (argument & ~(uint64_t)SEAL_ALL)
        return -EINVAL;
    return file_writable(file) ? ramfile_add_seals(ram, (unsigned)argument) : -EPERM;
}

/* Commands that concern the open file; those on the descriptor are done already. */
static int64_t file_fcntl(struct file *file, unsigned command, uint64_t argument)
{
    switch (command) {
    case F_GETFL:
        return file->flags;
    case F_SETFL:
        file->flags =
            (file->flags & ~(unsigned)FLAGS_CHANGEABLE) | ((unsigned)argument & FLAGS_CHANGEABLE);
        return 0;
    case F_GETLK:
    case F_OFD_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return file_lock(file, argument, command == F_GETLK || command == F_OFD_GETLK);
    case F_GETPIPE_SZ:
        return file_is_pipe(file) ? (int64_t)PIPE_CAPACITY : -EBADF;
    case F_ADD_SEALS:
    case F_GET_SEALS:
        return ramfile_fcntl(file, command, argument);
    default:
        return -EINVAL;
    }
}

int64_t sys_fcntl(int fd, unsigned command, uint64_t argument)
{
    switch (command) {
    case F_DUPFD:
    case F_DUPFD_CLOEXEC:
        return duplicate_from(fd, argument > INT32_MAX ? -1 : (int)argument,
                              command == F_DUPFD_CLOEXEC);
    case F_GETFD:
        return fd_close_on_exec(fd);
    case F_SETFD:
        return fd_set_close_on_exec(fd, argument & CLOSE_ON_EXEC);
    default:
        break;
    }
    return WITH_FILE(file, command == F_GETFL ? fd_get_path(fd) : fd_get(fd),
                     file_fcntl(file, command, argument));
}

int64_t sys_flock(int fd, int operation)
{
    const int non_blocking = 4;
    int kind = operation & ~non_blocking; /* 1 shared, 2 exclusive, 8 unlock */
    if (!fd_is_file(fd))
        return -EBADF;
    return kind == 1 || kind == 2 || kind == 8 ? 0 : -EINVAL;
}

static int64_t set_nonblock(struct file *file, uaddr_t argument)
{
    uint32_t on;
    int error = copy_from_user(&on, argument, sizeof(on));
    if (error)
        return error;
    file->flags = on ? file->flags | FILE_NONBLOCK : file->flags & ~(unsigned)FILE_NONBLOCK;
    return 0;
}

static inline int64_t file_ioctl(int fd, uint32_t command, uint64_t argument)
{
    struct file *file = fd_get(fd);
    int64_t result;
    if (!file)
        return -EBADF;
    result = file->ops->ioctl ? file->ops->ioctl(file, command, argument) : -ENOTTY;
    file_put(file);
    return result;
}

/* Commands of the byte in which those of every file are; the others may be a terminal's. */
static APART int64_t generic_ioctl(int fd, uint32_t command, uint64_t argument)
{
    if ((command == FIOCLEX || command == FIONCLEX) && fd_is_file(fd))
        return fd_set_close_on_exec(fd, command == FIOCLEX);
    if (command == FIONBIO)
        return WITH_FILE(file, fd_get(fd), set_nonblock(file, argument));
    return file_ioctl(fd, command, argument);
}

int64_t sys_ioctl(int fd, uint32_t command, uint64_t argument)
{
    if (command >> 8 == GENERIC_IOCTLS)
        return generic_ioctl(fd, command, argument);
    return file_ioctl(fd, command, argument);
}

static int64_t seek(struct file *file, int64_t offset, int whence)
{
    if (file->ops->seek)
        return file->ops->seek(file, offset, whence);
    return file->seekable ? file_seek(file, offset, whence, UINT64_MAX) : -ESPIPE;
}

int64_t sys_lseek(int fd, int64_t offset, int whence)
{
    return WITH_FILE(file, fd_get(fd),
                     mutex_run(&file->position_lock, "file position", seek(file, offset, whence)));
}

static int64_t resize(struct file *file, int64_t size)
{
    if (!file_writable(file) || !file->ops->truncate)
        return -EINVAL;
    return file->ops->truncate(file, (uint64_t)size);
}

int64_t sys_ftruncate(int fd, int64_t size)
{
    if (size < 0)
        return -EINVAL;
    return WITH_FILE(file, fd_get(fd), resize(file, size));
}

/* Only growing: frames come when they are used, those of huge pages now. */
static int64_t allocate(struct file *file, int mode, int64_t offset, int64_t length)
{
    struct ramfile *ram = file_ramfile(file);
    uint64_t end;
    if (offset < 0 || length <= 0)
        return -EINVAL;
    if (mode != 0)
        return -EOPNOTSUPP;
    if (!range_end((uint64_t)offset, (uint64_t)length, &end) || end > INT64_MAX)
        return -EFBIG;
    if (!file_writable(file))
        return -EBADF;
    if (!ram)
        return -ENODEV;
    int error = ramfile_allocate(ram, (uint64_t)offset, (uint64_t)length);
    return error == -ENOMEM ? -ENOSPC : error;
}

int64_t sys_fallocate(int fd, int mode, int64_t offset, int64_t length)
{
    return WITH_FILE(file, fd_get(fd), allocate(file, mode, offset, length));
}

/* struct linux_dirent64 of the interface, without the name. */
struct dirent {
    uint64_t inode;
    uint64_t position;
    uint16_t length;
    uint8_t type;
} __attribute__((packed));
_Static_assert(sizeof(struct dirent) == 19, "layout of the Linux interface");

#define DIRENT_MAX   280        /* the header, the longest name with its zero, padding */
#define DIRENTS_SIZE (16 * KIB) /* what one call returns at most, so that it stays short */

struct dirent_sink {
    uaddr_t at;
    size_t left;
    bool full; /* an entry did not fit */
    int error;
};

static bool emit_dirent(void *context, const char *name, uint64_t inode, uint32_t mode,
                        uint64_t position)
{
    struct dirent_sink *sink = context;
    char record[DIRENT_MAX] = {0};
    size_t name_size = strlen(name) + 1;
    size_t length = ALIGN_UP(sizeof(struct dirent) + name_size, 8);
    struct dirent head = {
        .inode = inode,
        .position = position,
        .length = (uint16_t)length,
        .type = (uint8_t)((mode & MODE_TYPE) >> 12), /* DT_ values are the type bits */
    };
    sink->full = length > sink->left;
    if (sink->full)
        return false;
    memcpy(record, &head, sizeof(head));
    memcpy(record + sizeof(head), name, name_size);
    sink->error = copy_to_user(sink->at, record, length);
    sink->at += length;
    sink->left -= length;
    return sink->error == 0;
}

static int64_t read_directory(struct file *file, uaddr_t buffer, unsigned size)
{
    size = MIN(size, DIRENTS_SIZE);
    struct dirent_sink sink = {.at = buffer, .left = size};
    if (!file->ops->iterate)
        return -ENOTDIR;
    int error = file->ops->iterate(file, &file->position, emit_dirent, &sink);
    if (!error)
        error = sink.error;
    if (!error && sink.full && sink.left == size)
        error = -EINVAL; /* too small for even one entry */
    return error ? error : (int64_t)(size - sink.left);
}

int64_t sys_getdents64(int fd, uaddr_t buffer, unsigned size)
{
    return WITH_FILE(
        file, fd_get(fd),
        mutex_run(&file->position_lock, "file position", read_directory(file, buffer, size)));
}

#define SOCKET_TYPES 10u /* SOCK_PACKET, the last one */

/* A family that is not there is told behind a type that is none. */
int64_t sys_socket(int family, unsigned type)
{
    return (type & ~(FILE_CLOEXEC | FILE_NONBLOCK)) > SOCKET_TYPES ? -EINVAL : -EAFNOSUPPORT;
}
