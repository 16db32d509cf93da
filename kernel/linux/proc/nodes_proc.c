/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc of the machine: memory, CPU, time, interrupts. */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/time.h"
#include "kernel/cpu/thread.h"
#include "kernel/file/tree.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/string.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/hugepages.h"
#include "kernel/linux/calls/clock.h"
#include "kernel/linux/calls/identity.h"
#include "kernel/linux/program/payload.h"
#include "kernel/linux/proc/nodes.h"
#include "kernel/linux/memory/space.h"
#include "kernel/linux/threads/task.h"

TREE_SHOW(show_version, void, "%s version %s %s", IDENTITY_SYSTEM, IDENTITY_RELEASE,
          IDENTITY_VERSION)

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

/* The context begins each line: that of the machine is nothing. */
static void show_meminfo(void *context, struct text *out)
{
    const char *prefix = context;
    uint64_t total = hugepages(HUGEPAGES_TOTAL);
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
        text_printf(out, "%s%-16s%8lu kB\n", prefix, rows[i].name, rows[i].bytes / KIB);
    if (*prefix)
        return;
    text_printf(out,
                "HugePages_Total:   %5lu\nHugePages_Free:    %5lu\nHugePages_Rsvd:        0\n"
                "HugePages_Surp:    %5lu\nHugepagesize:       2048 kB\nHugetlb:        %8lu kB\n",
                total, hugepages(HUGEPAGES_FREE), hugepages(HUGEPAGES_SURPLUS), total * 2048);
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

static void show_stat(void *context, struct text *out)
{
    uint64_t ticks = (time_ns() - payload.start_ns) / (NS_PER_S / CLOCK_TICKS);
    text_printf(out, "cpu  %lu 0 0 0 0 0 0 0 0 0\ncpu0 %lu 0 0 0 0 0 0 0 0 0\n", ticks, ticks);
    text_printf(out, "intr %lu\nctxt %lu\nbtime %lu\n", irq_arrived(), thread_switches(),
                clock_boot_ns() / NS_PER_S);
    text_printf(out, "processes %d\nprocs_running 1\nprocs_blocked 0\n", payload.last_id);
}

/* In one line, as Linux tells of what has no line of its own: the report has devices apart. */
TREE_SHOW(show_interrupts, void, "           CPU0\nDEV: %10lu   Interrupts of devices",
          irq_arrived())

/* Nobody keeps averages. */
TREE_SHOW(show_loadavg, void, "0.00 0.00 0.00 1/%u %d", payload.task_count, payload.last_id)

int nodes_add_proc(void)
{
    static const struct tree_text rows[] = {
        TREE_READ("proc/cpuinfo", show_cpuinfo),
        TREE_READ("proc/interrupts", show_interrupts),
        TREE_READ("proc/loadavg", show_loadavg),
        TREE_READ("proc/slabinfo", show_slabinfo),
        TREE_READ("proc/stat", show_stat),
        TREE_READ("proc/uptime", show_uptime),
        TREE_READ("proc/version", show_version),
        {"proc/meminfo", show_meminfo, NULL, ""},
        {"sys/devices/system/node/node0/meminfo", show_meminfo, NULL, "Node 0 "}};
    return tree_add_texts("", rows, ARRAY_SIZE(rows), NULL);
}
