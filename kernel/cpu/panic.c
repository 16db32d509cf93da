/* SPDX-License-Identifier: BSD-2-Clause */
/* The end of the road: says what happened in words, then lets the last word to whoever set it. */
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/layout.h"
#include "kernel/cpu/internal.h"
#include "kernel/cpu/machine_check.h"
#include "kernel/cpu/thread.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/symbol.h"

#define BACKTRACE_MAX 20

/* user_copy.S: reads a word of kernel memory that may not be there. False if it is not. */
bool peek64(uint64_t address, uint64_t *out);

static void (*end)(void);
static unsigned depth;

static const char *const exception_names[] = {
    [0] = "divide error",         [1] = "debug trap",
    [3] = "breakpoint",           [4] = "overflow",
    [5] = "bound range",          [6] = "invalid opcode",
    [7] = "device not available", [8] = "double fault",
    [10] = "invalid TSS",         [11] = "segment not present",
    [12] = "stack fault",         [13] = "general protection fault",
    [14] = "page fault",          [16] = "x87 error",
    [17] = "alignment check",     [18] = "machine check",
    [19] = "SIMD error",          [20] = "virtualization exception",
    [21] = "control protection",
};

const char *trap_name(uint64_t vector)
{
    if (vector < ARRAY_SIZE(exception_names) && exception_names[vector])
        return exception_names[vector];
    return "trap";
}

void panic_set_end(void (*last)(void))
{
    end = last;
}

static void print_place(uint64_t address)
{
    uint64_t offset = 0;
    const char *name = symbol_find(address, &offset);

    log_error("  %016lx %s+0x%lx", address, name ? name : "?", offset);
}

static void print_backtrace(uint64_t rip, uint64_t rbp)
{
    uint64_t next, back;

    if (thread_point())
        log_error("the thread last let others in at: %s", thread_point());
    log_error("backtrace:");
    print_place(rip);
    for (unsigned i = 0; i < BACKTRACE_MAX && rbp; i++) {
        if (!peek64(rbp + 8, &back) || !peek64(rbp, &next))
            break;
        print_place(back);
        if (next <= rbp)
            break;
        rbp = next;
    }
}

static void print_registers(const struct trap_frame *f)
{
    log_error("rax %016lx rbx %016lx rcx %016lx rdx %016lx", f->rax, f->rbx, f->rcx, f->rdx);
    log_error("rsi %016lx rdi %016lx rbp %016lx rsp %016lx", f->rsi, f->rdi, f->rbp, f->rsp);
    log_error("r8  %016lx r9  %016lx r10 %016lx r11 %016lx", f->r8, f->r9, f->r10, f->r11);
    log_error("r12 %016lx r13 %016lx r14 %016lx r15 %016lx", f->r12, f->r13, f->r14, f->r15);
    log_error("rip %016lx flags %08lx cs %02lx ss %02lx error %lx", f->rip, f->rflags, f->cs, f->ss,
              f->error);
    log_error("cr0 %016lx cr2 %016lx cr3 %016lx cr4 %016lx", cr0_read(), cr2_read(), cr3_read(),
              cr4_read());
}

/* A panic inside the report of a panic ends at once, without another word about the first. */
static void enter_panic(void)
{
    __asm__ volatile("cli" : : : "memory");
    log_set_patient(true);
    if (depth++ < 2)
        return;
    cpu_halt_forever();
}

static _Noreturn void finish(void)
{
    if (end && depth == 1)
        end();
    log_error("halted");
    cpu_halt_forever();
}

/* Called from C, so the general registers say nothing; the backtrace tells where it stood. */
void panic(const char *fmt, ...)
{
    char message[256];
    va_list args;

    enter_panic();
    va_start(args, fmt);
    format_v(message, sizeof(message), fmt, args);
    va_end(args);
    log_error("KERNEL PANIC: %s", message);
    log_error("cr0 %016lx cr2 %016lx cr3 %016lx cr4 %016lx", cr0_read(), cr2_read(), cr3_read(),
              cr4_read());
    print_backtrace((uintptr_t)__builtin_return_address(0),
                    *(const uint64_t *)__builtin_frame_address(0));
    finish();
}

void panic_trap(const struct trap_frame *frame, uint64_t address)
{
    enter_panic();
    log_error("KERNEL PANIC: %s in %s, vector %lu, error 0x%lx, address 0x%lx",
              trap_name(frame->vector), frame->cs & 3 ? "user mode" : "the kernel", frame->vector,
              frame->error, address);
    if (frame->vector == VECTOR_MACHINE_CHECK)
        machine_check_tell();
    print_registers(frame);
    print_backtrace(frame->rip, frame->rbp);
    finish();
}
