/* SPDX-License-Identifier: BSD-2-Clause */
/* signalfd(2): signals read from a file; and pidfd_open(2), whose file is the payload itself. */
#include "kernel/cpu/user.h"
#include "kernel/file/file.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/threads/task.h"
#include "kernel/mm/heap.h"

struct signal_fd {
    struct list link;
    struct file *file;
    uint64_t mask;
};

static struct list all = LIST_INIT(all);

/* struct signalfd_siginfo of the interface. */
struct user_info {
    uint32_t number;
    int32_t error, code;
    uint32_t pid, uid;
    uint32_t unused[6];
    int32_t value;
    uint64_t pointer;
    uint64_t padding[9];
};
_Static_assert(sizeof(struct user_info) == 128, "layout of the Linux interface");

/* Whoever polls or reads sees its own thread's signals, and those for any thread. */
static unsigned signal_fd_poll(struct file *file)
{
    const struct signal_fd *fd = file->context;
    return (task_current()->pending.set | payload.pending.set) & fd->mask ? POLL_IN : 0;
}

static int64_t signal_fd_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    const struct signal_fd *fd = file->context;
    struct siginfo info;
    size_t done = 0;
    if (length < sizeof(struct user_info))
        return -EINVAL;
    int error = file_wait(file, POLL_IN, "signalfd read");
    while (!error && length - done >= sizeof(struct user_info) &&
           signal_take(task_current(), fd->mask, &info)) {
        struct user_info user = {
            .number = (uint32_t)info.number,
            .error = info.error,
            .code = info.code,
            .pid = (uint32_t)info.sender.pid,
            .uid = info.sender.uid,
            .value = (int32_t)info.sender.value,
            .pointer = info.sender.value,
        };
        error = copy_to_user(buffer + done, &user, sizeof(user));
        done += error ? 0 : sizeof(user);
    }
    return done ? (int64_t)done : error;
}

static void signal_fd_release(struct file *file)
{
    struct signal_fd *fd = file->context;
    list_remove(&fd->link);
    kfree(fd);
}

static const struct file_ops signal_fd_ops = {
    .read = signal_fd_read,
    .poll = signal_fd_poll,
    .release = signal_fd_release,
};

void signal_fd_wake(void)
{
    struct signal_fd *fd;
    list_for_each_entry (fd, &all, link) {
        waitq_wake(&fd->file->changed);
    }
}

static int64_t signal_fd_create(uint64_t mask, unsigned flags)
{
    struct signal_fd *fd = kzalloc(sizeof(*fd));
    struct file *file =
        fd ? file_create(&signal_fd_ops, fd, FILE_RDWR | (flags & FILE_NONBLOCK), "signalfd")
           : NULL;
    if (!file) {
        kfree(fd);
        return -ENOMEM;
    }
    *fd = (struct signal_fd){.file = file, .mask = mask};
    list_push_back(&all, &fd->link);
    return fd_install(file, flags & FILE_CLOEXEC);
}

static int64_t set_mask(const struct file *file, uint64_t mask)
{
    if (file->ops != &signal_fd_ops)
        return -EINVAL;
    ((struct signal_fd *)file->context)->mask = mask;
    signal_fd_wake();
    return 0;
}

int64_t sys_signalfd4(int fd, uaddr_t user_mask, size_t size, unsigned flags)
{
    uint64_t mask;
    if (size != sizeof(mask) || (flags & ~(unsigned)(FILE_NONBLOCK | FILE_CLOEXEC)))
        return -EINVAL;
    int64_t error = copy_from_user(&mask, user_mask, sizeof(mask));
    mask &= ~SIGNALS_HARD;
    if (error || fd == -1)
        return error ? error : signal_fd_create(mask, flags);
    error = WITH_FILE(file, fd_get(fd), set_mask(file, mask));
    return error ? error : fd;
}

/* Readable when the payload has ended; then nobody polls. */
static unsigned pid_fd_poll(struct file *file)
{
    return 0;
}

static const struct file_ops pid_fd_ops = {.poll = pid_fd_poll};

int64_t sys_pidfd_open(int pid, unsigned flags)
{
    if ((flags & ~(unsigned)FILE_NONBLOCK) || pid <= 0)
        return -EINVAL;
    if (pid != PAYLOAD_PID) /* a thread's id is none of a process */
        return task_find(pid) ? -EINVAL : -ESRCH;
    return fd_install(file_create(&pid_fd_ops, NULL, FILE_RDWR | flags, "pidfd"), true);
}
