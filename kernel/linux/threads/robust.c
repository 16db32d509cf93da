/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Robust locks: a list in the payload's memory of the locks a thread holds. When it goes, each lock
 * word that still names it gets the mark that its owner died.
 */
#include "kernel/cpu/user.h"
#include "kernel/linux/threads/futex.h"
#include "kernel/linux/threads/task.h"

#define OWNER_MASK  0x3fffffffu
#define OWNER_DIED  0x40000000u
#define HAS_WAITERS 0x80000000u
#define LOCKS_MAX   2048 /* the list is the payload's: it may be endless */
#define LOCK_WORK   500  /* of each: breathe_deaf_after() */

struct robust_head {
    uaddr_t first;
    int64_t offset; /* from an entry to its lock word */
    uaddr_t busy;   /* an entry being taken or released; 0: none */
};

static void mark_lock(const struct task *task, uaddr_t word)
{
    uint32_t value;
    if (!IS_ALIGNED(word, sizeof(value)) || copy_from_user(&value, word, sizeof(value)))
        return;
    if ((value & OWNER_MASK) != (uint32_t)task->id)
        return;
    uint32_t died = (value & HAS_WAITERS) | OWNER_DIED;
    if (copy_to_user(word, &died, sizeof(died)) == 0 && (value & HAS_WAITERS))
        futex_wake(word, 1, FUTEX_ANY);
}

void futex_exit_robust(struct task *task)
{
    struct robust_head head;
    if (!task->robust_list || copy_from_user(&head, task->robust_list, sizeof(head)))
        return;
    uaddr_t entry = head.first;
    /* Bit 0 marks priority-inheriting locks, which we do not have. */
    for (unsigned i = 0; i < LOCKS_MAX && (entry & ~UINT64_C(1)) != task->robust_list; i++) {
        uaddr_t at = entry & ~UINT64_C(1);
        uaddr_t next;
        if (copy_from_user(&next, at, sizeof(next)))
            break;
        if (at != head.busy)
            mark_lock(task, at + (uint64_t)head.offset);
        entry = next;
        breathe_deaf_after(LOCK_WORK, "robust locks");
    }
    if (head.busy)
        mark_lock(task, (head.busy & ~UINT64_C(1)) + (uint64_t)head.offset);
}
