/* SPDX-License-Identifier: BSD-2-Clause */
/* Sets of pending signals, and what is known about each signal by number. */
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "kernel/linux/signals/signal.h"

struct queued {
    struct list link;
    struct siginfo info;
};

static unsigned queued_count;

static const char *const names[] = {
    [1] = "SIGHUP",   [2] = "SIGINT",    [3] = "SIGQUIT",  [4] = "SIGILL",   [5] = "SIGTRAP",
    [6] = "SIGABRT",  [7] = "SIGBUS",    [8] = "SIGFPE",   [9] = "SIGKILL",  [10] = "SIGUSR1",
    [11] = "SIGSEGV", [12] = "SIGUSR2",  [13] = "SIGPIPE", [14] = "SIGALRM", [15] = "SIGTERM",
    [17] = "SIGCHLD", [18] = "SIGCONT",  [19] = "SIGSTOP", [20] = "SIGTSTP", [21] = "SIGTTIN",
    [22] = "SIGTTOU", [23] = "SIGURG",   [24] = "SIGXCPU", [25] = "SIGXFSZ", [26] = "SIGVTALRM",
    [27] = "SIGPROF", [28] = "SIGWINCH", [29] = "SIGIO",   [30] = "SIGPWR",  [31] = "SIGSYS",
};

const char *signal_name(int number)
{
    bool known = number > 0 && (size_t)number < ARRAY_SIZE(names) && names[number];
    return known                                               ? names[number]
           : number >= SIGNAL_RT_FIRST && number <= SIGNAL_MAX ? "SIGRT"
                                                               : "SIG?";
}

/* Stop signals do nothing either: there is nobody who could make the payload go on. */
bool signal_default_ends(int number)
{
    const uint64_t harmless = SIGNAL_BIT(SIG_CHLD) | SIGNAL_BIT(SIG_CONT) | SIGNAL_BIT(SIG_STOP) |
                              SIGNAL_BIT(SIG_TSTP) | SIGNAL_BIT(SIG_TTIN) | SIGNAL_BIT(SIG_TTOU) |
                              SIGNAL_BIT(SIG_URG) | SIGNAL_BIT(SIG_WINCH);
    return !(SIGNAL_BIT(number) & harmless);
}

void pending_init(struct pending *pending)
{
    pending->set = 0;
    list_init(&pending->queue);
}

static void queued_free(struct queued *queued)
{
    list_remove(&queued->link);
    kfree(queued);
    queued_count--;
}

void pending_drop(struct pending *pending, uint64_t set)
{
    struct queued *queued, *next;
    list_for_each_entry_safe (queued, next, &pending->queue, link) {
        if (set & SIGNAL_BIT(queued->info.number))
            queued_free(queued);
    }
    pending->set &= ~set;
}

void pending_clear(struct pending *pending)
{
    pending_drop(pending, ~UINT64_C(0));
}

int pending_add(struct pending *pending, const struct siginfo *info)
{
    bool classic = info->number < SIGNAL_RT_FIRST;
    if (classic && (pending->set & SIGNAL_BIT(info->number)))
        return 0;
    struct queued *queued = queued_count < SIGNAL_QUEUE ? kmalloc(sizeof(*queued)) : NULL;
    if (!queued && !classic)
        return -EAGAIN;
    if (queued) {
        queued->info = *info;
        list_push_back(&pending->queue, &queued->link);
        queued_count++;
    }
    /* A classic signal is never lost: without an entry it is taken with a bare siginfo. */
    pending->set |= SIGNAL_BIT(info->number);
    return 0;
}

static bool pending_has_entry(const struct pending *pending, int number)
{
    const struct queued *queued;
    list_for_each_entry (queued, &pending->queue, link) {
        if (queued->info.number == number)
            return true;
    }
    return false;
}

int pending_take(struct pending *pending, uint64_t allowed, struct siginfo *out)
{
    uint64_t ready = pending->set & allowed;
    if (ready & SIGNALS_FAULT)
        ready &= SIGNALS_FAULT;
    if (!ready)
        return 0;
    int number = __builtin_ctzll(ready) + 1;
    memset(out, 0, sizeof(*out));
    out->number = number;
    struct queued *queued, *next;
    list_for_each_entry_safe (queued, next, &pending->queue, link) {
        if (queued->info.number != number)
            continue;
        *out = queued->info;
        queued_free(queued);
        break;
    }
    if (!pending_has_entry(pending, number))
        pending->set &= ~SIGNAL_BIT(number);
    return number;
}
