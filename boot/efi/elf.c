/* SPDX-License-Identifier: BSD-2-Clause */
/* ELF64 as "System V Application Binary Interface, AMD64 supplement" has it. */
#include "boot/efi/elf.h"

#include <stdbool.h>
#include "kernel/lib/string.h"

#define ELF_PAGE   4096
#define ELF_EXEC   2
#define ELF_X86_64 62
#define ELF_LOAD   1
#define ELF_FLAG_X 1
#define ELF_FLAG_W 2

struct elf_header {
    uint8_t ident[16]; /* magic, class (2: 64 bits), data (1: little endian), version */
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t segments;
    uint64_t sections;
    uint32_t flags;
    uint16_t header_size;
    uint16_t segment_size;
    uint16_t segment_count;
    uint16_t section_size;
    uint16_t section_count;
    uint16_t names;
};
_Static_assert(sizeof(struct elf_header) == 64, "ELF header layout");

struct elf_program_header {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t address;
    uint64_t physical;
    uint64_t file_size;
    uint64_t memory_size;
    uint64_t alignment;
};
_Static_assert(sizeof(struct elf_program_header) == 56, "ELF program header layout");

static uint64_t page_up(uint64_t value)
{
    return (value + ELF_PAGE - 1) & ~(uint64_t)(ELF_PAGE - 1);
}

static const char *check_header(const struct elf_header *header, size_t size)
{
    static const uint8_t ident[7] = {0x7f, 'E', 'L', 'F', 2, 1, 1};

    if (memcmp(header->ident, ident, sizeof(ident)) != 0)
        return "is not a 64-bit little-endian ELF file";
    if (header->machine != ELF_X86_64 || header->type != ELF_EXEC)
        return "is not an executable for x86-64";
    if (header->segment_size != sizeof(struct elf_program_header) || !header->segment_count)
        return "has no program headers";
    if (header->segments > size ||
        header->segment_count > (size - header->segments) / header->segment_size)
        return "has program headers outside the file";
    return NULL;
}

/* End of the segment before, in the plan so far; addresses below are taken. */
static uint64_t plan_end(const struct elf_plan *plan)
{
    const struct elf_segment *last;

    if (!plan->count)
        return ELF_LOWEST_ADDRESS;
    last = &plan->segments[plan->count - 1];
    return page_up(last->address + last->memory_size);
}

/* Adds one segment that is not empty. */
static const char *plan_segment(struct elf_plan *plan, const struct elf_program_header *header,
                                size_t size)
{
    if (plan->count == ELF_SEGMENTS_MAX)
        return "has too many segments";
    if ((header->flags & (ELF_FLAG_W | ELF_FLAG_X)) == (ELF_FLAG_W | ELF_FLAG_X))
        return "has a segment that is writable and executable";
    if (header->offset > size || header->file_size > size - header->offset)
        return "has a segment outside the file (is it truncated?)";
    if (header->file_size > header->memory_size || header->memory_size > ELF_SIZE_MAX)
        return "has a segment of impossible size";
    /* Below the last 64 MiB of the address space, so that no sum of sizes can wrap. */
    if (header->address < ELF_LOWEST_ADDRESS || header->address > 0 - 2 * ELF_SIZE_MAX)
        return "has a segment outside the kernel's half of the address space";
    if (header->address < plan_end(plan))
        return "has segments that overlap or are out of order";
    plan->segments[plan->count++] = (struct elf_segment){
        .offset = header->offset,
        .file_size = header->file_size,
        .address = header->address,
        .memory_size = header->memory_size,
    };
    return NULL;
}

static bool entry_inside(const struct elf_program_header *header, uint64_t entry)
{
    return (header->flags & ELF_FLAG_X) && entry >= header->address &&
           entry - header->address < header->file_size;
}

const char *elf_check(const void *file, size_t size, struct elf_plan *plan)
{
    struct elf_header header;
    const char *wrong;
    bool entry_found = false;

    *plan = (struct elf_plan){0};
    if (size < sizeof(header))
        return "is too short to be an ELF file";
    memcpy(&header, file, sizeof(header));
    wrong = check_header(&header, size);
    for (unsigned i = 0; !wrong && i < header.segment_count; i++) {
        struct elf_program_header segment;

        memcpy(&segment, (const char *)file + header.segments + i * sizeof(segment),
               sizeof(segment));
        if (segment.type != ELF_LOAD || !segment.memory_size)
            continue;
        wrong = plan_segment(plan, &segment, size);
        entry_found |= entry_inside(&segment, header.entry);
    }
    if (wrong)
        return wrong;
    if (!plan->count)
        return "has nothing to load";
    if (!entry_found)
        return "has an entry point outside its code";
    plan->entry = header.entry;
    plan->base = plan->segments[0].address;
    plan->size = plan_end(plan) - plan->base;
    if (plan->base % ELF_ALIGNMENT)
        return "does not begin at a multiple of 2 MiB";
    if (plan->size > ELF_SIZE_MAX)
        return "is larger than 64 MiB in memory";
    return NULL;
}

void elf_load(const void *file, const struct elf_plan *plan, void *to)
{
    memset(to, 0, plan->size);
    for (size_t i = 0; i < plan->count; i++) {
        const struct elf_segment *segment = &plan->segments[i];

        memcpy((char *)to + (segment->address - plan->base), (const char *)file + segment->offset,
               segment->file_size);
    }
}
