/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bytes live in a RAM object, whose size is the file's rounded up to pages. What lies between the
 * file's end and the end of its last page is zero at all times, as mmap(2) promises. A file of huge
 * pages is the same with another object and another granule, but nothing is written to it.
 */
#include "kernel/file/ramfile.h"
#include "kernel/cpu/mutex.h"
#include "kernel/cpu/time.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/string.h"
#include "kernel/mm/direct.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/ramobj.h"

#define RAMFILE_MAX (UINT64_C(1) << 46) /* more than the machine can have */
#define PROT_WRITE  2u
#define SEEK_DATA   3
#define SEEK_HOLE   4
#define PIECE_WORK  300 /* of a read or write of one piece, its bytes aside */

struct ramfile {
    struct mutex lock; /* of whoever writes or sets the size; readers do without */
    unsigned references;
    unsigned seals;
    uint64_t size;    /* bytes, a multiple of: */
    uint64_t granule; /* 1, or 2 MiB of a file of huge pages */
    uint64_t modified_ns;
    struct memobj *memory;
};

struct ramfile *ramfile_create(unsigned seals, bool huge)
{
    struct ramfile *ram = kzalloc(sizeof(*ram));
    if (!ram)
        return NULL;
    ram->memory = ramobj_create(0, huge ? SIZE_2M : PAGE_SIZE);
    if (!ram->memory) {
        kfree(ram);
        return NULL;
    }
    mutex_init(&ram->lock);
    ram->references = 1;
    ram->granule = huge ? SIZE_2M : 1;
    ram->seals = seals;
    ram->modified_ns = time_ns();
    return ram;
}

struct ramfile *ramfile_get(struct ramfile *ram)
{
    ram->references++;
    return ram;
}

void ramfile_put(struct ramfile *ram)
{
    if (!ram || --ram->references > 0)
        return;
    memobj_put(ram->memory);
    kfree(ram);
}

/*
 * The bytes from `offset` to the end of their physical run, at most `max` and not 0. Makes frames
 * where there are none.
 */
static int piece_at(const struct ramfile *ram, uint64_t offset, uint64_t max, void **bytes,
                    uint64_t *length)
{
    struct phys_run run;
    uint64_t page = ALIGN_DOWN(offset, PAGE_SIZE);
    int error = memobj_run(ram->memory, page, ALIGN_UP(offset + max, PAGE_SIZE) - page, &run);
    if (error)
        return error;
    *bytes = (uint8_t *)phys_to_virt(run.base) + (offset - page);
    *length = MIN(max, run.length - (offset - page));
    return 0;
}

/* Keeps the promise about the last page when the file ends in its middle; a hole is zero. */
static void clear_tail(struct ramfile *ram, uint64_t size)
{
    uint64_t offset = size % PAGE_SIZE;
    if (offset == 0 || size >= ram->size)
        return;
    struct phys_run run = ramobj_peek(ram->memory, size - offset, PAGE_SIZE);
    if (run.base != PADDR_NONE)
        memset((uint8_t *)phys_to_virt(run.base) + offset, 0, PAGE_SIZE - offset);
}

static int set_size(struct ramfile *ram, uint64_t size)
{
    if (size > RAMFILE_MAX)
        return -EFBIG;
    clear_tail(ram, size);
    ram->size = size; /* first, for who reads while memory is released */
    ramobj_resize(ram->memory, ALIGN_UP(size, PAGE_SIZE));
    ram->modified_ns = time_ns();
    return 0;
}

static int resize(struct ramfile *ram, uint64_t size)
{
    if (!IS_ALIGNED(size, ram->granule))
        return -EINVAL;
    if (size < ram->size && (ram->seals & SEAL_SHRINK))
        return -EPERM;
    return size > ram->size && (ram->seals & SEAL_GROW) ? -EPERM : set_size(ram, size);
}

int ramfile_resize(struct ramfile *ram, uint64_t size)
{
    return mutex_run(&ram->lock, "file size", resize(ram, size));
}

/*
 * Makes the file longer, if it may grow and ends before what is given, and fills that, if it is of
 * huge pages. A failure changes nothing.
 */
static int allocate(struct ramfile *ram, uint64_t offset, uint64_t length, bool grows, bool fills)
{
    uint64_t start = ALIGN_DOWN(offset, ram->granule);
    uint64_t end = ALIGN_UP(offset + length, ram->granule);
    uint64_t old = ram->size;
    int error = grows && end > old ? resize(ram, end) : 0;
    if (!error && fills && ram->granule > 1)
        error = ramobj_allocate(ram->memory, start, end - start);
    if (error && ram->size > old)
        set_size(ram, old);
    return error;
}

int ramfile_allocate(struct ramfile *ram, uint64_t offset, uint64_t length)
{
    return mutex_run(&ram->lock, "file size", allocate(ram, offset, length, true, true));
}

int ramfile_append(struct ramfile *ram, const void *bytes, uint64_t length)
{
    uint64_t at = ram->size;
    const uint8_t *from = bytes;
    int error = set_size(ram, at + length);
    while (!error && length > 0) {
        void *to;
        uint64_t n;
        error = piece_at(ram, at, length, &to, &n);
        if (error)
            break;
        memcpy(to, from, n);
        at += n;
        from += n;
        length -= n;
    }
    return error;
}

void ramfile_stat(const struct ramfile *ram, struct file_stat *out)
{
    out->size = ram->size;
    out->block_size = (uint32_t)MAX(ram->granule, PAGE_SIZE);
    out->modified_ns = ram->modified_ns;
}

const void *ramfile_peek(const struct ramfile *ram, uint64_t offset, uint64_t *length)
{
    struct phys_run run = ramobj_peek(ram->memory, offset, ALIGN_UP(*length, PAGE_SIZE));
    *length = run.length;
    return run.base == PADDR_NONE ? NULL : phys_to_virt(run.base);
}

/* Copies out what one run, or one hole, holds from `offset` on; *length becomes how much. */
static int read_piece(const struct ramfile *ram, uint64_t offset, uaddr_t to, size_t *length)
{
    uint64_t inside = offset % PAGE_SIZE;
    uint64_t together = inside + MIN(*length, FILE_PIECE);
    const uint8_t *bytes = ramfile_peek(ram, offset - inside, &together);
    *length = MIN(*length, MIN(together - inside, FILE_PIECE));
    return bytes ? copy_to_user(to, bytes + inside, *length) : clear_user(to, *length);
}

static int64_t ram_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    const struct ramfile *ram = file->context;
    uint64_t at = *position;
    size_t done = 0;
    int error = 0;
    while (!error && done < length && at < ram->size) {
        size_t n = MIN(length - done, ram->size - at);
        error = read_piece(ram, at, buffer + done, &n);
        if (error)
            break;
        at += n;
        done += n;
        error = breathe_after((uint32_t)n / sizeof(uint64_t) + PIECE_WORK, "file read");
    }
    *position = at;
    return done ? (int64_t)done : error;
}

/* Makes room up to `end`; a write may leave a hole before it. */
static int make_room(struct ramfile *ram, uint64_t end)
{
    if (ram->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE))
        return -EPERM;
    return end <= ram->size ? 0 : resize(ram, end);
}

/* Writes at most one piece, whole or not at all; *length becomes how much. */
static int write_piece(struct ramfile *ram, uint64_t at, uaddr_t from, size_t *length)
{
    uint64_t old_size = ram->size;
    uint64_t end;
    void *bytes;
    *length = MIN(*length, FILE_PIECE);
    int error = range_end(at, *length, &end) ? make_room(ram, end) : -EFBIG;
    if (error)
        return error;
    error = piece_at(ram, at, *length, &bytes, length);
    if (!error)
        error = copy_from_user(bytes, from, *length);
    /* What was not written does not make the file longer. */
    uint64_t written = error ? old_size : MAX(old_size, at + *length);
    if (written < ram->size)
        set_size(ram, written);
    return error == -ENOMEM ? -ENOSPC : error;
}

static struct mutex *ram_write_lock(const struct file *file)
{
    struct ramfile *ram = file->context;
    return &ram->lock;
}

static int64_t ram_write(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    struct ramfile *ram = file->context;
    uint64_t at = file->flags & FILE_APPEND ? ram->size : *position;
    size_t done = 0;
    int error = ram->granule > 1 ? -EINVAL : 0;
    while (!error && done < length) {
        size_t n = length - done;
        error = write_piece(ram, at, buffer + done, &n);
        if (error)
            break;
        at += n;
        done += n;
        /* New memory was cleared first. */
        error = breathe_after((uint32_t)n / sizeof(uint64_t) * 2 + PIECE_WORK, "file write");
    }
    if (done == 0)
        return error;
    *position = at;
    ram->modified_ns = time_ns();
    return (int64_t)done;
}

static int64_t ram_seek(struct file *file, int64_t offset, int whence)
{
    const struct ramfile *ram = file->context;
    if (whence != SEEK_DATA && whence != SEEK_HOLE)
        return file_seek(file, offset, whence, ram->size);
    /* All of the file is told to be data, as lseek(2) allows. */
    if (offset < 0 || (uint64_t)offset >= ram->size)
        return -ENXIO;
    file->position = whence == SEEK_DATA ? (uint64_t)offset : ram->size;
    return (int64_t)file->position;
}

static int ram_stat(struct file *file, struct file_stat *out)
{
    if (!file->node)
        *out = (struct file_stat){.mode = MODE_REGULAR | 0777, .links = 1};
    ramfile_stat(file->context, out);
    return 0;
}

static int ram_truncate(struct file *file, uint64_t size)
{
    return ramfile_resize(file->context, size);
}

static APART int prepare_huge(struct ramfile *ram, uint64_t offset, uint64_t length, bool writes,
                              bool shared)
{
    if (!IS_ALIGNED(offset, ram->granule))
        return -EINVAL;
    return mutex_run(&ram->lock, "file size", allocate(ram, offset, length, writes, shared));
}

/*
 * As in hugetlbfs, a mapping of huge pages that may be written makes the file longer; and a shared
 * one has all its memory before it is there, so that no access fails later.
 */
static int ram_mmap(struct file *file, uint64_t offset, uint64_t length, unsigned protection,
                    bool shared, struct memobj **out, uint64_t *object_offset)
{
    struct ramfile *ram = file->context;
    bool writes = protection & PROT_WRITE;
    if (!file_readable(file) || (shared && writes && !file_writable(file)))
        return -EACCES;
    if (shared && writes && (ram->seals & (SEAL_WRITE | SEAL_FUTURE_WRITE)))
        return -EPERM;
    int error = ram->granule > 1 ? prepare_huge(ram, offset, length, writes, shared) : 0;
    if (error)
        return error;
    *out = memobj_get(ram->memory);
    *object_offset = offset;
    return 0;
}

static void ram_release(struct file *file)
{
    ramfile_put(file->context);
}

static const struct file_ops ram_ops = {
    .seekable = true,
    .read = ram_read,
    .write = ram_write,
    .write_lock = ram_write_lock,
    .mmap = ram_mmap,
    .seek = ram_seek,
    .stat = ram_stat,
    .truncate = ram_truncate,
    .release = ram_release,
};

struct file *ramfile_open(struct ramfile *ram, unsigned flags, const char *name)
{
    struct file *file = file_create(&ram_ops, ram, flags, name);
    if (!file)
        return NULL;
    ramfile_get(ram);
    return file;
}

struct ramfile *file_ramfile(const struct file *file)
{
    return file->ops == &ram_ops ? file->context : NULL;
}

bool file_is_huge(const struct file *file)
{
    const struct ramfile *ram = file_ramfile(file);
    return ram && ram->granule > 1;
}

unsigned ramfile_get_seals(const struct ramfile *ram)
{
    return ram->seals;
}

int ramfile_add_seals(struct ramfile *ram, unsigned seals)
{
    if (ram->seals & SEAL_SEAL)
        return -EPERM;
    /* Any mapping counts, since who maps it may make it writable later. */
    if ((seals & SEAL_WRITE) && !(ram->seals & SEAL_WRITE) && !list_empty(&ram->memory->watchers))
        return -EBUSY;
    ram->seals |= seals;
    return 0;
}
