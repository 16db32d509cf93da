/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/linux/program/load.h"
#include "kernel/machine/config/config.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/fpu.h"
#include "kernel/cpu/trap.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "kernel/linux/program/elf.h"
#include "kernel/linux/calls/clock.h"
#include "kernel/linux/calls/random.h"
#include "kernel/linux/memory/space.h"
#include "kernel/linux/threads/task.h"

/* Where static-PIE programs go: two thirds up, far from the mappings that grow down from the top.
 */
#define PIE_BASE            UINT64_C(0x555555554000)
#define PROGRAM_HEADER_SIZE 56
#define HWCAP2_FSGSBASE     2
#define SIGNAL_FRAME_EXTRA  1024 /* a signal frame without its vector state, rounded up */

static unsigned segment_flags(const struct elf_segment *segment)
{
    return (segment->read ? PAGE_READ : 0u) | (segment->write ? PAGE_WRITE : 0u) |
           (segment->execute ? PAGE_EXEC : 0u);
}

/* Mapped writable, filled, then given the access it asks for. */
static int load_segment(struct space *space, const uint8_t *file, const struct elf_segment *segment,
                        uint64_t bias)
{
    uaddr_t start = ALIGN_DOWN(segment->address + bias, PAGE_SIZE);
    uaddr_t end = ALIGN_UP(segment->address + bias + segment->memory_size, PAGE_SIZE);
    int error = space_map(space, start, end - start, PAGE_READ | PAGE_WRITE, PROGRAM_PATH);
    if (error)
        return error;
    error = copy_to_user(segment->address + bias, file + segment->offset, segment->file_size);
    if (error)
        return error;
    return space_protect(space, start, end - start, segment_flags(segment));
}

static int load_segments(struct space *space, const void *file, const struct elf_image *image,
                         uint64_t bias, struct refusal *why)
{
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *segment = &image->segments[i];
        int error = load_segment(space, file, segment, bias);
        if (error)
            return refuse(why, error, "cannot load the program's segment at 0x%lx, %lu bytes: %s",
                          segment->address + bias, segment->memory_size,
                          error == -ENOMEM ? "not enough memory" : error_name(error));
    }
    return 0;
}

static size_t fill_auxiliary(const struct elf_image *image, uint64_t bias,
                             struct start_auxiliary *out)
{
    const struct start_auxiliary entries[] = {
        {AUX_PHDR, image->headers_address ? image->headers_address + bias : 0},
        {AUX_PHENT, PROGRAM_HEADER_SIZE},
        {AUX_PHNUM, image->headers_address ? image->headers_count : 0},
        {AUX_PAGESZ, PAGE_SIZE},
        {AUX_BASE, 0},
        {AUX_FLAGS, 0},
        {AUX_ENTRY, image->entry + bias},
        {AUX_UID, 0},
        {AUX_EUID, 0},
        {AUX_GID, 0},
        {AUX_EGID, 0},
        {AUX_SECURE, 0},
        {AUX_CLKTCK, CLOCK_TICKS},
        {AUX_HWCAP, cpuid(1, 0).edx},
        {AUX_HWCAP2, cr4_read() & CR4_FSGSBASE ? HWCAP2_FSGSBASE : 0},
        {AUX_MINSIGSTKSZ, fpu_size() + SIGNAL_FRAME_EXTRA},
    };
    _Static_assert(ARRAY_SIZE(entries) <= 16, "the caller's room");
    memcpy(out, entries, sizeof(entries));
    return ARRAY_SIZE(entries);
}

static int64_t fill_stack(const struct config *config, const struct elf_image *image, uint64_t bias,
                          uaddr_t top)
{
    struct start_auxiliary auxiliary[16];
    struct start_arguments arguments = {
        .name = config->payload_name ? config->payload_name : PROGRAM_PATH,
        .args = config->args,
        .arg_count = config->arg_count,
        .env = config->env,
        .env_count = config->env_count,
        .auxiliary = auxiliary,
        .auxiliary_count = fill_auxiliary(image, bias, auxiliary),
    };
    random_bytes(arguments.random, sizeof(arguments.random));
    uint8_t *buffer = kmalloc(START_STACK_MAX);
    if (!buffer)
        return -ENOMEM;
    int64_t length = start_stack_build(&arguments, top, buffer, START_STACK_MAX, &payload.layout);
    if (length > 0) {
        uint64_t used = (uint64_t)length;
        int error = copy_to_user(top - used, buffer + START_STACK_MAX - used, used);
        length = error ? error : length;
    }
    kfree(buffer);
    return length;
}

int program_load(struct space *space, const void *file, uint64_t size, const struct config *config,
                 uint64_t stack_limit, struct trap_frame *start, struct refusal *why)
{
    struct elf_image image;
    const char *wrong = elf_check(file, size, &program_rules, &image);
    uaddr_t top;
    int error;
    if (wrong)
        return refuse(why, -ENOEXEC, "the payload cannot be loaded: %s", wrong);
    uint64_t bias = image.relocatable ? PIE_BASE - image.low : 0;
    error = load_segments(space, file, &image, bias, why);
    if (error)
        return error;
    space_set_break(space, image.high + bias);
    error = space_map_stack(space, stack_limit, &top);
    if (error)
        return refuse(why, error, "not enough memory for the payload's stack");
    int64_t used = fill_stack(config, &image, bias, top);
    if (used < 0)
        return refuse(why, (int)used, "cannot put the payload's arguments on its stack: %s",
                      error_name((int)used));
    *start = (struct trap_frame){.rip = image.entry + bias, .rsp = top - (uint64_t)used};
    return 0;
}
