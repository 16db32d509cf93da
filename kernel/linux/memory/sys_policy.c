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

#define BIND_MOVE_ALL 4u
#define BIND_FLAGS    7u
#define MASK_BITS_MAX (PAGE_SIZE * 8)

/*
 * A mode and its set of nodes, of which those from 64 on do not exist, here or with the kernels
 * that programs know. *policy becomes what get_mempolicy(2) tells of them.
 */
static int get_policy(unsigned mode, uaddr_t mask, uint64_t bits, unsigned *policy)
{
    const unsigned kind = mode & ~(unsigned)POLICY_FLAGS, flags = mode & POLICY_FLAGS;
    const bool both = (flags & POLICY_STATIC) && (flags & POLICY_RELATIVE);
    uint64_t nodes = 0;
    bool none;
    if (mask && bits > 1) {
        int error =
            bits - 1 > MASK_BITS_MAX ? -EINVAL : copy_from_user(&nodes, mask, sizeof(nodes));
        if (error)
            return error;
        nodes &= bits - 1 < 64 ? BIT(bits - 1) - 1 : UINT64_MAX;
    }
    if (kind > POLICY_LAST || both || ((flags & POLICY_BALANCING) && kind != POLICY_BIND))
        return -EINVAL;
    none = kind == POLICY_DEFAULT || kind == POLICY_LOCAL || (kind == POLICY_PREFERRED && !nodes);
    if (none ? nodes || flags : !(nodes & 1))
        return -EINVAL;
    *policy = none && kind ? POLICY_LOCAL : mode; /* preferring no node is preferring the own */
    return 0;
}

int64_t sys_set_mempolicy(unsigned mode, uaddr_t mask, uint64_t bits)
{
    return get_policy(mode, mask, bits, &task_current()->mempolicy);
}

/* Nothing is to be written back, so that msync(2) only tells whether all of it is mapped. */
static int64_t check_mapped(uaddr_t at, uint64_t length)
{
    int64_t error = sys_msync(at, length, 0);
    return error == -ENOMEM ? -EFAULT : error;
}

static int64_t put_nodes(uaddr_t out, uint64_t bits, uint64_t nodes)
{
    uint64_t bytes = ALIGN_UP(bits - 1, 64) / 8;
    int error = clear_user(out, bytes);
    return error ? error : copy_to_user(out, &nodes, MIN(bytes, sizeof(nodes)));
}

int64_t sys_get_mempolicy(uaddr_t mode, uaddr_t mask, uint64_t bits, uaddr_t at, unsigned flags)
{
    unsigned policy = task_current()->mempolicy;
    unsigned kind = policy & ~(unsigned)POLICY_FLAGS;
    bool unknown = flags & ~(unsigned)(GET_NODE | GET_ADDRESS | GET_ALLOWED);
    bool alone = !(flags & GET_ALLOWED) || flags == GET_ALLOWED;
    bool node_of_what = flags == GET_NODE && kind != POLICY_INTERLEAVE;
    if (unknown || !alone || node_of_what || (mask && (bits < 1 || bits > MASK_BITS_MAX)) ||
        (at && !(flags & GET_ADDRESS)))
        return -EINVAL;
    int64_t error = flags & GET_ADDRESS ? check_mapped(ALIGN_DOWN(at, PAGE_SIZE), PAGE_SIZE) : 0;
    bool has_nodes = (flags & GET_ALLOWED) || (kind != POLICY_DEFAULT && kind != POLICY_LOCAL);
    if (flags & (GET_NODE | GET_ALLOWED))
        policy = 0; /* the node */
    if (!error && mode)
        error = copy_to_user(mode, &policy, sizeof(policy));
    return error || !mask ? error : put_nodes(mask, bits, has_nodes);
}

int64_t sys_mbind(uaddr_t at, uint64_t length, unsigned mode, uaddr_t mask, uint64_t bits,
                  unsigned flags)
{
    unsigned unused;
    uint64_t end;
    if ((flags & ~BIND_FLAGS) || !IS_ALIGNED(at, PAGE_SIZE))
        return -EINVAL;
    if (flags & BIND_MOVE_ALL) /* CAP_SYS_NICE */
        return -EPERM;
    int error = get_policy(mode, mask, bits, &unused);
    if (error || !range_end(at, ALIGN_UP(length, PAGE_SIZE), &end))
        return error ? error : -EINVAL;
    return check_mapped(at, end - at);
}
