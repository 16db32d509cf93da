/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals of the payload to itself (signal(7)): faults, alarms, kill and tgkill. Actions belong to
 * the payload, masks to threads, pending signals to either.
 */
#ifndef KERNEL_LINUX_SIGNALS_SIGNAL_H
#define KERNEL_LINUX_SIGNALS_SIGNAL_H

#include "kernel/lib/list.h"
#include "kernel/lib/types.h"

#define SIGNAL_MAX      64
#define SIGNAL_RT_FIRST 32  /* from here on every signal sent is queued */
#define SIGNAL_QUEUE    256 /* queued real-time signals, all together */

enum signal_number {
    SIG_HUP = 1,
    SIG_INT = 2,
    SIG_QUIT = 3,
    SIG_ILL = 4,
    SIG_TRAP = 5,
    SIG_ABRT = 6,
    SIG_BUS = 7,
    SIG_FPE = 8,
    SIG_KILL = 9,
    SIG_SEGV = 11,
    SIG_PIPE = 13,
    SIG_ALRM = 14,
    SIG_TERM = 15,
    SIG_CHLD = 17,
    SIG_CONT = 18,
    SIG_STOP = 19,
    SIG_TSTP = 20,
    SIG_TTIN = 21,
    SIG_TTOU = 22,
    SIG_URG = 23,
    SIG_WINCH = 28,
};

/* si_code values. */
enum signal_code {
    CODE_USER = 0,
    CODE_KERNEL = 0x80,
    CODE_QUEUE = -1,
    CODE_TIMER = -2,
    CODE_TKILL = -6,
    CODE_ILL_OPCODE = 1,
    CODE_FPE_INTDIV = 1,
    CODE_FPE_INTOVF = 2,
    CODE_FPE_FLTINV = 7,
    CODE_SEGV_MAPERR = 1,
    CODE_SEGV_ACCERR = 2,
    CODE_BUS_ADRALN = 1,
    CODE_BUS_ADRERR = 2,
    CODE_TRAP_BRKPT = 1,
    CODE_TRAP_TRACE = 2,
};

/* siginfo_t of the interface: 128 bytes, of which those from `field` depend on the code. */
struct siginfo {
    int32_t number;
    int32_t error;
    int32_t code;
    int32_t padding;
    union {
        uint64_t address; /* faults */
        struct {
            int32_t pid;
            uint32_t uid;
            uint64_t value;
        } sender;
        uint8_t bytes[112];
    };
};
_Static_assert(sizeof(struct siginfo) == 128, "layout of the Linux interface");

/* struct sigaction of the kernel interface (rt_sigaction(2)). */
struct sigaction {
    uaddr_t handler; /* 0 default, 1 ignore */
    uint64_t flags;
    uaddr_t restorer;
    uint64_t mask;
};
_Static_assert(sizeof(struct sigaction) == 32, "layout of the Linux interface");

enum sigaction_flags {
    ACTION_SIGINFO = 4,
    ACTION_RESTORER = 0x04000000,
    ACTION_ONSTACK = 0x08000000,
    ACTION_RESTART = 0x10000000,
    ACTION_NODEFER = 0x40000000,
    ACTION_RESETHAND = 0x80000000,
};

#define HANDLER_DEFAULT 0
#define HANDLER_IGNORE  1

/* stack_t of the interface. */
struct sigaltstack {
    uaddr_t base;
    uint32_t flags;
    uint32_t padding;
    uint64_t size;
};
_Static_assert(sizeof(struct sigaltstack) == 24, "layout of the Linux interface");

enum sigaltstack_flags {
    ALTSTACK_ON = 1,
    ALTSTACK_DISABLE = 2,
    ALTSTACK_AUTODISARM = 0x80000000,
};

/* The mask bit of a signal, 1 to SIGNAL_MAX. */
#define SIGNAL_BIT(number) BIT(-1 + (number))
/* What cannot be caught, blocked or ignored. */
#define SIGNALS_HARD (SIGNAL_BIT(SIG_KILL) | SIGNAL_BIT(SIG_STOP))
/* By which somebody asks for the end, who does not ask how the payload stood then. */
#define SIGNALS_ASKED (SIGNAL_BIT(SIG_HUP) | SIGNAL_BIT(SIG_INT) | SIGNAL_BIT(SIG_TERM))
/* What an instruction causes; taken before anything else. */
#define SIGNALS_FAULT                                                                              \
    (SIGNAL_BIT(SIG_SEGV) | SIGNAL_BIT(SIG_BUS) | SIGNAL_BIT(SIG_FPE) | SIGNAL_BIT(SIG_ILL) |      \
     SIGNAL_BIT(SIG_TRAP))

/* Signals waiting to be taken. Classic ones are kept once each, real-time ones are queued. */
struct pending {
    uint64_t set;
    struct list queue; /* struct queued, in the order sent */
};

void pending_init(struct pending *pending);
/* Drops everything. */
void pending_clear(struct pending *pending);
/* -EAGAIN when a real-time signal finds the queue full; a classic one always fits or is there. */
int pending_add(struct pending *pending, const struct siginfo *info);
/* Takes the next signal that is in `allowed`, faults first, then by number; 0: there is none. */
int pending_take(struct pending *pending, uint64_t allowed, struct siginfo *out);
/* Drops every instance of the signals in `set`. */
void pending_drop(struct pending *pending, uint64_t set);

/* What happens by default: is it to end the payload, or nothing? */
bool signal_default_ends(int number);
/* Does nothing happen, by default or by the payload's wish? */
bool action_ignores(int number);
/* "SIGSEGV"; "SIG?" if there is no such number. */
const char *signal_name(int number);

struct task;

/* A signal for one thread, or for whichever thread takes it. 0 or -EAGAIN. */
int signal_send_task(struct task *task, const struct siginfo *info);
int signal_send(const struct siginfo *info);
/*
 * A fault of the current thread: its handler runs even if it was blocked or ignored by mistake;
 * without one the payload ends.
 */
void signal_force(const struct siginfo *info);
/* pending_take() of the thread's own signals, then of those for whichever thread. */
int signal_take(struct task *task, uint64_t set, struct siginfo *info);
/* A signal has come: who waits for one at a signalfd looks again. Safe in an interrupt handler. */
void signal_fd_wake(void);
/* Has this thread a signal it would take now? */
bool signal_deliverable(const struct task *task);
/*
 * For a thread that wants fewer signals than before, or is gone: what was sent to whoever takes it,
 * and counted on this one, is told to others.
 */
void signal_pass_on(void);
/* Replaces the mask, and looks whether that lets a signal through. */
void signal_set_mask(struct task *task, uint64_t mask);

#endif
