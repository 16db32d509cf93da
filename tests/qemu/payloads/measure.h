/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What memory the machine has left, for payloads that look for leaks. Frames that the kernel's heap
 * and the IOMMU's tables hold, in use or kept for speed, count as there; what is in use of them is
 * counted by itself.
 */
#ifndef TESTS_QEMU_PAYLOADS_MEASURE_H
#define TESTS_QEMU_PAYLOADS_MEASURE_H

#include "edu.h"

struct machine_state {
    unsigned long frames;  /* free, or held by what is counted below */
    unsigned long objects; /* bytes */
    unsigned long tables;  /* pages */
    unsigned long entries; /* of interrupt-remapping tables */
};

static inline const char *text_of(const char *path)
{
    static char text[65536];
    int file = open(path, O_RDONLY);
    ssize_t n = read(file, text, sizeof(text) - 1);

    close(file);
    must(n > 0, path);
    text[n] = '\0';
    return text;
}

static inline void add_heap(struct machine_state *state)
{
    const char *at = strstr(text_of("/proc/slabinfo"), "\nkmalloc-");
    unsigned long used, objects, bytes, pages;

    must(at, "slabinfo");
    for (; at; at = strstr(at + 1, "\nkmalloc-")) {
        must(sscanf(at, "%*s %lu %lu %lu %*u %*u : tunables %*u %*u %*u : slabdata %*u %lu", &used,
                    &objects, &bytes, &pages) == 4,
             "slabinfo");
        state->frames += pages;
        state->objects += used * bytes;
    }
}

static inline void add_tables(struct machine_state *state)
{
    const char *at = strstr(text_of("/sys/kernel/iommu/units"), "table pages ");
    unsigned long used, frames;

    must(at, "units");
    for (; at; at = strstr(at + 1, "table pages ")) {
        must(sscanf(at, "table pages %lu in %lu frames", &used, &frames) == 2, "units");
        state->frames += frames;
        state->tables += used;
        must(sscanf(strstr(at, "interrupt entries "), "interrupt entries %lu", &used) == 1,
             "units");
        state->entries += used;
    }
}

static inline struct machine_state measure_once(void)
{
    const char *line = strstr(text_of("/proc/meminfo"), "MemFree:");
    struct machine_state state = {0};

    must(line, "meminfo");
    state.frames = strtoul(line + 8, NULL, 10) / (PAGE / 1024);
    add_heap(&state);
    add_tables(&state);
    return state;
}

/* The heap may grow between two of the files that are read; it keeps that for the second time. */
static inline struct machine_state measure(void)
{
    measure_once();
    return measure_once();
}

#endif
