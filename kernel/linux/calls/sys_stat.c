/* SPDX-License-Identifier: BSD-2-Clause */
/* stat(2), statx(2) and statfs(2): struct file_stat in the layouts of the interface. */
#include "kernel/cpu/time.h"
#include "kernel/cpu/user.h"
#include "kernel/file/fdtable.h"
#include "kernel/file/ramfile.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/calls/clock.h"
#include "kernel/linux/calls/user_path.h"

#define BLOCK_SIZE     4096 /* where nothing else is said */
#define SECTOR_SIZE    512
#define DEVICE_NUMBER  1 /* st_dev of everything: there is one file system */
#define STATX_BASIC    0x7ff
#define STATX_MASK_BAD 0x80000000u
#define AT_STATX_SYNC  0x6000u

struct user_stat {
    uint64_t device, inode, links;
    uint32_t mode, uid, gid, padding;
    uint64_t device_number;
    int64_t size, block_size, blocks;
    struct user_time accessed, modified, changed;
    int64_t unused[3];
};
_Static_assert(sizeof(struct user_stat) == 144, "layout of the Linux interface");

struct statx_time {
    int64_t seconds;
    uint32_t nanoseconds;
    int32_t reserved;
};

struct user_statx {
    uint32_t mask, block_size;
    uint64_t attributes;
    uint32_t links, uid, gid;
    uint16_t mode, padding;
    uint64_t inode, size, blocks, attributes_mask;
    struct statx_time accessed, created, changed, modified;
    uint32_t special_major, special_minor, major, minor;
    uint64_t unused[14];
};
_Static_assert(sizeof(struct user_statx) == 256, "layout of the Linux interface");

struct user_statfs {
    int64_t type, block_size;
    uint64_t blocks, free, available, files, files_free;
    int32_t id[2];
    int64_t name_length, fragment_size, flags, spare[4];
};
_Static_assert(sizeof(struct user_statfs) == 120, "layout of the Linux interface");

/* The encoding of dev_t that Linux hands to programs. */
static uint64_t device_number(uint32_t major, uint32_t minor)
{
    return (minor & 0xff) | ((uint64_t)(major & 0xfff) << 8) | ((uint64_t)(minor & ~0xffu) << 12) |
           ((uint64_t)(major & ~0xfffu) << 32);
}

static struct user_time modified_time(const struct file_stat *stat)
{
    return user_time_from_ns(clock_boot_ns() + stat->modified_ns);
}

static int64_t put_stat(const struct file_stat *stat, uaddr_t out)
{
    struct user_time time = modified_time(stat);
    struct user_stat user = {
        .device = DEVICE_NUMBER,
        .inode = stat->inode,
        .links = stat->links,
        .mode = stat->mode,
        .device_number = device_number(stat->major, stat->minor),
        .size = (int64_t)stat->size,
        .block_size = stat->block_size ? stat->block_size : BLOCK_SIZE,
        .blocks = (int64_t)(ALIGN_UP(stat->size, BLOCK_SIZE) / SECTOR_SIZE),
        .accessed = time,
        .modified = time,
        .changed = time,
    };
    return copy_to_user(out, &user, sizeof(user));
}

static int64_t put_statx(const struct file_stat *stat, uaddr_t out)
{
    struct user_time t = modified_time(stat);
    struct statx_time time = {.seconds = t.seconds, .nanoseconds = (uint32_t)t.nanoseconds};
    struct user_statx user = {
        .mask = STATX_BASIC,
        .block_size = stat->block_size ? stat->block_size : BLOCK_SIZE,
        .links = stat->links,
        .mode = (uint16_t)stat->mode,
        .inode = stat->inode,
        .size = stat->size,
        .blocks = ALIGN_UP(stat->size, BLOCK_SIZE) / SECTOR_SIZE,
        .accessed = time,
        .changed = time,
        .modified = time,
        .special_major = stat->major,
        .special_minor = stat->minor,
        .minor = DEVICE_NUMBER,
    };
    return copy_to_user(out, &user, sizeof(user));
}

/* An open file answers for itself, else its node does; what has neither is anonymous. */
static int stat_file(struct file *file, struct file_stat *out)
{
    *out = (struct file_stat){.mode = 0600, .links = 1};
    if (file->node)
        node_stat(file->node, out);
    return file->ops->stat ? file->ops->stat(file, out) : 0;
}

static int stat_at(int directory, uaddr_t path, unsigned flags, struct file_stat *out)
{
    struct user_path where;
    struct place place;
    if (flags & ~(AT_NOFOLLOW | AT_EMPTY_PATH | AT_NO_MOUNT | AT_STATX_SYNC))
        return -EINVAL;
    int error = user_path_get(directory, path, flags & AT_EMPTY_PATH, &where);
    if (error)
        return error;
    if (where.text[0] == 0 && where.directory) {
        error = stat_file(where.directory, out);
    } else if (where.text[0] == 0) {
        node_stat(where.start, out);
    } else {
        unsigned follow = flags & AT_NOFOLLOW ? 0 : PATH_FOLLOW;
        error = path_walk(where.start, where.text, follow, &place);
        struct file *open = !error && follow ? path_file(place.node) : NULL;
        if (open)
            error = stat_file(open, out);
        else if (!error)
            node_stat(place.node, out);
        file_put(open);
    }
    user_path_put(&where);
    return error;
}

int64_t sys_newfstatat(int directory, uaddr_t path, uaddr_t out, unsigned flags)
{
    struct file_stat stat;
    int error = stat_at(directory, path, flags, &stat);
    return error ? error : put_stat(&stat, out);
}

int64_t sys_fstat(int fd, uaddr_t out)
{
    struct file_stat stat;
    int64_t error = WITH_FILE(file, fd_get_path(fd), stat_file(file, &stat));
    return error ? error : put_stat(&stat, out);
}

int64_t sys_statx(int directory, uaddr_t path, unsigned flags, unsigned mask, uaddr_t out)
{
    struct file_stat stat;
    if ((mask & STATX_MASK_BAD) || (flags & AT_STATX_SYNC) == AT_STATX_SYNC)
        return -EINVAL;
    int error = stat_at(directory, path, flags, &stat);
    return error ? error : put_statx(&stat, out);
}

enum file_system_magic {
    TMPFS_MAGIC = 0x01021994,
    PROC_MAGIC = 0x9fa0,
    SYSFS_MAGIC = 0x62656572,
    HUGETLBFS_MAGIC = 0x958458f6,
};

/* What a node's file system calls itself: in Linux each of these folders is one. NULL: no node. */
static int64_t magic_of(const struct node *node)
{
    if (node && node->huge)
        return HUGETLBFS_MAGIC;
    while (node && node->parent && node->parent != node_root())
        node = node->parent;
    if (!node || !node->parent)
        return TMPFS_MAGIC;
    return strcmp(node->name, "proc") == 0  ? PROC_MAGIC
           : strcmp(node->name, "sys") == 0 ? SYSFS_MAGIC
                                            : TMPFS_MAGIC;
}

/* Everything in the tree is memory; how much Linux does not tell of huge pages without a limit. */
static int64_t put_statfs(int64_t magic, uaddr_t out)
{
    bool huge = magic == HUGETLBFS_MAGIC;
    struct frames_stats frames = {0};
    if (!huge)
        frames_stats(&frames);
    struct user_statfs user = {
        .type = magic,
        .block_size = huge ? SIZE_2M : BLOCK_SIZE,
        .blocks = frames.total,
        .free = frames.free,
        .available = frames.free,
        .files = huge ? 0 : NODE_QUOTA,
        .name_length = NODE_NAME_MAX,
        .fragment_size = huge ? SIZE_2M : BLOCK_SIZE,
    };
    return copy_to_user(out, &user, sizeof(user));
}

int64_t sys_statfs(uaddr_t path, uaddr_t out)
{
    return WITH_NODE(node, AT_FDCWD, path, true, put_statfs(magic_of(node), out));
}

int64_t sys_fstatfs(int fd, uaddr_t out)
{
    return WITH_FILE(file, fd_get_path(fd),
                     put_statfs(file_is_huge(file) ? HUGETLBFS_MAGIC : magic_of(file->node), out));
}
