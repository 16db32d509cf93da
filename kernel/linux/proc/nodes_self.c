/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/self: the payload, its threads and its open files. */
#include "kernel/cpu/time.h"
#include "kernel/cpu/user.h"
#include "kernel/file/fdtable.h"
#include "kernel/file/node.h"
#include "kernel/file/ramfile.h"
#include "kernel/lib/string.h"
#include "kernel/linux/calls/clock.h"
#include "kernel/linux/calls/privilege.h"
#include "kernel/linux/memory/space.h"
#include "kernel/linux/proc/nodes.h"
#include "kernel/linux/threads/task.h"

#define CONSOLE_NUMBER 0x501 /* of /dev/console, as Linux writes device numbers here */

static void show_maps(void *context, struct text *out)
{
    out->error = space_show_maps(payload.space, out);
}

/*
 * Whose row it is, and what its memory amounts to: the context is a thread's id. The first thread
 * stands for the payload, also when it has ended. NULL, and the text an error: there is no such
 * thread any more, or no memory.
 */
static const struct task *task_of(void *context, struct space_stats *space, struct text *out)
{
    int id = (int)(uintptr_t)context;
    out->error = space_stats(payload.space, space); /* before that: it may take its time */
    const struct task *task = task_find(id);
    if (!task && id == PAYLOAD_PID)
        task = task_current();
    if (!task)
        out->error = -ESRCH;
    return out->error ? NULL : task;
}

static void show_comm(void *context, struct text *out)
{
    struct space_stats space;
    const struct task *task = task_of(context, &space, out);
    if (task)
        text_printf(out, "%s\n", task->name);
}

static void show_status(void *context, struct text *out)
{
    struct space_stats space;
    const struct task *task = task_of(context, &space, out);
    if (!task)
        return;
    text_printf(out, "Name:\t%s\nUmask:\t%04o\nState:\t%s\n", task->name, payload.umask,
                task == task_current() ? "R (running)" : "S (sleeping)");
    text_printf(out, "Tgid:\t%d\nPid:\t%d\nPPid:\t0\nTracerPid:\t0\n", PAYLOAD_PID, task->id);
    text_printf(out, "Uid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\nFDSize:\t%u\n", fd_limit());
    text_printf(out, "VmSize:\t%8lu kB\nVmLck:\t%8lu kB\nVmPin:\t%8lu kB\nVmRSS:\t%8lu kB\n",
                space.mapped / KIB, space.locked / KIB, payload_user()->account->used / KIB,
                space.resident / KIB);
    text_printf(out, "VmData:\t%8lu kB\nVmStk:\t%8lu kB\nVmExe:\t%8lu kB\n", space.data / KIB,
                space.stack / KIB, space.text / KIB);
    text_printf(out, "Threads:\t%u\nSigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n",
                payload.task_count, task->pending.set, payload.pending.set, task->mask);
    text_printf(out, "CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\n", 0ul,
                PAYLOAD_CAPABILITIES, PAYLOAD_CAPABILITIES, PAYLOAD_CAPABILITIES);
    text_printf(out, "NoNewPrivs:\t1\nCpus_allowed:\t1\nCpus_allowed_list:\t0\nMems_allowed:\t1\n"
                     "Mems_allowed_list:\t0\n");
}

/* proc_pid_stat(5), field by field; what nobody counts here is 0. */
static void show_stat(void *context, struct text *out)
{
    const uint64_t tick = NS_PER_S / CLOCK_TICKS;
    const struct start_layout *layout = &payload.layout;
    struct space_stats space;
    const struct task *task = task_of(context, &space, out);
    if (!task)
        return;
    text_printf(out, "%d (%s) %c 0 %d %d %d %d 0 0 0 0 0 %lu 0 0 0 %d %d %u 0 %lu %lu %lu %lu",
                task->id, task->name, task == task_current() ? 'R' : 'S', PAYLOAD_PID, PAYLOAD_PID,
                CONSOLE_NUMBER, PAYLOAD_PID, (time_ns() - payload.start_ns) / tick, 20 + task->nice,
                task->nice, payload.task_count, payload.start_ns / tick, space.mapped,
                space.resident / PAGE_SIZE, payload.limits[LIMIT_RSS].soft);
    text_printf(out, " 0 0 0 0 0 %lu %lu 0 0 0 0 0 %d 0 0 %u 0 0 0 0 0 0 %lu %lu %lu %lu 0\n",
                task->pending.set, task->mask, SIG_CHLD, task->policy, layout->args.from,
                layout->args.end, layout->env.from, layout->env.end);
}

/* What the payload's memory holds now where a part of its start was: the context. */
static void show_memory(void *context, struct text *out)
{
    const struct start_part *part = context;
    size_t n = MIN(part->end - part->from, out->size);
    out->truncated = n < part->end - part->from;
    out->error = copy_from_user(out->buffer, part->from, n);
    out->length = n;
}

static void limit_text(uint64_t value, char *buffer, size_t size)
{
    if (value == LIMIT_INFINITY)
        format(buffer, size, "unlimited");
    else
        format(buffer, size, "%lu", value);
}

static void show_limits(void *context, struct text *out)
{
    /* clang-format off */
    static const struct {
        const char *name, *unit;
    } names[LIMIT_COUNT] = {
        [LIMIT_CPU] = {"Max cpu time", "seconds"}, [LIMIT_FSIZE] = {"Max file size", "bytes"},
        [LIMIT_DATA] = {"Max data size", "bytes"}, [LIMIT_STACK] = {"Max stack size", "bytes"},
        [LIMIT_CORE] = {"Max core file size", "bytes"}, [LIMIT_RSS] = {"Max resident set", "bytes"},
        [LIMIT_NPROC] = {"Max processes", "processes"},
        [LIMIT_NOFILE] = {"Max open files", "files"},
        [LIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
        [LIMIT_AS] = {"Max address space", "bytes"}, [LIMIT_LOCKS] = {"Max file locks", "locks"},
        [LIMIT_SIGPENDING] = {"Max pending signals", "signals"},
        [LIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"}, [LIMIT_NICE] = {"Max nice priority", ""},
        [LIMIT_RTPRIO] = {"Max realtime priority", ""},
        [LIMIT_RTTIME] = {"Max realtime timeout", "us"},
    };
    /* clang-format on */
    text_printf(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        char soft[24], hard[24];
        limit_text(payload.limits[i].soft, soft, sizeof(soft));
        limit_text(payload.limits[i].hard, hard, sizeof(hard));
        text_printf(out, "%-25s %-20s %-20s %-10s\n", names[i].name, soft, hard, names[i].unit);
    }
}

#define PAGEMAP_ENTRY   sizeof(uint64_t)
#define PAGEMAP_PRESENT BIT(63)
#define PAGEMAP_FILE    BIT(61)
#define PAGEMAP_PAGES   (UINT64_C(1) << 16) /* told between two breaths */
#define PAGEMAP_WORK    12000

#define PAGEMAP_PIECE 64u /* words copied at a time */

/* Words for pages that are all alike. */
static int put_pagemap(uaddr_t to, uint64_t pages, const struct space_pages *kind)
{
    uint64_t words[PAGEMAP_PIECE];
    int error = 0;
    if (!kind->present)
        return clear_user(to, pages * PAGEMAP_ENTRY);
    for (unsigned i = 0; i < PAGEMAP_PIECE; i++)
        words[i] = PAGEMAP_PRESENT | (kind->file ? PAGEMAP_FILE : 0);
    for (uint64_t done = 0; !error && done < pages; done += PAGEMAP_PIECE) {
        uint64_t n = MIN(pages - done, PAGEMAP_PIECE);
        error = copy_to_user(to + done * PAGEMAP_ENTRY, words, n * PAGEMAP_ENTRY);
    }
    return error;
}

/* One word for each page of the address space. Frame numbers stay hidden (zero). */
static int64_t pagemap_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    uint64_t page = *position / PAGEMAP_ENTRY;
    size_t done = 0;
    int error = 0;
    if (*position % PAGEMAP_ENTRY || length % PAGEMAP_ENTRY)
        return -EINVAL;
    while (!error && done < length && page < USER_END / PAGE_SIZE) {
        struct space_pages kind;
        uint64_t most = MIN((length - done) / PAGEMAP_ENTRY, PAGEMAP_PAGES);
        uaddr_t at = page * PAGE_SIZE;
        space_pages(payload.space, at, at + MIN(most * PAGE_SIZE, USER_END - at), &kind);
        uint64_t pages = (kind.end - at) / PAGE_SIZE;
        error = put_pagemap(buffer + done, pages, &kind);
        if (error)
            break;
        page += pages;
        done += pages * PAGEMAP_ENTRY;
        error = breathe_after(PAGEMAP_WORK + (uint32_t)pages, "pagemap read");
    }
    *position = page * PAGEMAP_ENTRY;
    return done ? (int64_t)done : error;
}

static int64_t pagemap_seek(struct file *file, int64_t offset, int whence)
{
    return file_seek(file, offset, whence, UINT64_MAX);
}

static const struct file_ops pagemap_ops = {
    .seekable = true, .read = pagemap_read, .seek = pagemap_seek};

static int pagemap_open(void *context, unsigned flags, struct file **out)
{
    if ((flags & FILE_ACCMODE) != FILE_RDONLY)
        return -EACCES;
    *out = file_create(&pagemap_ops, NULL, FILE_RDONLY, "pagemap");
    return *out ? 0 : -ENOMEM;
}

static int next_task(int from)
{
    const struct task *task;
    int lowest = -1;
    list_for_each_entry (task, &payload.tasks, link) {
        if (task->id >= from && (lowest < 0 || task->id < lowest))
            lowest = task->id;
    }
    return lowest;
}

/* The rows that each thread has. */
static const struct tree_text task_rows[] = {
    TREE_READ("comm", show_comm), TREE_READ("stat", show_stat), TREE_READ("status", show_status)};

static int add_task(int id)
{
    return tree_add_texts(format_short("/proc/1/task/%d", id), task_rows, ARRAY_SIZE(task_rows),
                          (void *)(uintptr_t)id);
}

void nodes_remove_task(int id)
{
    tree_remove(format_short("/proc/1/task/%d", id));
}

static struct file *file_of(void *context)
{
    return fd_get_path((int)(uintptr_t)context);
}

/* A name in the tree, or what Linux calls files that have none. */
static void show_target(void *context, struct text *out)
{
    struct file *file = file_of(context);
    const struct node *node = file ? file->node : NULL;
    int length = node ? node_path(node, out->buffer, out->size) : 0;
    if (!file)
        out->error = -ENOENT;
    else if (length > 0)
        out->length = (size_t)length;
    else if (node || file_ramfile(file))
        text_printf(out, node ? "/%s (deleted)" : "/memfd:%s (deleted)",
                    node ? node->name : file->name);
    else
        text_printf(out, "anon_inode:[%s]", file->name);
    file_put(file);
}

static int add_fd(int fd)
{
    return tree_add_told_link(format_short("/proc/1/fd/%d", fd), show_target, file_of,
                              (void *)(uintptr_t)fd);
}

static void show_thread_self(void *context, struct text *out)
{
    text_printf(out, "1/task/%d", task_current()->id);
}

int nodes_add_self(void)
{
    static const struct tree_text rows[] = {TREE_READ("limits", show_limits),
                                            TREE_READ("maps", show_maps),
                                            {"auxv", show_memory, NULL, &payload.layout.auxiliary},
                                            {"cmdline", show_memory, NULL, &payload.layout.args},
                                            {"environ", show_memory, NULL, &payload.layout.env}};
    static const struct node_numbers tasks = {next_task, add_task}, fds = {fd_next, add_fd};
    if (tree_add_told_link("/proc/thread-self", show_thread_self, NULL, NULL) ||
        tree_add_numbers("/proc/1/task", &tasks) || tree_add_numbers("/proc/1/fd", &fds) ||
        tree_add_file("/proc/1/pagemap", 0400, 0, pagemap_open, NULL) ||
        tree_add_texts("/proc/1", rows, ARRAY_SIZE(rows), NULL) ||
        tree_add_texts("/proc/1", task_rows, ARRAY_SIZE(task_rows), (void *)(uintptr_t)PAYLOAD_PID))
        return -ENOMEM;
    return 0;
}
