/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/elf.h"
#include "kernel/lib/string.h"

struct elf_header {
    uint8_t ident[16];
    uint16_t type;
    uint16_t machine;
    uint32_t version;
    uint64_t entry;
    uint64_t program_offset;
    uint64_t section_offset;
    uint32_t flags;
    uint16_t header_size;
    uint16_t program_entry_size;
    uint16_t program_count;
    uint16_t section_entry_size;
    uint16_t section_count;
    uint16_t section_names;
};
_Static_assert(sizeof(struct elf_header) == 64, "ELF64 header");

struct elf_program {
    uint32_t type;
    uint32_t flags;
    uint64_t offset;
    uint64_t address;
    uint64_t physical;
    uint64_t file_size;
    uint64_t memory_size;
    uint64_t align;
};
_Static_assert(sizeof(struct elf_program) == 56, "ELF64 program header");

enum {
    IDENT_CLASS = 4,
    IDENT_DATA = 5,
    IDENT_VERSION = 6,
    CLASS_64 = 2,
    DATA_LITTLE = 1,
    VERSION_CURRENT = 1,
    TYPE_EXECUTABLE = 2,
    TYPE_SHARED = 3,
    MACHINE_X86_64 = 62,
    PROGRAM_LOAD = 1,
    PROGRAM_INTERPRETER = 3,
    FLAG_EXECUTE = 1,
    FLAG_WRITE = 2,
    FLAG_READ = 4,
};

static const char *check_header(const struct elf_header *header, const struct elf_rules *rules,
                                uint64_t size)
{
    const uint8_t *ident = header->ident;
    if (memcmp(ident, "\177ELF", 4) != 0)
        return "it is not an ELF file";
    if (ident[IDENT_CLASS] != CLASS_64 || ident[IDENT_DATA] != DATA_LITTLE)
        return "it is not a 64-bit little-endian ELF file";
    if (ident[IDENT_VERSION] != VERSION_CURRENT || header->version != VERSION_CURRENT)
        return "its ELF version is unknown";
    if (header->machine != MACHINE_X86_64)
        return "it is built for another machine than x86-64";
    if (header->type != TYPE_EXECUTABLE && !(header->type == TYPE_SHARED && rules->relocatable))
        return rules->wrong_type;
    if (header->program_entry_size != sizeof(struct elf_program))
        return "its program headers have an unknown size";
    if (header->program_count == 0)
        return "it has no program headers";
    if (header->program_count > ELF_PROGRAM_HEADERS)
        return "it has more than 64 program headers";
    uint64_t length = header->program_count * sizeof(struct elf_program);
    if (header->program_offset > size || length > size - header->program_offset)
        return "it is truncated: its program headers lie beyond its end";
    return NULL;
}

static const char *check_segment(const struct elf_program *program, const struct elf_rules *rules,
                                 uint64_t lowest, uint64_t size)
{
    uint64_t end;
    if (program->file_size > program->memory_size)
        return "a segment has more bytes in the file than in memory";
    if (program->offset > size || program->file_size > size - program->offset)
        return "it is truncated: a segment lies beyond its end";
    if (!range_end(program->address, program->memory_size, &end) || end > rules->end)
        return rules->above;
    if (program->address < lowest)
        return rules->below;
    if (program->file_size && program->address % ELF_PAGE != program->offset % ELF_PAGE)
        return "a segment's address and file offset disagree within their pages";
    if ((program->flags & FLAG_WRITE) && (program->flags & FLAG_EXECUTE))
        return "a segment is both writable and executable";
    return NULL;
}

static const char *add_segment(struct elf_image *image, const struct elf_rules *rules,
                               const struct elf_program *program)
{
    uint64_t start = ALIGN_DOWN(program->address, ELF_PAGE);
    if (image->segment_count == ELF_SEGMENTS_MAX)
        return "it has more than 16 segments to load";
    if (image->segment_count > 0 && start < image->high)
        return "its segments overlap or are not in ascending order";
    if (image->segment_count == 0)
        image->low = start;
    if (image->low % rules->alignment)
        return rules->misaligned;
    image->high = ALIGN_UP(program->address + program->memory_size, ELF_PAGE);
    if (image->high - image->low > rules->span_max)
        return rules->too_large;
    image->segments[image->segment_count++] = (struct elf_segment){
        .address = program->address,
        .offset = program->offset,
        .file_size = program->file_size,
        .memory_size = program->memory_size,
        .read = program->flags & FLAG_READ,
        .write = program->flags & FLAG_WRITE,
        .execute = program->flags & FLAG_EXECUTE,
    };
    return NULL;
}

static const char *read_programs(const uint8_t *file, uint64_t size, const struct elf_rules *rules,
                                 const struct elf_header *header, struct elf_image *image)
{
    uint64_t lowest = image->relocatable ? 0 : rules->lowest;
    for (unsigned i = 0; i < header->program_count; i++) {
        struct elf_program program;
        memcpy(&program, file + header->program_offset + i * sizeof(program), sizeof(program));
        if (program.type == PROGRAM_INTERPRETER)
            return "it needs a dynamic linker; link it statically";
        if (program.type != PROGRAM_LOAD || program.memory_size == 0)
            continue;
        const char *reason = check_segment(&program, rules, lowest, size);
        if (!reason)
            reason = add_segment(image, rules, &program);
        if (reason)
            return reason;
    }
    return image->segment_count ? NULL : "it has nothing to load";
}

static bool entry_is_code(const struct elf_image *image)
{
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        if (segment->execute && image->entry >= segment->address &&
            image->entry - segment->address < segment->memory_size)
            return true;
    }
    return false;
}

/* C libraries find their thread-local data through the headers in memory (AT_PHDR). */
static uint64_t headers_address(const struct elf_image *image, const struct elf_header *header)
{
    uint64_t length = header->program_count * sizeof(struct elf_program);
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        if (header->program_offset >= segment->offset && length <= segment->file_size &&
            header->program_offset - segment->offset <= segment->file_size - length)
            return segment->address + (header->program_offset - segment->offset);
    }
    return 0;
}

const char *elf_check(const void *file, uint64_t size, const struct elf_rules *rules,
                      struct elf_image *image)
{
    struct elf_header header;
    const char *wrong;
    memset(image, 0, sizeof(*image));
    if (size < sizeof(header))
        return "it is truncated: too short for an ELF header";
    memcpy(&header, file, sizeof(header));
    wrong = check_header(&header, rules, size);
    if (wrong)
        return wrong;

    image->relocatable = header.type == TYPE_SHARED;
    image->entry = header.entry;
    wrong = read_programs(file, size, rules, &header, image);
    if (wrong)
        return wrong;
    if (!entry_is_code(image))
        return "its entry point lies in no executable segment";
    image->headers_address = headers_address(image, &header);
    image->headers_count = header.program_count;
    return NULL;
}
