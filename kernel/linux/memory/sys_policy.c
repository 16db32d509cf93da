/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory policies of a machine with one node: they are checked and remembered for the thread, and
 * every page is where any policy that is accepted would have it.
 */
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/memory/space.h"
#include "kernel/linux/threads/task.h"

enum mempolicy {
    POLICY_DEFAULT = 0,
    POLICY_PREFERRED = 1,
    POLICY_BIND = 2,
    POLICY_INTERLEAVE = 3,
    POLICY_LOCAL = 4,
    POLICY_LAST = 6,
    POLICY_BALANCING = 1 << 13,
    POLICY_RELATIVE = 1 << 14,
    POLICY_STATIC = 1 << 15,
    POLICY_FLAGS = POLICY_BALANCING | POLICY_RELATIVE | POLICY_STATIC,
};

enum get_flags {
    GET_NODE = 1,
    GET_ADDRESS = 2,
    GET_ALLOWED = 4,
};

enum mbind_flags {
    BIND_STRICT = 1,
    BIND_MOVE = 2,
    BIND_MOVE_ALL = 4,
};

#define MASK_BITS_MAX (PAGE_SIZE * 8)
#define WALK_WORK     2000 /* of looking at one range of pages: breathe_after() */

/* Is node 0 in the set? Nodes from 64 on do not exist, here or with the kernels that programs know.
 */
static int get_nodes(uaddr_t from, uint64_t bits, uint64_t *nodes)
{
    *nodes = 0;
    if (!from || bits <= 1)
        return 0;
    if (bits - 1 > MASK_BITS_MAX)
        return -EINVAL;
    int error = copy_from_user(nodes, from, sizeof(*nodes));
    if (bits - 1 < 64)
        *nodes &= BIT(bits - 1) - 1;
    return error;
}

static int check_policy(unsigned mode, uint64_t nodes)
{
    unsigned kind = mode & ~(unsigned)POLICY_FLAGS, flags = mode & POLICY_FLAGS;
    bool no_nodes = kind == POLICY_DEFAULT || kind == POLICY_LOCAL;
    bool both = (flags & POLICY_STATIC) && (flags & POLICY_RELATIVE);
    if (kind > POLICY_LAST || both || ((flags & POLICY_BALANCING) && kind != POLICY_BIND))
        return -EINVAL;
    if (no_nodes || (kind == POLICY_PREFERRED && !nodes))
        return nodes || flags ? -EINVAL : 0;
    return nodes & 1 ? 0 : -EINVAL;
}

int64_t sys_set_mempolicy(unsigned mode, uaddr_t mask, uint64_t bits)
{
    uint64_t nodes;
    int error = get_nodes(mask, bits, &nodes);
    if (!error)
        error = check_policy(mode, nodes);
    if (!error) /* preferring no node is preferring the own */
        task_current()->mempolicy = mode == POLICY_PREFERRED && !nodes ? POLICY_LOCAL : mode;
    return error;
}

static int put_nodes(uaddr_t out, uint64_t bits, uint64_t nodes)
{
    uint64_t bytes = ALIGN_UP(bits - 1, 64) / 8;
    int error = copy_to_user(out, &nodes, MIN(bytes, sizeof(nodes)));
    return error || bytes <= sizeof(nodes) ? error
                                           : clear_user(out + sizeof(nodes), bytes - sizeof(nodes));
}

int64_t sys_get_mempolicy(uaddr_t mode, uaddr_t mask, uint64_t bits, uaddr_t at, unsigned flags)
{
    struct space_pages pages;
    unsigned policy = task_current()->mempolicy;
    unsigned kind = policy & ~(unsigned)POLICY_FLAGS;
    bool unknown = flags & ~(unsigned)(GET_NODE | GET_ADDRESS | GET_ALLOWED);
    bool alone = !(flags & GET_ALLOWED) || flags == GET_ALLOWED;
    bool node_of_what = flags == GET_NODE && kind != POLICY_INTERLEAVE;
    if (unknown || !alone || node_of_what || (mask && (bits < 1 || bits > MASK_BITS_MAX)) ||
        (at && !(flags & GET_ADDRESS)))
        return -EINVAL;
    if ((flags & GET_ADDRESS) &&
        (at >= USER_END || space_mincore(payload.space, ALIGN_DOWN(at, PAGE_SIZE),
                                         ALIGN_DOWN(at, PAGE_SIZE) + PAGE_SIZE, &pages)))
        return -EFAULT;
    bool has_nodes = (flags & GET_ALLOWED) || (kind != POLICY_DEFAULT && kind != POLICY_LOCAL);
    if (flags & (GET_NODE | GET_ALLOWED))
        policy = 0; /* the node */
    int error = mode ? copy_to_user(mode, &policy, sizeof(policy)) : 0;
    return error || !mask ? error : put_nodes(mask, bits, has_nodes);
}

int64_t sys_mbind(uaddr_t at, uint64_t length, unsigned mode, uaddr_t mask, uint64_t bits,
                  unsigned flags)
{
    uint64_t nodes, end;
    if (flags & ~(unsigned)(BIND_STRICT | BIND_MOVE | BIND_MOVE_ALL) || !IS_ALIGNED(at, PAGE_SIZE))
        return -EINVAL;
    if (flags & BIND_MOVE_ALL) /* CAP_SYS_NICE */
        return -EPERM;
    int error = get_nodes(mask, bits, &nodes);
    if (!error)
        error = check_policy(mode, nodes);
    if (!error && !range_end(at, ALIGN_UP(length, PAGE_SIZE), &end))
        error = -EINVAL;
    while (!error && at < end) {
        struct space_pages pages = {.end = end};
        error = at >= USER_END || space_mincore(payload.space, at, MIN(end, USER_END), &pages)
                    ? -EFAULT
                    : breathe_after(WALK_WORK, "mbind");
        at = pages.end;
    }
    return error;
}
