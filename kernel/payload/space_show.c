/* SPDX-License-Identifier: BSD-2-Clause */
/* What /proc tells about the address space. */
#include "kernel/file/file.h"
#include "kernel/file/node.h"
#include "kernel/payload/space_internal.h"

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

static void show_mapping(const struct mapping *mapping, struct text *out)
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

void space_show_maps(struct space *space, struct text *out)
{
    struct mapping *mapping = mapping_from(space, 0);

    for (; mapping != &space->top && !out->truncated; mapping = mapping_next(mapping))
        show_mapping(mapping, out);
}

void space_stats(struct space *space, struct space_stats *out)
{
    struct mapping *mapping = mapping_from(space, 0);
    struct cpu_mapping m;

    *out = (struct space_stats){.mapped = space->mapped, .locked = space->locked};
    for (uaddr_t at = 0; cpu_space_find(space->cpu, at, USER_END, &m); at = m.at + m.length) {
        if (!(m.flags & PAGE_UNCACHED))
            out->resident += m.length;
    }
    for (; mapping != &space->top; mapping = mapping_next(mapping)) {
        uint64_t bytes = mapping->end - mapping->start;

        if (mapping->flags & MAPPING_GROWS_DOWN)
            out->stack += bytes;
        else if (mapping->access & PAGE_EXEC)
            out->text += bytes;
        else if ((mapping->access & PAGE_WRITE) && !(mapping->flags & MAPPING_SHARED))
            out->data += bytes;
    }
}
