/* SPDX-License-Identifier: BSD-2-Clause */
/* Life of an address space, what the loader needs of it, and page faults. */
#include "kernel/linux/memory/space.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"
#include "kernel/linux/memory/internal.h"

/* Bits of a page fault's error code (SDM volume 3, section 4.7). */
#define FAULT_PRESENT BIT(0)
#define FAULT_WRITE   BIT(1)
#define FAULT_USER    BIT(2)
#define FAULT_FETCH   BIT(4)

/* What one fault brings in, where the memory is there anyway, and where it is being saved. */
#define FAULT_AROUND      SIZE_2M
#define FAULT_AROUND_LAZY (64 * KIB)

int space_create(struct ioas_account *account, struct space **out)
{
    struct space *space = kzalloc(sizeof(*space));

    if (!space)
        return -ENOMEM;
    space->cpu = cpu_space_create();
    if (!space->cpu) {
        kfree(space);
        return -ENOMEM;
    }
    mutex_init(&space->lock);
    space->references = 1;
    space->account = account;
    space->search_top = USER_END;
    space->mappings.update = mapping_update_gap;
    space->top.start = space->top.end = USER_END;
    mapping_insert(space, &space->top);
    *out = space;
    return 0;
}

void space_destroy(struct space *space)
{
    struct cpu_space *cpu = space->cpu;
    struct edit edit;

    mutex_lock_deaf(&space->lock, "address space");
    edit_begin(&edit, space);
    edit_clear(&edit, 0, USER_END);
    edit_end(&edit); /* may close devices, which stops them and takes their pins off */
    space->cpu = NULL;
    mutex_unlock(&space->lock);
    cpu_space_destroy(cpu);
    space_put(space);
}

int space_lock(struct space *space)
{
    return mutex_lock(&space->lock, "address space");
}

void space_unlock(struct space *space)
{
    mutex_unlock(&space->lock);
}

struct cpu_space *space_cpu(struct space *space)
{
    return space->cpu;
}

void space_set_memlock(struct space *space, uint64_t limit)
{
    space->account->limit = limit;
}

/* Where addresses are chosen stays: what is mapped below the stack may stop it earlier. */
void space_set_stack_limit(struct space *space, uint64_t limit)
{
    space->stack_limit = limit;
}

int space_map(struct space *space, uaddr_t at, uint64_t length, unsigned flags, const char *name)
{
    const struct space_request request = {
        .at = at,
        .length = length,
        .access = flags & ACCESS_ALL,
        .access_max = ACCESS_ALL,
        .flags = SPACE_PRIVATE | SPACE_ANONYMOUS | SPACE_FIXED_NOREPLACE,
        .name = name,
    };
    int64_t result = space_mmap(space, &request);

    return result < 0 ? (int)result : 0;
}

/*
 * The stack is the highest mapping; other addresses are chosen below what it may grow to. A little
 * of it is there from the start, for the arguments.
 */
int space_map_stack(struct space *space, uint64_t limit, uaddr_t *top)
{
    const uint64_t first = 128 * KIB;
    const struct space_request request = {
        .at = USER_END - PAGE_SIZE - first,
        .length = first,
        .access = PAGE_READ | PAGE_WRITE,
        .access_max = ACCESS_ALL,
        .flags = SPACE_PRIVATE | SPACE_ANONYMOUS | SPACE_FIXED_NOREPLACE | SPACE_GROWSDOWN |
                 SPACE_POPULATE,
        .name = "[stack]",
    };
    int64_t result = space_mmap(space, &request);

    if (result < 0)
        return (int)result;
    space->stack_limit = MAX(ALIGN_UP(MIN(limit, USER_END / 4), PAGE_SIZE), first);
    *top = USER_END - PAGE_SIZE;
    space->search_top = *top - space->stack_limit - STACK_GUARD;
    return 0;
}

void space_set_break(struct space *space, uaddr_t start)
{
    space->break_start = space->break_end = start;
}

uaddr_t space_brk(struct space *space, uaddr_t to)
{
    uaddr_t have = ALIGN_UP(space->break_end, PAGE_SIZE);
    uaddr_t want = ALIGN_UP(to, PAGE_SIZE);
    int error = 0;

    if (to < space->break_start || to >= space->search_top)
        return space->break_end;
    if (want < have) {
        error = space_munmap(space, want, have - want);
    } else if (want > have) {
        error = space_map(space, have, want - have, PAGE_READ | PAGE_WRITE, "[heap]");
    }
    if (!error)
        space->break_end = to;
    return space->break_end;
}

static unsigned access_of(uint64_t error)
{
    if (error & FAULT_FETCH)
        return PAGE_EXEC;
    return error & FAULT_WRITE ? PAGE_WRITE : ACCESS_ALL; /* whatever is accessible can be read */
}

/* The mapping above a stack access, moved down to it; NULL when nothing grows there. */
static struct mapping *grow_down(struct space *space, uaddr_t address)
{
    struct mapping *mapping = mapping_from(space, address);
    struct mapping *before = mapping_before(mapping);
    uaddr_t start = ALIGN_DOWN(address, PAGE_SIZE);
    uaddr_t below = before ? before->end : SPACE_LOWEST;

    if (!(mapping->flags & MAPPING_GROWS_DOWN) || (mapping->flags & MAPPING_BUSY) ||
        mapping->end - start > space->stack_limit)
        return NULL;
    if (start < below || start - below < STACK_GUARD)
        return NULL;
    if (edit_meets(space, start, mapping->start))
        return NULL;
    if (mapping->flags & MAPPING_LOCKED) {
        if (!space_lock_allowed(space, mapping->start - start))
            return NULL;
        space_lock_charge(space, mapping->start - start);
    }
    mapping_set_start(mapping, start);
    return mapping;
}

/* Is the page there, with the access that failed? */
static bool is_accessible(struct space *space, uaddr_t page, uint64_t error)
{
    struct cpu_mapping m;

    return page < USER_END && cpu_space_find(space->cpu, page, page + PAGE_SIZE, &m) &&
           (m.flags & access_of(error));
}

/*
 * Brings in what is missing around the address, as far as the state of the space allows. True only
 * if the access will succeed now: a page may be there whose access a change has not come to yet,
 * and a copy by the kernel would fault on it for ever.
 */
static bool serve_fault(struct space *space, uaddr_t address, uint64_t error)
{
    struct mapping *mapping = mapping_at(space, address);
    uaddr_t page = ALIGN_DOWN(address, PAGE_SIZE);
    uint64_t around;
    uaddr_t start, end;

    if (address >= USER_END || (error & FAULT_PRESENT))
        return false;
    if (!mapping)
        mapping = grow_down(space, address);
    if (!mapping || (mapping->flags & MAPPING_BUSY) || !(mapping->access & access_of(error)) ||
        page >= mapping_backed_end(mapping))
        return false;
    around =
        mapping->flags & (MAPPING_LAZY | MAPPING_RESERVATION) ? FAULT_AROUND_LAZY : FAULT_AROUND;
    start = MAX(ALIGN_DOWN(address, around), mapping->start);
    end = MIN(ALIGN_DOWN(address, around) + around, mapping_backed_end(mapping));
    if (space_fill_missing(mapping, start, end, 0) && !is_accessible(space, page, error))
        (void)space_fill_missing(mapping, page, page + PAGE_SIZE, 0);
    return is_accessible(space, page, error);
}

bool space_fault(struct space *space, uaddr_t address, uint64_t error)
{
    bool again = serve_fault(space, address, error);

    if (again || !(error & FAULT_USER) || !space->lock.owner)
        return again;
    /* What is in the way may be the middle of a change. Whoever is to end goes to its end. */
    if (space_lock(space))
        return true;
    again = is_accessible(space, ALIGN_DOWN(address, PAGE_SIZE), error) ||
            serve_fault(space, address, error);
    space_unlock(space);
    return again;
}

enum space_reason space_explain(struct space *space, uaddr_t address, uint64_t error)
{
    const struct mapping *mapping = mapping_at(space, address);

    if (!mapping)
        return SPACE_UNMAPPED;
    return mapping->access & access_of(error) ? SPACE_GONE : SPACE_FORBIDDEN;
}
