/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc, and the two files elsewhere that C libraries read. */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/time.h"
#include "kernel/cpu/user.h"
#include "kernel/file/fdtable.h"
#include "kernel/file/tree.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/linux/calls/identity.h"
#include "kernel/linux/program/load.h"
#include "kernel/linux/program/payload.h"
#include "kernel/linux/calls/privilege.h"
#include "kernel/linux/proc/nodes.h"
#include "kernel/linux/memory/space.h"
#include "kernel/linux/threads/task.h"

static void show_text(void *context, struct text *out)
{
    text_printf(out, "%s", (const char *)context);
}

static void show_version(void *context, struct text *out)
{
    text_printf(out, "%s version %s %s\n", IDENTITY_SYSTEM, IDENTITY_RELEASE, IDENTITY_VERSION);
}

static void show_uptime(void *context, struct text *out)
{
    uint64_t hundredths = time_ns() / (NS_PER_S / 100);
    text_printf(out, "%lu.%02lu 0.00\n", hundredths / 100, hundredths % 100);
}

static uint64_t heap_pages(void)
{
    struct heap_size size;
    uint64_t pages = 0;

    for (size_t i = 0; heap_size(i, &size); i++)
        pages += size.pages;
    return pages;
}

static void show_meminfo(void *context, struct text *out)
{
    struct frames_stats frames;
    struct space_stats space;
    frames_stats(&frames);
    out->error = space_stats(payload.space, &space);
    if (out->error)
        return;
    const struct {
        const char *name;
        uint64_t bytes;
    } rows[] = {
        {"MemTotal:", frames.total * PAGE_SIZE},
        {"MemFree:", frames.free * PAGE_SIZE},
        {"MemAvailable:", (frames.free - MIN(frames.free, frames.reserve)) * PAGE_SIZE},
        {"Buffers:", 0},
        {"Cached:", 0},
        {"SwapTotal:", 0},
        {"SwapFree:", 0},
        {"Mlocked:", space.locked},
        {"AnonPages:", space.resident},
        {"Slab:", heap_pages() * PAGE_SIZE},
    };
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
        text_printf(out, "%-16s%8lu kB\n", rows[i].name, rows[i].bytes / KIB);
    text_printf(
        out, "HugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 kB\n");
}

/*
 * Format version 2.1 of slabinfo(5), where a slab is a page. With it the memory of the kernel can
 * be counted to the object: pages that the heap keeps are not free, and need not be in use.
 */
static void show_slabinfo(void *context, struct text *out)
{
    struct heap_size size;

    text_printf(out,
                "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> <objsize> "
                "<objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : "
                "slabdata <active_slabs> <num_slabs> <sharedavail>\n");
    for (size_t i = 0; heap_size(i, &size); i++) {
        char name[24];

        format(name, sizeof(name), "kmalloc-%zu", size.bytes);
        text_printf(out,
                    "%-17s %6zu %6zu %6zu %4zu    1 : tunables    0    0    0 : slabdata "
                    "%6zu %6zu      0\n",
                    name, size.used, size.pages * size.per_page, size.bytes, size.per_page,
                    size.pages, size.pages);
    }
}

/* The vendor is three registers of text, the brand twelve. */
static void show_cpuinfo(void *context, struct text *out)
{
    const uint32_t first_brand_leaf = 0x80000002;
    struct cpuid leaf = cpuid(0, 0);
    const uint32_t vendor[4] = {leaf.ebx, leaf.edx, leaf.ecx, 0};
    struct cpuid brand[4] = {0};
    for (unsigned i = 0; i < 3 && cpuid(0x80000000, 0).eax >= first_brand_leaf + 2; i++)
        brand[i] = cpuid(first_brand_leaf + i, 0);
    uint32_t signature = cpuid(1, 0).eax;
    unsigned family = (unsigned)bits_get(signature, 11, 8);
    unsigned model = (unsigned)bits_get(signature, 7, 4);
    if (family == 6 || family == 15)
        model |= (unsigned)bits_get(signature, 19, 16) << 4;
    if (family == 15)
        family += (unsigned)bits_get(signature, 27, 20);
    uint64_t khz = time_known()->hz / 1000;
    text_printf(out, "processor\t: 0\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n",
                (const char *)vendor, family, model);
    text_printf(out, "model name\t: %s\nstepping\t: %u\ncpu MHz\t\t: %lu.%03lu\n",
                (const char *)brand, signature & 15, khz / 1000, khz % 1000);
    text_printf(out,
                "cpu cores\t: 1\nclflush size\t: %u\naddress sizes\t: %u bits physical, %u bits "
                "virtual\n\n",
                (cpuid(1, 0).ebx >> 8 & 0xff) * 8, cpu_features.physical_bits,
                cpu_features.virtual_bits);
}

static void show_maps(void *context, struct text *out)
{
    out->error = space_show_maps(payload.space, out);
}

static void show_comm(void *context, struct text *out)
{
    text_printf(out, "%s\n", task_current()->name);
}

static void show_status(void *context, struct text *out)
{
    const struct task *task = task_current();
    struct space_stats space;
    out->error = space_stats(payload.space, &space);
    if (out->error)
        return;
    text_printf(out, "Name:\t%s\nUmask:\t%04o\nState:\tR (running)\n", task->name, payload.umask);
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
    text_printf(out, "NoNewPrivs:\t1\nCpus_allowed:\t1\nCpus_allowed_list:\t0\n");
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
    static const struct {
        const char *name;
        const char *unit;
    } names[LIMIT_COUNT] = {
        [LIMIT_CPU] = {"Max cpu time", "seconds"},
        [LIMIT_FSIZE] = {"Max file size", "bytes"},
        [LIMIT_DATA] = {"Max data size", "bytes"},
        [LIMIT_STACK] = {"Max stack size", "bytes"},
        [LIMIT_CORE] = {"Max core file size", "bytes"},
        [LIMIT_RSS] = {"Max resident set", "bytes"},
        [LIMIT_NPROC] = {"Max processes", "processes"},
        [LIMIT_NOFILE] = {"Max open files", "files"},
        [LIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
        [LIMIT_AS] = {"Max address space", "bytes"},
        [LIMIT_LOCKS] = {"Max file locks", "locks"},
        [LIMIT_SIGPENDING] = {"Max pending signals", "signals"},
        [LIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
        [LIMIT_NICE] = {"Max nice priority", ""},
        [LIMIT_RTPRIO] = {"Max realtime priority", ""},
        [LIMIT_RTTIME] = {"Max realtime timeout", "us"},
    };
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

static int pagemap_stat(struct file *file, struct file_stat *out)
{
    out->mode = MODE_REGULAR | 0400;
    out->major = 0;
    return 0;
}

static const struct file_ops pagemap_ops = {
    .read = pagemap_read,
    .seek = pagemap_seek,
    .stat = pagemap_stat,
};

static int pagemap_open(void *context, unsigned flags, struct file **out)
{
    if ((flags & FILE_ACCMODE) != FILE_RDONLY)
        return -EACCES;
    *out = file_create(&pagemap_ops, NULL, FILE_RDONLY, "pagemap");
    if (!*out)
        return -ENOMEM;
    (*out)->seekable = true;
    return 0;
}

int nodes_add_proc(void)
{
    static const struct {
        const char *path;
        tree_show show;
        const char *text;
    } nodes[] = {
        {"/proc/1/maps", show_maps, NULL},
        {"/proc/1/status", show_status, NULL},
        {"/proc/1/limits", show_limits, NULL},
        {"/proc/1/comm", show_comm, NULL},
        {"/proc/cpuinfo", show_cpuinfo, NULL},
        {"/proc/meminfo", show_meminfo, NULL},
        {"/proc/slabinfo", show_slabinfo, NULL},
        {"/proc/uptime", show_uptime, NULL},
        {"/proc/version", show_version, NULL},
        {"/proc/1/mounts", show_text, "bulkhead / bulkhead rw 0 0\n"},
        {"/proc/filesystems", show_text, "nodev\tbulkhead\n"},
        {"/proc/sys/vm/overcommit_memory", show_text, "2\n"},
        {"/proc/sys/kernel/osrelease", show_text, IDENTITY_RELEASE "\n"},
        {"/sys/devices/system/cpu/online", show_text, "0\n"},
    };
    int error = tree_add_link("/proc/self", "1");
    if (!error)
        error = tree_add_link("/proc/mounts", "self/mounts");
    if (!error)
        error = tree_add_link("/proc/1/exe", PROGRAM_PATH);
    if (!error)
        error = tree_add_device("/proc/1/pagemap", 0, 0, pagemap_open, NULL);
    for (size_t i = 0; !error && i < ARRAY_SIZE(nodes); i++)
        error = tree_add_text(nodes[i].path, nodes[i].show, (void *)(uintptr_t)nodes[i].text);
    return error;
}
