/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The signal frame of the Linux x86-64 interface: return address, ucontext, siginfo, and above them
 * the vector state in XSAVE layout with the marks that tell its size.
 */
#include "kernel/cpu/fpu.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/linux/threads/task.h"

#define RED_ZONE        128 /* below the stack pointer, the program's own (System V ABI) */
#define FPU_AREA_MAX    4096
#define FXSAVE_SIZE     512
#define MARKS_OFFSET    464 /* in the bytes FXSAVE leaves to software */
#define MXCSR_OFFSET    24
#define FEATURES_OFFSET 512 /* XSTATE_BV */
#define INITIAL_FCW     0x37f
#define INITIAL_MXCSR   0x1f80
#define FEATURES_LEGACY 3 /* x87 and SSE */
#define MAGIC_FIRST     0x46505853
#define MAGIC_LAST      0x46505845

struct signal_registers {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, rflags;
    uint16_t cs, gs, fs, ss;
    uint64_t error, vector, old_mask, address;
    uaddr_t fpu;
    uint64_t reserved[8];
};
_Static_assert(sizeof(struct signal_registers) == 256, "layout of the Linux interface");

struct signal_frame {
    uaddr_t return_address;
    uint64_t flags;
    uaddr_t link;
    struct sigaltstack stack;
    struct signal_registers registers;
    uint64_t mask;
    struct siginfo info;
};
_Static_assert(sizeof(struct signal_frame) == 8 + 304 + 128, "layout of the Linux interface");

enum frame_flags {
    FRAME_XSTATE = 1, /* the vector state carries the marks */
    FRAME_SS = 2,     /* ss is saved */
    FRAME_STRICT_SS = 4,
};

struct fpu_marks {
    uint32_t magic;
    uint32_t extended_size; /* state and closing magic */
    uint64_t features;
    uint32_t size;
    uint32_t padding[7];
};
_Static_assert(sizeof(struct fpu_marks) == FXSAVE_SIZE - MARKS_OFFSET, "fills the software bytes");

/* Used between two sleep points only, so one is enough. */
static uint8_t area[FPU_AREA_MAX] __attribute__((aligned(FPU_ALIGN)));

static bool has_xsave(void)
{
    return fpu_components() != 0;
}

bool on_altstack(const struct task *task, uaddr_t sp)
{
    return !(task->altstack.flags & ALTSTACK_DISABLE) && sp > task->altstack.base &&
           sp - task->altstack.base <= task->altstack.size;
}

/* Where the frame's top may be. */
static uaddr_t choose_stack(const struct task *task, const struct trap_frame *frame,
                            const struct sigaction *action)
{
    bool usable = !(task->altstack.flags & ALTSTACK_DISABLE) && task->altstack.size;
    if ((action->flags & ACTION_ONSTACK) && usable && !on_altstack(task, frame->rsp))
        return task->altstack.base + task->altstack.size;
    return frame->rsp - RED_ZONE;
}

/*
 * What a handler finds, and its return brings back: of rflags kernel/cpu admits only a program's
 * own bits.
 */
/* clang-format off */
#define EACH_REGISTER(DO)                                                                          \
    DO(r8) DO(r9) DO(r10) DO(r11) DO(r12) DO(r13) DO(r14) DO(r15) DO(rdi) DO(rsi) DO(rbp) DO(rbx)  \
    DO(rdx) DO(rax) DO(rcx) DO(rsp) DO(rip) DO(rflags)
/* clang-format on */

#define SAVE(name) r->name = f->name;
static void save_registers(const struct task *task, const struct trap_frame *f,
                           struct signal_registers *r)
{
    *r = (struct signal_registers){
        .cs = (uint16_t)f->cs,
        .ss = (uint16_t)f->ss,
        .error = task->fault_error,
        .vector = task->fault_vector,
        .old_mask = task->mask,
        .address = task->fault_address,
    };
    EACH_REGISTER(SAVE)
}

static int push_fpu(uaddr_t to)
{
    size_t size = fpu_size();
    ASSERT(size <= sizeof(area));
    memset(area, 0, size);
    fpu_save(area);
    struct fpu_marks marks = {.magic = MAGIC_FIRST, .size = (uint32_t)size};
    if (has_xsave()) {
        marks.extended_size = (uint32_t)(size + sizeof(uint32_t));
        marks.features = fpu_components();
        memcpy(area + MARKS_OFFSET, &marks, sizeof(marks));
    }
    int error = copy_to_user(to, area, size);
    if (!error && has_xsave())
        error = copy_to_user(to + size, &(uint32_t){MAGIC_LAST}, sizeof(uint32_t));
    return error;
}

int signal_frame_push(struct task *task, struct trap_frame *frame, const struct sigaction *action,
                      const struct siginfo *info, uint64_t mask)
{
    /* Without a restorer there is no way back (Linux refuses it on x86-64 too). */
    if (!(action->flags & ACTION_RESTORER))
        return -EFAULT;
    uaddr_t top = choose_stack(task, frame, action);
    uaddr_t fpu = ALIGN_DOWN(top - fpu_size() - sizeof(uint32_t), FPU_ALIGN);
    /* At a function's entry the stack is 8 off a multiple of 16. */
    uaddr_t at = ALIGN_DOWN(fpu - sizeof(struct signal_frame), 16) - 8;
    struct signal_frame out = {
        .return_address = action->restorer,
        .flags = FRAME_SS | FRAME_STRICT_SS | (has_xsave() ? FRAME_XSTATE : 0u),
        .stack = task->altstack,
        .mask = mask,
        .info = *info,
    };
    save_registers(task, frame, &out.registers);
    out.registers.fpu = fpu;
    int error = push_fpu(fpu);
    if (!error)
        error = copy_to_user(at, &out, sizeof(out));
    if (error)
        return error;

    if (task->altstack.flags & ALTSTACK_AUTODISARM)
        task->altstack = (struct sigaltstack){.flags = ALTSTACK_DISABLE};
    frame->rip = action->handler;
    frame->rsp = at;
    frame->rax = 0;
    frame->rdi = (uint64_t)info->number;
    frame->rsi = at + offsetof(struct signal_frame, info);
    frame->rdx = at + offsetof(struct signal_frame, flags);
    frame->rflags = 0; /* a handler starts with a clear direction flag */
    return 0;
}

/* A state of which only the legacy part, or nothing, is given. */
static void default_fpu(void)
{
    memset(area, 0, sizeof(area));
    memcpy(area, &(uint16_t){INITIAL_FCW}, sizeof(uint16_t));
    memcpy(area + MXCSR_OFFSET, &(uint32_t){INITIAL_MXCSR}, sizeof(uint32_t));
}

static bool has_marks(uaddr_t from)
{
    struct fpu_marks marks;
    uint32_t last;
    memcpy(&marks, area + MARKS_OFFSET, sizeof(marks));
    return has_xsave() && marks.magic == MAGIC_FIRST && marks.size == fpu_size() &&
           copy_from_user(&last, from + marks.size, sizeof(last)) == 0 && last == MAGIC_LAST;
}

static int pop_fpu(uaddr_t from)
{
    default_fpu();
    if (from && copy_from_user(area, from, FXSAVE_SIZE))
        return -EFAULT;
    if (from && has_marks(from)) {
        if (copy_from_user(area, from, fpu_size()))
            return -EFAULT;
    } else if (from && has_xsave()) {
        memcpy(area + FEATURES_OFFSET, &(uint64_t){FEATURES_LEGACY}, sizeof(uint64_t));
    }
    return fpu_restore_untrusted(area) ? -EFAULT : 0;
}

#define LOAD(name) f->name = r->name;
static void load_registers(const struct signal_registers *r, struct trap_frame *f)
{
    EACH_REGISTER(LOAD)
}

int signal_frame_pop(struct task *task, struct trap_frame *frame, uint64_t *mask)
{
    struct signal_frame in;
    /* The handler's return took the return address off. */
    uaddr_t at = frame->rsp - sizeof(in.return_address);
    if (copy_from_user(&in, at, sizeof(in)))
        return -EFAULT;
    if (pop_fpu(in.registers.fpu))
        return -EFAULT;
    load_registers(&in.registers, frame);
    *mask = in.mask;
    if (in.stack.flags & ALTSTACK_AUTODISARM)
        task->altstack = in.stack;
    return 0;
}
