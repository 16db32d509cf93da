/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads and the scheduler: one queue, first come first served, a time slice in user mode. */
#include "kernel/cpu/thread.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/fpu.h"
#include "kernel/cpu/layout.h"
#include "kernel/cpu/tables.h"
#include "kernel/cpu/timer.h"
#include "kernel/cpu/trap.h"
#include "kernel/cpu/internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/paging.h"

#define STACK_SIZE    (16 * KIB)
#define TIME_SLICE_NS (10 * NS_PER_MS)

enum thread_state {
    THREAD_NEW,
    THREAD_READY, /* in the run queue */
    THREAD_RUNNING,
    THREAD_SLEEPING,
    THREAD_DEAD,
};

struct thread {
    uint64_t rsp; /* while it is not running */
    enum thread_state state;
    struct list link; /* in the run queue */
    void *stack_top;
    struct cpu_space *space;
    void *fpu; /* the state while it is not running */
    void *fpu_memory;
    uint64_t fs_base;
    struct timer deadline;
    bool woken;        /* thread_wake() since the last sleep ended */
    uint8_t asked;     /* more than this it must hear to go on: enum thread_hears */
    uint8_t hears;     /* in this sleep: enum thread_hears */
    bool work;         /* user_ops.work is due */
    const char *point; /* where it sleeps or yielded */
    void *owner;
    void (*entry)(void *);
    void *argument;
};

/* switch.S */
void thread_switch(uint64_t *save_rsp, uint64_t load_rsp);
extern const char thread_begin[];
void idle_wait(void);
void thread_first_run(void);

/* The thread that kernel_main() runs in; it has the boot stack. */
static struct thread main_thread = {.state = THREAD_RUNNING};
static struct thread *current = &main_thread;
static struct cpu_space *active_space;
static struct thread *dead; /* ended, its stack still to be freed */
static struct list ready = LIST_INIT(ready);
static struct timer slice;
static uint64_t switches;
int64_t breath_left = BREATH_WORK;

struct thread *thread_current(void)
{
    return current;
}

const char *thread_point(void)
{
    return current->point;
}

uint64_t thread_switches(void)
{
    return switches;
}

/* The tick: asks the thread in user mode to step back, if another one is waiting. */
static void slice_over(struct timer *timer)
{
    if (!list_empty(&ready))
        user_return_work |= RETURN_RESCHEDULE;
}

/* The tick runs only while there is somebody to switch to. */
static void start_slice(void)
{
    if (list_empty(&ready))
        timer_cancel(&slice);
    else
        timer_set(&slice, time_ns() + TIME_SLICE_NS);
}

static void make_ready(struct thread *thread)
{
    thread->state = THREAD_READY;
    list_push_back(&ready, &thread->link);
    if (!timer_pending(&slice))
        start_slice();
}

static void deadline_passed(struct timer *timer)
{
    struct thread *thread = container_of(timer, struct thread, deadline);

    if (thread->state == THREAD_SLEEPING)
        make_ready(thread);
}

static void free_thread(struct thread *thread)
{
    if (thread->stack_top)
        stack_free(thread->stack_top, STACK_SIZE);
    kfree(thread->fpu_memory);
    kfree(thread);
}

static void free_dead(void)
{
    if (dead)
        free_thread(dead);
    dead = NULL;
}

/* What all threads have. False: out of memory. */
static bool init_thread(struct thread *thread)
{
    list_init(&thread->link);
    timer_init(&thread->deadline, deadline_passed);
    thread->fpu_memory = kzalloc(fpu_size() + FPU_ALIGN);
    thread->fpu = (void *)ALIGN_UP((uintptr_t)thread->fpu_memory, FPU_ALIGN);
    return thread->fpu_memory;
}

int threads_init(void)
{
    main_thread.stack_top = (void *)(uintptr_t)cpu_tss.rsp[0];
    timer_init(&slice, slice_over);
    return init_thread(&main_thread) ? 0 : -ENOMEM;
}

/* The stack as thread_switch() leaves it: six registers, then where to go on. */
static void prepare_stack(struct thread *thread)
{
    uint64_t *sp = thread->stack_top;

    *--sp = (uintptr_t)thread_begin;
    for (unsigned i = 0; i < 6; i++)
        *--sp = 0;
    thread->rsp = (uintptr_t)sp;
}

/* The child starts with the floating-point environment of its creator, as on Linux. */
int thread_create(struct thread **out, struct cpu_space *space, void (*entry)(void *),
                  void *argument)
{
    struct thread *thread = kzalloc(sizeof(*thread));

    if (!thread)
        return -ENOMEM;
    thread->space = space;
    thread->entry = entry;
    thread->argument = argument;
    thread->stack_top = stack_alloc(STACK_SIZE);
    if (!init_thread(thread) || !thread->stack_top) {
        free_thread(thread);
        return -ENOMEM;
    }
    fpu_save(thread->fpu);
    prepare_stack(thread);
    *out = thread;
    return 0;
}

void thread_start(struct thread *thread)
{
    ASSERT(thread->state == THREAD_NEW);
    make_ready(thread);
}

static void load_user_state(struct thread *thread)
{
    fpu_restore(thread->fpu);
    msr_write(MSR_FS_BASE, thread->fs_base);
    cpu_tss.rsp[0] = (uintptr_t)thread->stack_top;
    user_return_work = thread->work ? RETURN_WORK : 0;
    if (thread->space != active_space) {
        active_space = thread->space;
        cpu_space_activate(thread->space);
    }
}

static void switch_to(struct thread *next)
{
    struct thread *previous = current;

    next->state = THREAD_RUNNING;
    switches++;
    fpu_save(previous->fpu);
    current = next;
    load_user_state(next);
    thread_switch(&previous->rsp, next->rsp);
    free_dead(); /* on the stack of whoever runs now */
}

/* What could not be served when it came. */
static void catch_up(void)
{
    held_take();
    trap_tell_nmis();
}

/* Gives the CPU to the next thread that can run; returns when the caller's turn comes again. */
static void schedule(void)
{
    catch_up();
    while (list_empty(&ready)) {
        idle_wait();
        catch_up();
    }
    struct thread *next = list_first(&ready, struct thread, link);
    list_remove(&next->link);
    user_return_work &= ~(uint32_t)RETURN_RESCHEDULE;
    start_slice();
    if (next == current)
        current->state = THREAD_RUNNING;
    else
        switch_to(next);
}

void thread_first_run(void)
{
    free_dead();
    current->entry(current->argument);
    thread_exit();
}

void thread_exit(void)
{
    ASSERT(current != &main_thread);
    timer_cancel(&current->deadline);
    current->state = THREAD_DEAD;
    dead = current;
    schedule();
    panic("a dead thread ran again");
}

void thread_yield(const char *point)
{
    current->point = point;
    make_ready(current);
    schedule();
}

/* Is more asked of the thread than what whoever hears this much may pass over? */
static bool called(const struct thread *thread, enum thread_hears hears)
{
    return thread->asked > hears;
}

int thread_breathe_hearing(const char *point, enum thread_hears hears)
{
    __asm__ volatile("sti; nop; cli" : : : "memory");
    thread_yield(point);
    breath_left = BREATH_WORK;
    return called(current, hears) ? -EINTR : 0;
}

int thread_sleep_hearing(const char *point, uint64_t deadline_ns, enum thread_hears hears)
{
    current->point = point;
    if (!current->woken && !called(current, hears) && time_ns() < deadline_ns) {
        timer_set(&current->deadline, deadline_ns);
        current->hears = hears;
        current->state = THREAD_SLEEPING;
        schedule();
        timer_cancel(&current->deadline);
    }
    bool woken = current->woken;
    current->woken = false;
    if (woken)
        return 0;
    return called(current, hears) ? -EINTR : -ETIMEDOUT;
}

void thread_nap(const char *point, uint64_t ns)
{
    uint64_t deadline = time_ns() + ns;

    while (thread_sleep_hearing(point, deadline, HEARS_NOTHING) != -ETIMEDOUT)
        ;
}

void thread_wake(struct thread *thread)
{
    thread->woken = true;
    if (thread->state == THREAD_SLEEPING)
        make_ready(thread);
}

static void ask(struct thread *thread, uint8_t what)
{
    thread->asked = MAX(thread->asked, what);
    if (thread->state == THREAD_SLEEPING && called(thread, thread->hears))
        make_ready(thread);
}

void thread_interrupt(struct thread *thread)
{
    ask(thread, HEARS_SIGNALS + 1);
}

void thread_ask_end(struct thread *thread)
{
    ask(thread, HEARS_END + 1);
}

void thread_clear_interrupt(struct thread *thread)
{
    thread->asked = 0;
}

void user_request_work(struct thread *thread)
{
    thread->work = true;
    if (thread == current)
        user_return_work |= RETURN_WORK;
}

void thread_work_taken(void)
{
    current->work = false;
}

void thread_set_owner(struct thread *thread, void *owner)
{
    thread->owner = owner;
}

void *thread_owner(const struct thread *thread)
{
    return thread->owner;
}

/* Every way in from user mode leaves the registers at the top of the stack (trap.S). */
struct thread_view thread_look(const struct thread *thread)
{
    uint64_t top = (uintptr_t)thread->stack_top;

    return (struct thread_view){thread->fpu, (const void *)thread->rsp, top - thread->rsp,
                                (const struct trap_frame *)top - 1};
}

void thread_set_fs_base(struct thread *thread, uint64_t base)
{
    thread->fs_base = base;
    if (thread == current)
        msr_write(MSR_FS_BASE, base);
}

uint64_t thread_fs_base(const struct thread *thread)
{
    return thread->fs_base;
}
