/* SPDX-License-Identifier: BSD-2-Clause */
/* What /proc tells about the address space. */
#include "kernel/file/file.h"
#include "kernel/file/node.h"
#include "kernel/linux/memory/internal.h"

#define PATH_MAX    1024
#define NAME_COLUMN 73 /* where Linux puts the name in a line of maps */

static void show_name(const struct mapping *mapping, struct text *out)
{
    char path[PATH_MAX];

    if (!mapping->file) {
        if (mapping->name)
            text_printf(out, "%s", mapping->name);
        else if (mapping->flags & MAPPING_SHARED)
            text_printf(out, "/dev/zero (deleted)");
        return;
    }
    if (mapping->file->node && node_path(mapping->file->node, path, sizeof(path)) > 0)
        text_printf(out, "%s", path);
    else
        text_printf(out, "/%s (deleted)", mapping->file->name);
}

void mapping_show(const struct mapping *mapping, struct text *out)
{
    size_t line = out->length;

    text_printf(out, "%08lx-%08lx %c%c%c%c %08lx 00:00 0 ", mapping->start, mapping->end,
                mapping->access & PAGE_READ ? 'r' : '-', mapping->access & PAGE_WRITE ? 'w' : '-',
                mapping->access & PAGE_EXEC ? 'x' : '-',
                mapping->flags & MAPPING_SHARED ? 's' : 'p',
                mapping->file ? mapping->file_offset : 0);
    if (mapping->file || mapping->name || (mapping->flags & MAPPING_SHARED)) {
        while (out->length - line < NAME_COLUMN && !out->truncated)
            text_printf(out, " ");
        show_name(mapping, out);
    }
    text_printf(out, "\n");
}

#define LINE_WORK 3000 /* of one line of maps */

int space_show_maps(struct space *space, struct text *out)
{
    int error = space_lock(space);

    if (error)
        return error;
    for (struct mapping *m = mapping_from(space, 0); m != &space->top && !out->truncated && !error;
         m = mapping_next(m)) {
        mapping_show(m, out);
        error = space_breathe(space, LINE_WORK);
    }
    space_unlock(space);
    return error;
}

static int count_resident(struct space *space, uint64_t *bytes)
{
    struct cpu_mapping m;
    int error = 0;

    for (uaddr_t at = 0; !error && cpu_space_find(space->cpu, at, USER_END, &m);
         at = m.at + m.length) {
        if (!(m.flags & PAGE_UNCACHED))
            *bytes += m.length;
        error = space_breathe(
            space, TABLE_WORK + PAGE_WORK * MIN(m.length / PAGE_SIZE, SIZE_2M / PAGE_SIZE));
    }
    return error;
}

static int count_kinds(struct space *space, struct space_stats *out)
{
    int error = 0;

    for (struct mapping *m = mapping_from(space, 0); m != &space->top && !error;
         m = mapping_next(m)) {
        uint64_t bytes = m->end - m->start;

        if (m->flags & MAPPING_GROWS_DOWN)
            out->stack += bytes;
        else if (m->access & PAGE_EXEC)
            out->text += bytes;
        else if ((m->access & PAGE_WRITE) && !(m->flags & MAPPING_SHARED))
            out->data += bytes;
        error = space_breathe(space, STEP_WORK);
    }
    return error;
}

int space_stats(struct space *space, struct space_stats *out)
{
    int error = space_lock(space);

    if (error)
        return error;
    *out = (struct space_stats){.mapped = space->mapped, .locked = space->locked};
    error = count_resident(space, &out->resident);
    if (!error)
        error = count_kinds(space, out);
    space_unlock(space);
    return error;
}
