/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/linux/program/crash.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/trap.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"
#include "kernel/linux/memory/space.h"
#include "kernel/linux/threads/task.h"
#include "kernel/machine/console/stream.h"

#define LEGACY_SIZE 512    /* of a floating-point state: what FXSAVE stores */
#define FAULT_WRITE BIT(1) /* in a page fault's error code */
#define FAULT_FETCH BIT(4)

static const char *const reasons[] = {
    [SPACE_UNMAPPED] = "nothing is mapped there",
    [SPACE_FORBIDDEN] = "the mapping does not allow it",
    [SPACE_GONE] = "the file or device behind it is gone or too short",
};

/* What ended the payload, and which of its threads took it; 0: none. Sent as it is. */
static struct {
    struct siginfo info;
    int32_t thread;
} __attribute__((packed)) last;

static void describe(const struct task *task, const struct siginfo *info, struct text *out)
{
    const uint64_t page_fault = 14, error = task->fault_error;
    const char *access = error & FAULT_FETCH   ? "jump to"
                         : error & FAULT_WRITE ? "write to"
                                               : "read of";
    if (!(SIGNAL_BIT(info->number) & SIGNALS_FAULT) || info->code <= 0)
        text_printf(out, "sent by %s", info->code == CODE_KERNEL ? "the kernel" : "itself");
    else if (task->fault_vector == page_fault)
        text_printf(out, "%s 0x%lx: %s", access, task->fault_address,
                    reasons[space_explain(payload.space, task->fault_address, error)]);
    else
        text_printf(out, "%s", trap_name(task->fault_vector));
}

static void print_registers(const struct task *task, const struct trap_frame *f)
{
    log_error("payload: rip %016lx rsp %016lx rflags %08lx fs %016lx", f->rip, f->rsp, f->rflags,
              thread_fs_base(task->thread));
    log_error("payload: rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx,
              f->rdx);
    log_error("payload: rsi %016lx rdi %016lx rbp %016lx r8  %016lx", f->rsi, f->rdi, f->rbp,
              f->r8);
    log_error("payload: r9  %016lx r10 %016lx r11 %016lx r12 %016lx", f->r9, f->r10, f->r11,
              f->r12);
    log_error("payload: r13 %016lx r14 %016lx r15 %016lx", f->r13, f->r14, f->r15);
}

struct payload_exit crash_report(const struct task *task, const struct trap_frame *f,
                                 const struct siginfo *info)
{
    static char buffer[160];
    struct text cause;
    text_init(&cause, buffer, sizeof(buffer));
    describe(task, info, &cause);
    if (!(SIGNAL_BIT(info->number) & SIGNALS_ASKED))
        print_registers(task, f);
    last.info = *info;
    last.thread = task->id;
    log_error("payload: ended by %s: %s (signal %d, thread %d (%s), rip 0x%lx)",
              signal_name(info->number), buffer, info->number, task->id, task->name, f->rip);
    return (struct payload_exit){128 + info->number, info->number, buffer, true, f->rip};
}

struct payload_exit crash_report_kill(int signal, const char *cause)
{
    last.info = (struct siginfo){.number = signal, .code = CODE_KERNEL};
    last.thread = 0;
    log_error("payload: ended by %s: %s", signal_name(signal), cause);
    return (struct payload_exit){128 + signal, signal, cause, false, 0};
}

/* One thread, sent as it is; what is on its kernel stack follows. */
struct crash_thread {
    int32_t id;
    uint32_t stack_used;
    char name[TASK_NAME_MAX];
    uint64_t mask;
    uint64_t fs_base;
    uint8_t fpu[LEGACY_SIZE];
};

static void send_thread(const struct task *task, const struct thread_view *view)
{
    struct crash_thread out = {.id = task->id,
                               .stack_used = (uint32_t)view->stack_used,
                               .mask = task->mask,
                               .fs_base = thread_fs_base(task->thread)};
    memcpy(out.name, task->name, sizeof(out.name));
    memcpy(out.fpu, view->fpu, sizeof(out.fpu));
    stream_record(STREAM_CRASH_THREAD, &out, sizeof(out));
    stream_send_memory(STREAM_CRASH_STACK, (uintptr_t)view->stack, view->stack, view->stack_used);
}

/* A thread may still go to its end inside the kernel, so its stack is what it was when looked at.
 */
void crash_send(uint64_t limit)
{
    static uaddr_t stacks[TASKS_MAX];
    const struct task *task;
    size_t count = 0;
    stream_record(STREAM_CRASH, &last, sizeof(last));
    list_for_each_entry (task, &payload.tasks, link) {
        struct thread_view view = thread_look(task->thread);
        stacks[count++] = view.user->rsp;
        send_thread(task, &view);
    }
    space_send(payload.space, stacks, count, limit);
}
