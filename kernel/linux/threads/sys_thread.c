/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads: starting, ending, thread-local storage, futexes, the scheduler's questions. */
#include "kernel/cpu/thread.h"
#include "kernel/cpu/trap.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/calls/clock.h"
#include "kernel/linux/threads/futex.h"
#include "kernel/linux/threads/task.h"

enum clone_flags {
    CLONE_VM = 0x100,
    CLONE_FS = 0x200,
    CLONE_FILES = 0x400,
    CLONE_SIGHAND = 0x800,
    CLONE_PTRACE = 0x2000,
    CLONE_THREAD = 0x10000,
    CLONE_SYSVSEM = 0x40000,
    CLONE_SETTLS = 0x80000,
    CLONE_PARENT_SETTID = 0x100000,
    CLONE_CHILD_CLEARTID = 0x200000,
    CLONE_DETACHED = 0x400000,
    CLONE_CHILD_SETTID = 0x1000000,
};

/* What makes a thread of the same process, and what else a thread may ask for. */
#define CLONE_NEEDED (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)
#define CLONE_KNOWN                                                                                \
    (CLONE_NEEDED | CLONE_PTRACE | CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |            \
     CLONE_CHILD_CLEARTID | CLONE_DETACHED | CLONE_CHILD_SETTID)

/* struct clone_args of clone3(2), in its first form. */
struct clone_args {
    uint64_t flags;
    uaddr_t pidfd;
    uaddr_t child_id;
    uaddr_t parent_id;
    uint64_t exit_signal;
    uaddr_t stack;
    uint64_t stack_size;
    uint64_t tls;
};
_Static_assert(sizeof(struct clone_args) == 64, "layout of the Linux interface");

/* Said once: a C library tries clone3, then clone, and a program perhaps again and again. */
static int refuse_clone(const char *call, uint64_t flags)
{
    static bool reported;
    const char *why = flags & CLONE_THREAD ? "these flags are not supported"
                                           : "this is a new process, and only threads can be made";
    if (!reported)
        log_warn("%s with flags 0x%lx: %s", call, flags, why);
    reported = true;
    return -ENOSYS;
}

/* What Linux finds contradictory is -EINVAL, what it would do but we do not is -ENOSYS. */
static int check_clone(const char *call, const struct clone_args *args)
{
    uint64_t flags = args->flags;
    bool needs_handlers = (flags & CLONE_THREAD) && !(flags & CLONE_SIGHAND);
    bool needs_memory = (flags & CLONE_SIGHAND) && !(flags & CLONE_VM);
    if (needs_handlers || needs_memory)
        return -EINVAL;
    if ((flags & CLONE_NEEDED) != CLONE_NEEDED || (flags & ~(uint64_t)CLONE_KNOWN))
        return refuse_clone(call, flags);
    bool tls_ok = !(flags & CLONE_SETTLS) || args->tls < USER_END;
    return tls_ok ? 0 : -EPERM;
}

static int64_t clone_thread(const char *call, const struct trap_frame *frame,
                            const struct clone_args *args)
{
    struct task *parent = task_current();
    struct task *child;
    struct trap_frame start = *frame;
    int error = check_clone(call, args);
    if (error)
        return error;
    start.rax = 0;
    if (args->stack)
        start.rsp = args->stack + args->stack_size;
    error = task_create(&start, &child);
    if (error)
        return error;
    child->mask = parent->mask;
    memcpy(child->name, parent->name, sizeof(child->name));
    child->nice = parent->nice;
    child->policy = parent->policy;
    child->mempolicy = parent->mempolicy;
    child->slack = parent->slack;
    thread_set_fs_base(child->thread,
                       args->flags & CLONE_SETTLS ? args->tls : thread_fs_base(thread_current()));
    if (args->flags & CLONE_CHILD_CLEARTID)
        child->clear_id = args->child_id;
    /* Bad addresses here harm only the caller, as on Linux. */
    if (args->flags & CLONE_PARENT_SETTID)
        (void)copy_to_user(args->parent_id, &child->id, sizeof(child->id));
    if (args->flags & CLONE_CHILD_SETTID)
        (void)copy_to_user(args->child_id, &child->id, sizeof(child->id));
    thread_start(child->thread);
    return child->id;
}

int64_t sys_clone(struct trap_frame *frame)
{
    const struct clone_args args = {
        .flags = frame->rdi & ~UINT64_C(0xff), /* the low byte is the exit signal */
        .stack = frame->rsi,
        .parent_id = frame->rdx,
        .child_id = frame->r10,
        .tls = frame->r8,
    };
    return clone_thread("clone", frame, &args);
}

int64_t sys_clone3(struct trap_frame *frame)
{
    struct clone_args args;
    uaddr_t from = frame->rdi;
    uint64_t size = frame->rsi;
    if (size < sizeof(args))
        return -EINVAL;
    if (size > USER_STRUCT_MAX)
        return -E2BIG;
    int error = copy_struct_from_user(&args, sizeof(args), from, size);
    if (error)
        return error;
    bool stack_ok = (args.stack == 0) == (args.stack_size == 0);
    bool signal_ok = args.exit_signal <= (args.flags & CLONE_THREAD ? 0 : SIGNAL_MAX);
    if (!signal_ok || !stack_ok || !user_range_ok(args.stack, args.stack_size))
        return -EINVAL;
    return clone_thread("clone3", frame, &args);
}

int64_t sys_exit(int status)
{
    task_exit(status);
}

int64_t sys_exit_group(int status)
{
    payload_end((struct payload_exit){.status = status & 0xff});
    task_exit(status);
}

int64_t sys_set_tid_address(uaddr_t address)
{
    struct task *task = task_current();
    task->clear_id = address;
    return task->id;
}

int64_t sys_set_robust_list(uaddr_t head, size_t size)
{
    const size_t head_size = 24;
    if (size != head_size)
        return -EINVAL;
    task_current()->robust_list = head;
    return 0;
}

int64_t sys_get_robust_list(int id, uaddr_t head, uaddr_t size)
{
    const uint64_t head_size = 24;
    const struct task *task = id ? task_find(id) : task_current();
    if (!task)
        return -ESRCH;
    int error = copy_to_user(size, &head_size, sizeof(head_size));
    return error ? error : copy_to_user(head, &task->robust_list, sizeof(task->robust_list));
}

enum arch_code {
    ARCH_SET_FS = 0x1002,
    ARCH_GET_FS = 0x1003,
};

int64_t sys_arch_prctl(unsigned code, uint64_t argument)
{
    struct thread *thread = thread_current();
    uint64_t base = thread_fs_base(thread);
    switch (code) {
    case ARCH_SET_FS:
        if (argument >= USER_END)
            return -EPERM;
        thread_set_fs_base(thread, argument);
        return 0;
    case ARCH_GET_FS:
        return copy_to_user(argument, &base, sizeof(base));
    default:
        return -EINVAL;
    }
}

enum futex_operation {
    FUTEX_WAIT = 0,
    FUTEX_WAKE = 1,
    FUTEX_REQUEUE = 3,
    FUTEX_CMP_REQUEUE = 4,
    FUTEX_WAKE_OP = 5,
    FUTEX_WAIT_BITSET = 9,
    FUTEX_WAKE_BITSET = 10,
    FUTEX_PRIVATE = 128,
    FUTEX_CLOCK_REALTIME = 256,
};

/* FUTEX_WAIT takes a relative time, FUTEX_WAIT_BITSET an absolute one. */
static int futex_deadline(unsigned operation, uaddr_t timeout, uint64_t *deadline)
{
    struct user_time time;
    uint64_t ns;
    bool relative = (operation & ~(unsigned)(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME)) == FUTEX_WAIT;
    if (relative || !timeout)
        return deadline_from_user(timeout, deadline);
    int error = copy_from_user(&time, timeout, sizeof(time));
    if (!error)
        error = user_time_to_ns(&time, &ns);
    bool date = operation & FUTEX_CLOCK_REALTIME;
    return error ? error : clock_to_ns(date ? CLOCK_REALTIME : CLOCK_MONOTONIC, ns, deadline);
}

static int64_t wait_for_word(uaddr_t word, unsigned operation, uint32_t expected, uaddr_t timeout,
                             uint32_t bitset)
{
    uint64_t deadline;
    int error = futex_deadline(operation, timeout, &deadline);
    return error ? error : futex_wait(word, expected, bitset, deadline);
}

static int64_t requeue(uaddr_t from, uaddr_t to, uint32_t wake, uint64_t move,
                       const uint32_t *expected)
{
    uint32_t value;
    if ((int32_t)wake < 0 || (int32_t)move < 0 || !IS_ALIGNED(to, sizeof(uint32_t)))
        return -EINVAL;
    int error = copy_from_user(&value, from, sizeof(value));
    if (error)
        return error;
    if (expected && value != *expected)
        return -EAGAIN;
    return futex_requeue(from, to, wake, (unsigned)move);
}

int64_t sys_futex(uaddr_t word, unsigned operation, uint32_t value, uint64_t timeout,
                  uaddr_t second_word, uint32_t value3)
{
    unsigned command = operation & ~(unsigned)(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME);
    if (!IS_ALIGNED(word, sizeof(uint32_t)))
        return -EINVAL;
    if (!user_range_ok(word, sizeof(uint32_t)))
        return -EFAULT;
    switch (command) {
    case FUTEX_WAIT:
        return wait_for_word(word, operation, value, timeout, FUTEX_ANY);
    case FUTEX_WAIT_BITSET:
        return wait_for_word(word, operation, value, timeout, value3);
    case FUTEX_WAKE:
        return futex_wake(word, value, FUTEX_ANY);
    case FUTEX_WAKE_BITSET:
        return value3 ? futex_wake(word, value, value3) : -EINVAL;
    case FUTEX_REQUEUE:
        return requeue(word, second_word, value, timeout, NULL);
    case FUTEX_CMP_REQUEUE:
        return requeue(word, second_word, value, timeout, &value3);
    case FUTEX_WAKE_OP:
        return futex_wake_op(word, second_word, value, (unsigned)timeout, value3);
    default:
        return -ENOSYS;
    }
}

int64_t sys_sched_yield(void)
{
    thread_yield("sched_yield");
    return 0;
}
