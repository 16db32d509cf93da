/* SPDX-License-Identifier: BSD-2-Clause */
/* Start and end of the payload. */
#include "kernel/linux/program/payload.h"
#include "kernel/machine/config/config.h"
#include "kernel/machine/console/stream.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/cpu/trap.h"
#include "kernel/file/console.h"
#include "kernel/file/fdtable.h"
#include "kernel/file/open.h"
#include "kernel/file/path.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/linux/calls/alarm.h"
#include "kernel/linux/program/archive.h"
#include "kernel/linux/calls/clock.h"
#include "kernel/linux/program/crash.h"
#include "kernel/linux/program/load.h"
#include "kernel/linux/program/out.h"
#include "kernel/linux/calls/random.h"
#include "kernel/linux/proc/nodes.h"
#include "kernel/linux/memory/space.h"
#include "kernel/linux/calls/syscall.h"
#include "kernel/linux/calls/trace.h"
#include "kernel/linux/threads/task.h"
#include "kernel/machine/console/trace.h"

#define STACK_LIMIT (8 * MIB)

static struct ioas_account account;
static struct ioas_user user;

/* user_ops.page_fault */
static bool page_fault(uaddr_t address, uint64_t error)
{
    const struct task *task = task_current(); /* none while the program is loaded */
    bool served = space_fault(payload.space, address, error);

    TRACE(TRACE_FAULTS, TRACE_PAGE_FAULT, task ? task->id : 0, served, address, error);
    return served;
}

static struct user_ops ops = {
    .syscall = syscall_dispatch,
    .exception = task_exception,
    .page_fault = page_fault,
    .work = task_work,
};

static void init_limits(uint64_t memlock)
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++)
        payload.limits[i] = (struct limit){LIMIT_INFINITY, LIMIT_INFINITY};
    payload.limits[LIMIT_STACK].soft = STACK_LIMIT;
    payload.limits[LIMIT_CORE] = (struct limit){0, 0};
    payload.limits[LIMIT_NPROC] = (struct limit){TASKS_MAX, TASKS_MAX};
    payload.limits[LIMIT_NOFILE] = (struct limit){FD_LIMIT_DEFAULT, FD_LIMIT_MAX};
    payload.limits[LIMIT_MEMLOCK] = (struct limit){memlock, memlock};
    payload.limits[LIMIT_SIGPENDING] = (struct limit){SIGNAL_QUEUE, SIGNAL_QUEUE};
    payload.limits[LIMIT_MSGQUEUE] = (struct limit){0, 0};
    payload.limits[LIMIT_NICE] = (struct limit){0, 0};
    payload.limits[LIMIT_RTPRIO] = (struct limit){0, 0};
}

static void init_state(const struct config *config)
{
    memset(&payload, 0, sizeof(payload));
    list_init(&payload.tasks);
    waitq_init(&payload.ended);
    pending_init(&payload.pending);
    payload.directory = node_get(node_root());
    payload.umask = 022;
    payload.out_limit = stream_is_open() ? config->out_limit : 0;
    payload.crash_limit = stream_is_open() ? config->crash_limit : 0;
    payload.dumpable = true;
    init_limits(config->memlock);
    account = (struct ioas_account){.limit = config->memlock};
    alarm_reset();
    syscall_reset();
    fd_table_init();
}

static void signal_from_host(int number)
{
    const struct siginfo info = {.number = number, .code = CODE_KERNEL};
    if (number != SIG_KILL && payload.task_count > 0) /* between two lives nobody takes it */
        signal_send(&info);
    else if (number == SIG_KILL)
        (void)payload_kill(number, "the host asked for it");
}

/* Descriptors 0, 1 and 2. */
static int open_console(const struct config *config)
{
    struct place place;
    int error = path_walk(node_root(), "/dev/console", 0, &place);
    console_begin(config, signal_from_host);
    for (int fd = 0; error >= 0 && fd < 3; fd++) {
        struct file *file;
        error = node_open(place.node, console_flags(fd), &file);
        if (!error)
            error = fd_install(file, false);
    }
    return error < 0 ? error : 0;
}

/* A thread is called like its program's file, as far as the name fits. */
static void name_after(struct task *task, const char *path)
{
    const char *name = path;
    for (const char *slash; (slash = strchr(name, '/')) && slash[1];)
        name = slash + 1;
    memcpy(task->name, name, MIN(strlen(name), sizeof(task->name) - 1));
}

static int start_program(const void *program, uint64_t size, const struct config *config,
                         struct refusal *why)
{
    struct trap_frame start;
    struct task *task;
    cpu_space_activate(space_cpu(payload.space));
    int error = program_load(payload.space, program, size, config, payload.limits[LIMIT_STACK].soft,
                             &start, why);
    cpu_space_activate(NULL);
    if (error)
        return error;
    if (open_console(config) || task_create(&start, &task))
        return refuse(why, -ENOMEM, "not enough memory for the payload's first thread");
    name_after(task, config->payload_name ? config->payload_name : "payload.elf");
    return 0;
}

/* Everything but the threads, which are gone or never were. */
void payload_take_apart(void)
{
    alarm_reset();
    fd_close_all();
    node_put(payload.directory);
    payload.directory = NULL;
    pending_clear(&payload.pending);
    if (payload.space)
        space_destroy(payload.space);
    payload.space = NULL;
    if (payload.out_limit) /* devices are silent now, whatever is in the files stays */
        out_send(payload.out_limit);
    nodes_remove();
    heap_trim(); /* so that the report's frame counts are exact */
    if (account.used)
        log_error("payload: %lu bytes are still charged as pinned", account.used);
}

int payload_load(const void *archive, uint64_t size, const struct config *config,
                 struct refusal *why)
{
    const void *program;
    uint64_t program_size;
    clock_init();
    random_init();
    init_state(config);
    if (trace_classes & TRACE_CALLS)
        ops.syscall = trace_call;
    user_set_ops(&ops);
    int error = nodes_add();
    if (error)
        refuse(why, error, "not enough memory for the payload's files");
    if (!error)
        error = archive_unpack(archive, size, &program, &program_size, why);
    if (!error && space_create(&account, &payload.space))
        error = refuse(why, -ENOMEM, "not enough memory for the payload's address space");
    if (!error) {
        user = (struct ioas_user){.memory = space_source(payload.space), .account = &account};
        error = start_program(program, program_size, config, why);
    }
    if (error)
        payload_take_apart();
    return error;
}

const struct ioas_user *payload_user(void)
{
    return &user;
}

struct payload_exit payload_run(void)
{
    struct waiter waiter;
    struct task *first = list_first(&payload.tasks, struct task, link);
    ASSERT(payload.task_count == 1);
    payload.start_ns = time_ns();
    waiter_init_thread(&waiter);
    wait_add(&payload.ended, &waiter);
    thread_start(first->thread);
    while (payload.task_count > 0) {
        if (payload.held) {
            crash_send(payload.crash_limit);
            payload_let_go();
        }
        thread_sleep("payload", TIME_NEVER);
    }
    wait_remove(&waiter);
    return payload.exit;
}

bool payload_kill(int signal, const char *reason)
{
    if (payload.ending || payload.task_count == 0)
        return false;
    payload_end(crash_report_kill(signal, reason));
    return true;
}
