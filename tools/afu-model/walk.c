/* SPDX-License-Identifier: BSD-2-Clause */
#include "walk.h"

#include <stddef.h>

#define ADDRESS UINT64_C(0x000ffffffffff000)
#define PRESENT 1u /* of root and context entries */

#define ROOT_MODE     UINT64_C(0xc00) /* in the register: 0 is legacy mode */
#define ROOT_RESERVED UINT64_C(0xffe)

#define CONTEXT_TYPE          UINT64_C(0xc) /* 0: untranslated requests go through the tables */
#define CONTEXT_RESERVED      UINT64_C(0xff0)
#define CONTEXT_HIGH_RESERVED (~UINT64_C(0xffff7f))
#define CONTEXT_WIDTH         7u
#define WIDTH_3_LEVELS        1u /* and one more level for each width above */
#define WIDTH_5_LEVELS        3u

#define READ         1u
#define WRITE        2u
#define LARGE        UINT64_C(0x80)
#define LARGE_LEVELS 3u /* 2 MiB on level 2, 1 GiB on level 3 */

#define WINDOW_FIRST UINT64_C(0xfee00000)
#define WINDOW_LAST  UINT64_C(0xfeefffff)

/* A root or context entry, or two page-table entries. */
struct pair {
    uint64_t low, high;
};

static bool load(const struct memory *memory, uint64_t at, uint64_t *value)
{
    const uint64_t *entry = memory_at(memory, at, sizeof(*entry));

    if (!entry)
        return false;
    *value = __atomic_load_n(entry, __ATOMIC_ACQUIRE);
    return true;
}

static bool load_pair(const struct memory *memory, uint64_t at, struct pair *pair)
{
    return load(memory, at, &pair->low) && load(memory, at + 8, &pair->high);
}

static enum walk_fault find_context(const struct memory *memory, const struct walk_request *request,
                                    struct pair *context)
{
    uint64_t bus = request->requester >> 8, function = request->requester & 0xff;
    struct pair root;

    if ((request->root & ROOT_MODE) ||
        !load_pair(memory, (request->root & ADDRESS) + bus * sizeof(root), &root))
        return WALK_ROOT_NOT_RAM;
    if (!(root.low & PRESENT))
        return WALK_ROOT_ABSENT;
    if ((root.low & ROOT_RESERVED) || (root.low & ~ADDRESS & ~UINT64_C(0xfff)) || root.high)
        return WALK_ROOT_RESERVED;
    if (!load_pair(memory, (root.low & ADDRESS) + function * sizeof(*context), context))
        return WALK_CONTEXT_NOT_RAM;
    return (context->low & PRESENT) ? WALK_GOOD : WALK_CONTEXT_ABSENT;
}

static enum walk_fault check_context(const struct pair *context)
{
    uint64_t width = context->high & CONTEXT_WIDTH;

    if ((context->low & CONTEXT_RESERVED) || (context->low & ~ADDRESS & ~UINT64_C(0xfff)) ||
        (context->high & CONTEXT_HIGH_RESERVED))
        return WALK_CONTEXT_RESERVED;
    if ((context->low & CONTEXT_TYPE) || width < WIDTH_3_LEVELS || width > WIDTH_5_LEVELS)
        return WALK_CONTEXT_INVALID;
    return WALK_GOOD;
}

/* How many bits of an IOVA the tables below an entry of that level translate. */
static unsigned span_bits(unsigned level)
{
    return 12 + 9 * (level - 1);
}

static enum walk_fault take_leaf(const struct memory *memory, uint64_t entry, unsigned level,
                                 const struct walk_request *request, uint8_t **out)
{
    uint64_t inside = (UINT64_C(1) << span_bits(level)) - 1, physical = entry & ADDRESS;

    if (level > LARGE_LEVELS || (physical & inside))
        return WALK_ENTRY_RESERVED;
    void *found = memory_at(memory, physical | (request->iova & inside), request->length);
    if (!found)
        return WALK_NOT_RAM;
    *out = found;
    return WALK_GOOD;
}

static enum walk_fault walk_tables(const struct memory *memory, uint64_t table, unsigned level,
                                   const struct walk_request *request, uint8_t **out)
{
    for (;; level--) {
        uint64_t index = request->iova >> span_bits(level) & 511, entry;

        if (!load(memory, table + index * sizeof(entry), &entry))
            return WALK_TABLE_NOT_RAM;
        if (!(entry & (request->write ? WRITE : READ)))
            return request->write ? WALK_NO_WRITE : WALK_NO_READ;
        if (level == 1 || (entry & LARGE))
            return take_leaf(memory, entry, level, request, out);
        table = entry & ADDRESS;
    }
}

enum walk_fault walk(const struct memory *memory, const struct walk_request *request, uint8_t **out)
{
    struct pair context;

    if (request->iova >= WINDOW_FIRST && request->iova <= WINDOW_LAST)
        return WALK_INTERRUPT;
    enum walk_fault fault = find_context(memory, request, &context);
    if (fault == WALK_GOOD)
        fault = check_context(&context);
    if (fault != WALK_GOOD)
        return fault;
    unsigned levels = (unsigned)(context.high & CONTEXT_WIDTH) + 2;
    if (request->iova >> span_bits(levels + 1))
        return WALK_BEYOND_WIDTH;
    return walk_tables(memory, context.low & ADDRESS, levels, request, out);
}
