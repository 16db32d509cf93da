/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Open files. A struct file is what a descriptor refers to (Linux: an open file description); the
 * device-file families (VFIO, iommufd, UIO, DFL) implement struct file_ops. A reference is held
 * across every call and every sleep inside it.
 */
#ifndef KERNEL_FILE_FILE_H
#define KERNEL_FILE_FILE_H

#include "kernel/cpu/mutex.h"
#include "kernel/cpu/thread.h"
#include "kernel/lib/error.h"
#include "kernel/lib/list.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/types.h"

struct file;
struct memobj;
struct node;

/* What stat(2) tells, before it takes the layout of the interface. */
struct file_stat {
    uint64_t inode;
    uint32_t mode; /* type and permission bits, Linux S_IF... values */
    uint32_t links;
    uint32_t major, minor; /* of the device a device file names */
    uint32_t block_size;   /* of best IO; 0: a page */
    uint64_t size;         /* bytes */
    uint64_t modified_ns;  /* time_ns() terms */
};

/* Type bits of file_stat.mode. */
enum file_mode {
    MODE_TYPE = 0170000,
    MODE_BITS = 07777, /* what chmod(2) can set */
    MODE_FIFO = 0010000,
    MODE_CHARACTER = 0020000,
    MODE_DIRECTORY = 0040000,
    MODE_REGULAR = 0100000,
    MODE_LINK = 0120000,
};

/*
 * Bytes that a read or write moves between two calls of thread_breathe(): well under a millisecond
 * of copying.
 */
#define FILE_PIECE MIB
/* The longest read or write; more is cut, as in Linux. */
#define FILE_IO_MAX UINT64_C(0x7ffff000)

/* Linux x86-64 values of open and fcntl flags that matter to files. */
enum file_flags {
    FILE_RDONLY = 0,
    FILE_WRONLY = 1,
    FILE_RDWR = 2,
    FILE_ACCMODE = 3,
    FILE_EXCL = 0200,
    FILE_APPEND = 02000,
    FILE_NONBLOCK = 04000,
    FILE_DIRECT = 040000,
    FILE_PATH = 010000000,   /* names a place, cannot be read or written */
    FILE_CLOEXEC = 02000000, /* of the descriptor, never stored in a file */
};

enum poll_events {
    POLL_IN = 1,
    POLL_PRI = 2,
    POLL_OUT = 4,
    POLL_ERR = 8,
    POLL_HUP = 16,
    POLL_NVAL = 32,
};

/* One directory entry; `position` is the cookie that continues after it. */
typedef bool (*file_emit)(void *context, const char *name, uint64_t inode, uint32_t mode,
                          uint64_t position);

/*
 * Any member may be NULL: read and write then fail with -EINVAL, ioctl with -ENOTTY, mmap with
 * -ENODEV, poll reports readable and writable. Buffers are the payload's: use kernel/cpu/user.h.
 * Lengths are at most 0x7ffff000. Return bytes or a negative error.
 */
struct file_ops {
    int64_t (*read)(struct file *file, uaddr_t buffer, size_t length, uint64_t *position);
    int64_t (*write)(struct file *file, uaddr_t buffer, size_t length, uint64_t *position);
    /* Held by the caller around all that one call writes; NULL: nothing is. */
    struct mutex *(*write_lock)(const struct file *file);
    int64_t (*ioctl)(struct file *file, uint32_t command, uint64_t argument);
    /* Fills *out with a referenced object; `offset` is page aligned and stays relative to it. */
    int (*mmap)(struct file *file, uint64_t offset, uint64_t length, unsigned protection,
                bool shared, struct memobj **out, uint64_t *object_offset);
    unsigned (*poll)(struct file *file);
    int64_t (*seek)(struct file *file, int64_t offset, int whence);
    int (*stat)(struct file *file, struct file_stat *out);
    int (*truncate)(struct file *file, uint64_t size);
    /*
     * Directories: calls `emit` for every entry after *position and advances it, until emit
     * returns false (that entry is then not consumed).
     */
    int (*iterate)(struct file *file, uint64_t *position, file_emit emit, void *context);
    bool seekable; /* pread, pwrite and lseek make sense */
    /* The last reference is gone. Must not fail; may sleep with a bound. */
    void (*release)(struct file *file);
};

struct file {
    const struct file_ops *ops;
    void *context; /* the implementation's own */
    unsigned references;
    unsigned flags; /* access mode and FILE_NONBLOCK */
    bool seekable;  /* as its operations say */
    /*
     * Held by who moves the file's own position, so that two reads at once do not get the same
     * bytes; not by reads where there is no position, which may last for ever.
     */
    struct mutex position_lock;
    uint64_t position;
    struct waitq changed; /* woken whenever poll() may answer differently */
    const char *name;     /* for messages: "vfio-device" */
    struct node *node;    /* the node of the tree it was opened through; NULL: has no path */
    struct list watches;  /* struct file_watch: who must know when it goes (epoll) */
};

/* Called when the last reference to the file goes, before release(). Takes itself off the list. */
struct file_watch {
    struct list link;
    void (*gone)(struct file_watch *watch);
};

/* A file with one reference. NULL when out of memory. */
struct file *file_create(const struct file_ops *ops, void *context, unsigned flags,
                         const char *name);
static inline struct file *file_get(struct file *file)
{
    ASSERT(file->references > 0);
    file->references++;
    return file;
}
/* What the last reference leaves to do: release(), and the file is gone. */
void file_end(struct file *file);
/* Gives a reference back; the last one runs release(). Accepts NULL. */
static inline void file_put(struct file *file)
{
    if (!file)
        return;
    ASSERT(file->references > 0);
    if (--file->references == 0)
        file_end(file);
}

/* What poll() answers now: enum poll_events. */
unsigned file_poll(struct file *file);
/*
 * Sleeps until poll() reports one of `events`. 0; -EAGAIN at once when the file is non-blocking
 * and it does not yet; -EINTR.
 */
int file_wait(struct file *file, unsigned events, const char *point);
/* The same until `done` holds, an expression over what a change of the file wakes for. */
#define FILE_WAIT(file, point, done)                                                               \
    ({                                                                                             \
        struct waiter file_waiter;                                                                 \
        int file_error = 0;                                                                        \
        waiter_init_thread(&file_waiter);                                                          \
        wait_add(&(file)->changed, &file_waiter);                                                  \
        while (!file_error && !(done))                                                             \
            file_error =                                                                           \
                (file)->flags & FILE_NONBLOCK ? -EAGAIN : thread_sleep(point, UINT64_MAX);         \
        wait_remove(&file_waiter);                                                                 \
        file_error;                                                                                \
    })
/*
 * lseek(2) in a file of `size` bytes: the new position, also stored, or -EINVAL. For files whose
 * end means nothing pass size UINT64_MAX: SEEK_END is then refused.
 */
int64_t file_seek(struct file *file, int64_t offset, int whence, uint64_t size);
bool file_readable(const struct file *file);
bool file_writable(const struct file *file);

/*
 * Descriptors of the payload, for calls that take or return one.
 * fd_get: a reference, or NULL for a bad descriptor, which for nearly all calls is also one opened
 * with O_PATH. fd_install: takes over the reference, whatever comes of it, and returns the
 * descriptor, or -EMFILE, or -ENOMEM, also for NULL: a file that there was no memory for.
 */
struct file *fd_get(int fd);
/* What `call` answers of `it`, the file that `get` gives a reference to; -EBADF for NULL. */
#define WITH_FILE(it, get, call)                                                                   \
    ({                                                                                             \
        struct file *it = (get);                                                                   \
        int64_t with_file_result = it ? (call) : -EBADF;                                           \
        file_put(it);                                                                              \
        with_file_result;                                                                          \
    })
int fd_install(struct file *file, bool close_on_exec);

#endif
