/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waiters in hash buckets by address. The payload has one address space, so an address names a
 * word; the same memory mapped twice makes two words, which is the one case Linux tells apart for
 * shared futexes and this does not.
 */
#include "kernel/linux/threads/futex.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/lib/list.h"
#include "kernel/linux/threads/task.h"

#define BUCKETS 256u

struct futex_waiter {
    struct list link; /* in a bucket, the oldest first; empty once woken */
    uaddr_t word;
    uint32_t bitset;
    struct thread *thread;
};

static struct list buckets[BUCKETS];

static struct list *bucket_of(uaddr_t word)
{
    struct list *bucket = &buckets[(word >> 2) * UINT64_C(0x9e3779b97f4a7c15) >> 56];
    if (!bucket->next)
        list_init(bucket);
    return bucket;
}

int futex_wait(uaddr_t word, uint32_t expected, uint32_t bitset, uint64_t deadline_ns)
{
    uint32_t value;
    if (!IS_ALIGNED(word, sizeof(value)) || bitset == 0)
        return -EINVAL;
    int error = copy_from_user(&value, word, sizeof(value));
    if (error)
        return error;
    if (value != expected)
        return -EAGAIN;

    struct futex_waiter waiter = {.word = word, .bitset = bitset, .thread = thread_current()};
    list_push_back(bucket_of(word), &waiter.link);
    while (!error && !list_empty(&waiter.link))
        error = thread_sleep("futex", deadline_ns);
    /* Woken and interrupted at once counts as woken: the wake must not be lost. */
    if (list_empty(&waiter.link))
        return 0;
    list_remove(&waiter.link);
    return error;
}

static void wake_waiter(struct futex_waiter *waiter)
{
    list_remove(&waiter->link);
    thread_wake(waiter->thread);
}

unsigned futex_wake(uaddr_t word, unsigned count, uint32_t bitset)
{
    struct futex_waiter *waiter, *next;
    unsigned woken = 0;
    list_for_each_entry_safe (waiter, next, bucket_of(word), link) {
        if (woken >= count)
            break;
        if (waiter->word != word || !(waiter->bitset & bitset))
            continue;
        wake_waiter(waiter);
        woken++;
    }
    return woken;
}

unsigned futex_requeue(uaddr_t from, uaddr_t to, unsigned wake, unsigned move)
{
    struct futex_waiter *waiter, *next;
    struct list *target = bucket_of(to);
    unsigned woken = futex_wake(from, wake, FUTEX_ANY);
    unsigned moved = 0;
    list_for_each_entry_safe (waiter, next, bucket_of(from), link) {
        if (moved >= move || from == to)
            break;
        if (waiter->word != from)
            continue;
        list_remove(&waiter->link);
        waiter->word = to;
        list_push_back(target, &waiter->link);
        moved++;
    }
    return woken + moved;
}

enum wake_operation {
    OP_SET,
    OP_ADD,
    OP_OR,
    OP_ANDN,
    OP_XOR,
};

enum wake_comparison {
    CMP_EQ,
    CMP_NE,
    CMP_LT,
    CMP_LE,
    CMP_GT,
    CMP_GE,
};

#define OP_SHIFT_ARGUMENT 8u /* the argument is a bit number */

static int apply(unsigned operation, uint32_t old, uint32_t argument, uint32_t *new)
{
    switch (operation) {
    case OP_SET:
        *new = argument;
        return 0;
    case OP_ADD:
        *new = old + argument;
        return 0;
    case OP_OR:
        *new = old | argument;
        return 0;
    case OP_ANDN:
        *new = old & ~argument;
        return 0;
    case OP_XOR:
        *new = old ^ argument;
        return 0;
    default:
        return -ENOSYS;
    }
}

static int compare(unsigned comparison, int32_t old, int32_t argument, bool *result)
{
    const bool results[] = {
        [CMP_EQ] = old == argument,
        [CMP_NE] = old != argument,
        [CMP_LT] = old<argument, [CMP_LE] = old <= argument, [CMP_GT] = old> argument,
        [CMP_GE] = old >= argument,
    };
    if (comparison >= ARRAY_SIZE(results))
        return -ENOSYS;
    *result = results[comparison];
    return 0;
}

/* A 12-bit field of the encoding as a signed number. */
static int32_t sign_extend(uint32_t field)
{
    return (int32_t)((field ^ 0x800u) - 0x800u);
}

int64_t futex_wake_op(uaddr_t first, uaddr_t second, unsigned count, unsigned second_count,
                      uint32_t encoded)
{
    uint32_t old, new;
    bool passes;
    unsigned operation = (unsigned)bits_get(encoded, 31, 28);
    uint32_t argument = (uint32_t)sign_extend((uint32_t)bits_get(encoded, 23, 12));
    if (operation & OP_SHIFT_ARGUMENT)
        argument = 1u << (argument & 31);
    if (!IS_ALIGNED(second, sizeof(old)))
        return -EINVAL;
    int error = copy_from_user(&old, second, sizeof(old));
    if (!error)
        error = apply(operation & ~OP_SHIFT_ARGUMENT, old, argument, &new);
    if (!error)
        error = compare((unsigned)bits_get(encoded, 27, 24), (int32_t)old,
                        sign_extend((uint32_t)bits_get(encoded, 11, 0)), &passes);
    if (!error)
        error = copy_to_user(second, &new, sizeof(new));
    if (error)
        return error;
    unsigned woken = futex_wake(first, count, FUTEX_ANY);
    return woken + (passes ? futex_wake(second, second_count, FUTEX_ANY) : 0);
}
