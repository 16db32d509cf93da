/* SPDX-License-Identifier: BSD-2-Clause */
/* The life of a thread of the payload. */
#include "kernel/linux/threads/task.h"
#include "kernel/cpu/user.h"
#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "kernel/linux/threads/futex.h"
#include "kernel/linux/memory/space.h"
#include "kernel/linux/proc/nodes.h"
#include "kernel/machine/console/trace.h"

struct payload payload;

static void task_begin(void *argument)
{
    struct task *task = argument;
    struct trap_frame start = task->start;
    thread_enter_user(&start);
}

int task_create(const struct trap_frame *start, struct task **out)
{
    if (payload.task_count >= TASKS_MAX)
        return -EAGAIN;
    struct task *task = kzalloc(sizeof(*task));
    if (!task)
        return -ENOMEM;
    int error = thread_create(&task->thread, space_cpu(payload.space), task_begin, task);
    if (error) {
        kfree(task);
        return error;
    }
    task->start = *start;
    task->id = ++payload.last_id;
    pending_init(&task->pending);
    task->altstack.flags = ALTSTACK_DISABLE;
    task->slack = TIMER_SLACK;
    thread_set_owner(task->thread, task);
    list_push_back(&payload.tasks, &task->link);
    payload.task_count++;
    *out = task;
    return 0;
}

static void task_free(struct task *task)
{
    list_remove(&task->link);
    nodes_remove_task(task->id);
    payload.task_count--;
    pending_clear(&task->pending);
    kfree(task);
}

struct task *task_find(int id)
{
    struct task *task;
    list_for_each_entry (task, &payload.tasks, link) {
        if (task->id == id)
            return task;
    }
    return NULL;
}

static void wait_while_held(void)
{
    struct waiter waiter;
    waiter_init_thread(&waiter);
    wait_add(&payload.ended, &waiter);
    while (payload.held)
        (void)thread_sleep_hearing("end", UINT64_MAX, HEARS_NOTHING);
    wait_remove(&waiter);
}

_Noreturn void task_exit(int status)
{
    struct task *task = task_current();

    TRACE(TRACE_CALLS, TRACE_THREAD_EXIT, task->id, payload.ending ? payload.exit.signal : 0,
          (uint64_t)(payload.ending ? payload.exit.status : status & 0xff));
    if (!payload.ending) {
        futex_exit_robust(task);
        if (task->clear_id) {
            clear_user(task->clear_id, sizeof(uint32_t));
            futex_wake(task->clear_id, 1, FUTEX_ANY);
        }
    }
    wait_while_held();
    thread_set_owner(task->thread, NULL);
    task_free(task);
    signal_pass_on();
    if (payload.task_count == 0) {
        if (!payload.ending)
            payload.exit = (struct payload_exit){.status = status & 0xff};
        payload.ending = true;
        waitq_wake(&payload.ended);
    }
    thread_exit();
}

void payload_end(struct payload_exit result)
{
    if (payload.ending)
        return;
    payload.ending = true;
    payload.exit = result;
    payload.held =
        result.signal && payload.crash_limit && !(SIGNAL_BIT(result.signal) & SIGNALS_ASKED);
    struct task *task;
    list_for_each_entry (task, &payload.tasks, link)
        user_request_work(task->thread);
    if (payload.held)
        waitq_wake(&payload.ended);
    else
        payload_let_go();
}

void payload_let_go(void)
{
    struct task *task;
    payload.held = false;
    list_for_each_entry (task, &payload.tasks, link)
        thread_ask_end(task->thread);
    waitq_wake(&payload.ended);
}
