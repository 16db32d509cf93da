/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * System calls as records of the stream. What goes with a call is in one table: which arguments
 * point to memory, and how much of it says something. What cannot be read is left out, and so is
 * memory of devices, where a read does more than read.
 */
#include "kernel/cpu/trap.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/string.h"
#include "kernel/linux/calls/syscall.h"
#include "kernel/linux/calls/trace.h"
#include "kernel/linux/memory/space.h"
#include "kernel/linux/threads/task.h"
#include "kernel/machine/console/trace.h"

#define STRUCT_MAX  256u /* bytes of structures and paths */
#define BUFFER_MAX  64u  /* of contents */
#define VECTORS_MAX 4u   /* struct iovec, whose contents are pieces from VECTOR on */
#define VECTOR      16u
#define CALL_IOCTL  16 /* answers in its structure also when it fails */

enum { BEFORE = 1, AFTER = 2, BOTH = 3 };
/* Behind the arguments in the list of what a size is multiplied with. */
enum { RESULT = 6, ONCE_ONLY, FACTORS };
enum { PLAIN, STRING, VECTORS, COMMAND };

/* clang-format off */
/* The argument of these calls points to so many times `size` bytes; 0 ends them but in front. */
static const struct rule {
    uint8_t argument, when, factor, kind;
    uint16_t size;
    uint16_t calls[18];
} rules[] = {
    {0, BEFORE, ONCE_ONLY, STRING, STRUCT_MAX,
     {2, 4, 6, 21, 76, 80, 82, 83, 84, 85, 87, 88, 89, 90, 137, 266, 319}},
    {1, BEFORE, ONCE_ONLY, STRING, STRUCT_MAX,
     {82, 88, 257, 258, 262, 263, 264, 267, 268, 269, 316, 332, 439}},
    {2, BEFORE, ONCE_ONLY, STRING, STRUCT_MAX, {266}},
    {3, BEFORE, ONCE_ONLY, STRING, STRUCT_MAX, {264, 316}},
    {1, BEFORE, 2, PLAIN, 1, {1, 18}},
    {1, AFTER, RESULT, PLAIN, 1, {0, 17, 89}},
    {0, AFTER, RESULT, PLAIN, 1, {79}},
    {2, AFTER, RESULT, PLAIN, 1, {267}},
    {1, BEFORE, 2, VECTORS, 16, {20, 296}},
    {1, AFTER, 2, VECTORS, 16, {19, 295}},
    {0, BOTH, 1, PLAIN, 8, {7, 271}},
    {1, AFTER, RESULT, PLAIN, 12, {232, 281, 441}},
    {3, BEFORE, ONCE_ONLY, PLAIN, 12, {233}},
    {0, BEFORE, ONCE_ONLY, PLAIN, 16, {35}},
    {2, BEFORE, ONCE_ONLY, PLAIN, 16, {230, 271}},
    {3, BEFORE, ONCE_ONLY, PLAIN, 16, {202, 441}},
    {1, AFTER, ONCE_ONLY, PLAIN, 16, {228, 229}},
    {1, AFTER, ONCE_ONLY, PLAIN, 144, {4, 5, 6}},
    {2, AFTER, ONCE_ONLY, PLAIN, 144, {262}},
    {0, AFTER, ONCE_ONLY, PLAIN, 8, {22, 293}},
    {2, BOTH, ONCE_ONLY, COMMAND, 1, {CALL_IOCTL}},
};
/* clang-format on */

/* One record at a time, during which nobody sleeps. */
static _Alignas(uint64_t) uint8_t record[1000];
static size_t used;

struct vector { /* struct iovec of the interface */
    uaddr_t base;
    uint64_t length;
};

/* Returns how many bytes could be had: all, or those up to the end of the page, or none. */
static size_t copy(void *to, uaddr_t from, size_t length)
{
    const size_t on_page = MIN(length, PAGE_SIZE - from % PAGE_SIZE);

    if (!space_is_memory(payload.space, from))
        return 0;
    if (space_is_memory(payload.space, from + length - 1) && !copy_from_user(to, from, length))
        return length;
    return copy_from_user(to, from, on_page) ? 0 : on_page;
}

/* A piece of the record, if there is room: which argument, how many bytes, and these. How many? */
static size_t add(uint32_t argument, uaddr_t from, size_t length, bool string)
{
    uint32_t head[] = {argument, 0};
    uint8_t *const piece = record + used, *const bytes = piece + sizeof(head);
    size_t have =
        length && bytes + length <= record + sizeof(record) ? copy(bytes, from, length) : 0;

    if (have) {
        head[1] = (uint32_t)(string ? strnlen((char *)bytes, have) : have);
        memcpy(piece, head, sizeof(head));
        used = (size_t)(bytes - record) + head[1];
    }
    return have;
}

/* What the command says (_IOC_SIZE), or else the structure itself, which begins with its size. */
static size_t command_length(uint64_t command, uaddr_t from)
{
    size_t said = (command >> 16) & 0x3fff;
    uint32_t first = 0;

    if (!said && copy(&first, from, sizeof(first)))
        said = MAX(first, sizeof(first));
    return MIN(said, STRUCT_MAX);
}

static void apply(const struct rule *rule, const uint64_t *factors)
{
    const uaddr_t from = factors[rule->argument];
    const uint64_t most = (rule->size > 1 ? STRUCT_MAX : BUFFER_MAX) / rule->size;
    size_t length = MIN(factors[rule->factor], most) * rule->size;
    /* If they are, in the first piece. */
    const struct vector *vectors = (const void *)(record + used + 2 * sizeof(uint32_t));

    if (rule->kind == COMMAND)
        length = command_length(factors[1], from);
    length = add(rule->argument, from, length, rule->kind == STRING);
    if (rule->kind != VECTORS)
        return;
    for (unsigned i = 0; i < MIN(length / sizeof(*vectors), VECTORS_MAX); i++)
        add(VECTOR + i, vectors[i].base, MIN(vectors[i].length, BUFFER_MAX), false);
}

/* A record that begins with `count` of the factors. */
static void emit(enum trace_kind kind, uint64_t number, unsigned when, const uint64_t *factors,
                 const uint64_t *values, size_t count)
{
    used = count * sizeof(*values);
    memcpy(record, values, used);
    for (const struct rule *rule = rules; rule < rules + ARRAY_SIZE(rules); rule++) {
        for (size_t i = 0; (rule->when & when) && (!i || rule->calls[i]); i++) {
            if (rule->calls[i] == number)
                apply(rule, factors);
        }
    }
    trace_emit(kind, (uint32_t)task_current()->id, (uint32_t)MIN(number, UINT32_MAX), record, used);
}

void trace_call(struct trap_frame *frame)
{
    const uint64_t number = frame->rax;
    uint64_t factors[FACTORS] = {frame->rdi, frame->rsi, frame->rdx, frame->r10,
                                 frame->r8,  frame->r9,  0,          1};

    emit(TRACE_CALL, number, BEFORE, factors, factors, RESULT);
    syscall_dispatch(frame);
    factors[RESULT] = frame->rax;
    emit(TRACE_RESULT, number, (int64_t)frame->rax >= 0 || number == CALL_IOCTL ? AFTER : 0,
         factors, factors + RESULT, 1);
}
