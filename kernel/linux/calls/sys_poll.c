/* SPDX-License-Identifier: BSD-2-Clause */
/* poll(2), select(2), epoll(7). */
#include "kernel/cpu/user.h"
#include "kernel/file/epoll.h"
#include "kernel/file/fdtable.h"
#include "kernel/file/poll.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "kernel/linux/calls/syscall_table.h"
#include "kernel/linux/calls/clock.h"
#include "kernel/linux/threads/task.h"

#define MASK_SIZE         8 /* bytes of a signal set */
#define SELECT_IN         (POLL_RDNORM | POLL_IN | POLL_HUP | POLL_ERR)
#define SELECT_OUT        (POLL_WRNORM | POLL_OUT | POLL_ERR)
#define SELECT_EXCEPT     POLL_PRI
#define EPOLL_EVENTS_MAX  1024 /* returned at once */
#define EPOLL_COUNT_LIMIT (INT32_MAX / (int)sizeof(struct epoll_event))

/* struct pollfd of the interface. */
struct poll_fd {
    int32_t fd;
    int16_t events;
    int16_t ready;
};

static void put_entries(struct poll_entry *entries, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        file_put(entries[i].file);
    kfree(entries);
}

static void get_entries(struct poll_entry *entries, const struct poll_fd *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        entries[i].events = (uint16_t)fds[i].events;
        entries[i].file = fd_get(fds[i].fd);
        if (!entries[i].file && fds[i].fd >= 0)
            entries[i].ready = POLL_NVAL;
    }
}

static int64_t put_results(uaddr_t to, const struct poll_entry *entries, struct poll_fd *fds,
                           unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        fds[i].ready = (int16_t)entries[i].ready;
    return copy_to_user(to, fds, count * sizeof(*fds));
}

static int64_t poll_until(uaddr_t from, unsigned count, uint64_t deadline)
{
    if (count > fd_limit())
        return -EINVAL;
    size_t size = count * sizeof(struct poll_fd);
    struct poll_fd *fds = kmalloc(MAX(size, 1));
    struct poll_entry *entries = kcalloc(MAX(count, 1u), sizeof(*entries));
    int64_t result = fds && entries ? copy_from_user(fds, from, size) : -ENOMEM;
    if (!result) {
        get_entries(entries, fds, count);
        result = poll_entries(entries, count, deadline);
        if (result >= 0) {
            int64_t error = put_results(from, entries, fds, count);
            result = error ? error : result;
        }
    }
    if (entries)
        put_entries(entries, count);
    kfree(fds);
    return result;
}

int64_t sys_poll(uaddr_t entries, unsigned count, int timeout_ms)
{
    return poll_until(entries, count, deadline_from_ms(timeout_ms));
}

/* The signal mask that a call brings with it. */
static int begin_mask(uaddr_t mask, size_t size)
{
    uint64_t set;
    if (!mask)
        return 0;
    if (size != MASK_SIZE)
        return -EINVAL;
    int error = copy_from_user(&set, mask, sizeof(set));
    if (!error)
        mask_begin(task_current(), set);
    return error;
}

int64_t sys_ppoll(uaddr_t entries, unsigned count, uaddr_t timeout, uaddr_t mask, size_t mask_size)
{
    uint64_t deadline;
    int error = deadline_from_user(timeout, &deadline);
    if (!error)
        error = begin_mask(mask, mask_size);
    if (error)
        return error;
    return mask_end(task_current(), poll_until(entries, count, deadline));
}

/* The three sets of select: what is asked, then what is found. */
enum select_set {
    SET_IN,
    SET_OUT,
    SET_EXCEPT,
    SETS,
};

struct select_sets {
    uaddr_t at[SETS];
    uint64_t words[SETS][FD_LIMIT_MAX / 64];
};

static const unsigned set_events[SETS] = {SELECT_IN, SELECT_OUT, SELECT_EXCEPT};

static int copy_sets_in(struct select_sets *sets, unsigned count)
{
    size_t size = ALIGN_UP(count, 64) / 8;
    int error = 0;
    for (unsigned s = 0; !error && s < SETS; s++) {
        if (sets->at[s])
            error = copy_from_user(sets->words[s], sets->at[s], size);
    }
    return error;
}

static int copy_sets_out(const struct select_sets *sets, unsigned count)
{
    size_t size = ALIGN_UP(count, 64) / 8;
    int error = 0;
    for (unsigned s = 0; !error && s < SETS; s++) {
        if (sets->at[s])
            error = copy_to_user(sets->at[s], sets->words[s], size);
    }
    return error;
}

static bool in_set(const struct select_sets *sets, unsigned s, unsigned fd)
{
    return sets->words[s][fd / 64] & BIT(fd % 64);
}

static int get_select_entries(const struct select_sets *sets, struct poll_entry *entries,
                              unsigned count)
{
    for (unsigned fd = 0; fd < count; fd++) {
        for (unsigned s = 0; s < SETS; s++)
            entries[fd].events |= in_set(sets, s, fd) ? set_events[s] : 0;
        if (!entries[fd].events)
            continue;
        entries[fd].file = fd_get((int)fd);
        if (!entries[fd].file)
            return -EBADF;
    }
    return 0;
}

/* Keeps in each set what is ready; returns how many bits that are. */
static int64_t put_select_results(struct select_sets *sets, const struct poll_entry *entries,
                                  unsigned count)
{
    int64_t bits = 0;
    for (unsigned fd = 0; fd < count; fd++) {
        for (unsigned s = 0; s < SETS; s++) {
            if (!in_set(sets, s, fd))
                continue;
            if (entries[fd].ready & set_events[s])
                bits++;
            else
                sets->words[s][fd / 64] &= ~BIT(fd % 64);
        }
    }
    return bits;
}

static int64_t select_sets_until(struct select_sets *sets, unsigned count, uint64_t deadline)
{
    struct poll_entry *entries = kcalloc(MAX(count, 1u), sizeof(*entries));
    if (!entries)
        return -ENOMEM;
    int64_t result = copy_sets_in(sets, count);
    if (!result)
        result = get_select_entries(sets, entries, count);
    if (!result)
        result = poll_entries(entries, count, deadline);
    if (result >= 0) {
        result = put_select_results(sets, entries, count);
        int error = copy_sets_out(sets, count);
        result = error ? error : result;
    }
    put_entries(entries, count);
    return result;
}

static int64_t select_until(int count, uaddr_t in, uaddr_t out, uaddr_t except, uint64_t deadline)
{
    if (count < 0)
        return -EINVAL;
    struct select_sets *sets = kzalloc(sizeof(*sets));
    if (!sets)
        return -ENOMEM;
    sets->at[SET_IN] = in;
    sets->at[SET_OUT] = out;
    sets->at[SET_EXCEPT] = except;
    int64_t result = select_sets_until(sets, MIN((unsigned)count, fd_limit()), deadline);
    kfree(sets);
    return result;
}

/* Linux writes the time that is left back; programs that rely on it are told so here too. */
static void put_time_left(uaddr_t timeout, uint64_t deadline, uint64_t unit)
{
    uint64_t now = time_ns();
    if (!timeout)
        return;
    struct user_time left = user_time_from_ns(deadline > now ? deadline - now : 0);
    left.nanoseconds /= (int64_t)unit;
    /* A timeout in read-only memory is no error. */
    (void)copy_to_user(timeout, &left, sizeof(left));
}

int64_t sys_select(int count, uaddr_t in, uaddr_t out, uaddr_t except, uaddr_t timeout)
{
    struct user_time time; /* struct timeval: microseconds */
    uint64_t deadline = TIME_NEVER;
    uint64_t ns;
    if (timeout) {
        int error = copy_from_user(&time, timeout, sizeof(time));
        if (error)
            return error;
        if (time.seconds < 0 || time.nanoseconds < 0)
            return -EINVAL;
        if (__builtin_mul_overflow((uint64_t)time.seconds, NS_PER_S, &ns) ||
            __builtin_add_overflow(ns, (uint64_t)time.nanoseconds % (1000 * NS_PER_US) * NS_PER_US,
                                   &ns))
            ns = TIME_NEVER;
        deadline = ns ? deadline_after(ns) : 0;
    }
    int64_t result = select_until(count, in, out, except, deadline);
    put_time_left(timeout, deadline, NS_PER_US);
    return result;
}

struct select_mask {
    uaddr_t set;
    uint64_t size;
};

int64_t sys_pselect6(int count, uaddr_t in, uaddr_t out, uaddr_t except, uaddr_t timeout,
                     uaddr_t mask)
{
    struct select_mask argument = {0};
    uint64_t deadline;
    int error = mask ? copy_from_user(&argument, mask, sizeof(argument)) : 0;
    if (!error)
        error = deadline_from_user(timeout, &deadline);
    if (!error)
        error = begin_mask(argument.set, argument.size);
    if (error)
        return error;
    int64_t result = select_until(count, in, out, except, deadline);
    put_time_left(timeout, deadline, 1);
    return mask_end(task_current(), result);
}

int64_t sys_epoll_create1(unsigned flags)
{
    if (flags & ~(unsigned)FILE_CLOEXEC)
        return -EINVAL;
    return fd_install(epoll_create(), flags & FILE_CLOEXEC);
}

enum epoll_operation {
    EPOLL_CTL_ADD = 1,
    EPOLL_CTL_DEL = 2,
    EPOLL_CTL_MOD = 3,
};

static int64_t control(struct file *epoll, int operation, int fd, struct file *target,
                       const struct epoll_event *event)
{
    if (!file_is_epoll(epoll))
        return -EINVAL;
    switch (operation) {
    case EPOLL_CTL_ADD:
        return epoll_add(epoll, fd, target, event);
    case EPOLL_CTL_DEL:
        return epoll_remove(epoll, fd, target);
    case EPOLL_CTL_MOD:
        return epoll_change(epoll, fd, target, event);
    default:
        return -EINVAL;
    }
}

int64_t sys_epoll_ctl(int epoll_fd, int operation, int fd, uaddr_t user_event)
{
    struct epoll_event event = {0};
    int error = operation == EPOLL_CTL_DEL ? 0 : copy_from_user(&event, user_event, sizeof(event));
    if (error)
        return error;
    struct file *epoll = fd_get(epoll_fd);
    struct file *target = fd_get(fd);
    int64_t result = epoll && target ? control(epoll, operation, fd, target, &event) : -EBADF;
    file_put(target);
    file_put(epoll);
    return result;
}

static int64_t epoll_collect(struct file *epoll, uaddr_t out, int count, uint64_t deadline)
{
    struct poll_entry entry = {.file = epoll, .events = POLL_IN};
    if (!file_is_epoll(epoll) || count <= 0 || count > EPOLL_COUNT_LIMIT)
        return -EINVAL;
    size_t room = MIN((size_t)count, EPOLL_EVENTS_MAX);
    struct epoll_event *events = kmalloc(room * sizeof(*events));
    if (!events)
        return -ENOMEM;
    size_t taken = 0;
    int64_t result = 1;
    /* Another thread may take what this one was woken for. */
    while (result > 0 && taken == 0) {
        result = poll_entries(&entry, 1, deadline);
        if (result > 0)
            taken = epoll_take(epoll, events, room);
    }
    if (taken > 0) {
        int error = copy_to_user(out, events, taken * sizeof(*events));
        result = error ? error : (int64_t)taken;
    }
    kfree(events);
    return result;
}

static int64_t epoll_wait_until(int fd, uaddr_t events, int count, uint64_t deadline)
{
    return WITH_FILE(epoll, fd_get(fd), epoll_collect(epoll, events, count, deadline));
}

int64_t sys_epoll_wait(int epoll, uaddr_t events, int count, int timeout_ms)
{
    return epoll_wait_until(epoll, events, count, deadline_from_ms(timeout_ms));
}

int64_t sys_epoll_pwait(int epoll, uaddr_t events, int count, int timeout_ms, uaddr_t mask,
                        size_t mask_size)
{
    int error = begin_mask(mask, mask_size);
    if (error)
        return error;
    return mask_end(task_current(), sys_epoll_wait(epoll, events, count, timeout_ms));
}

int64_t sys_epoll_pwait2(int epoll, uaddr_t events, int count, uaddr_t timeout, uaddr_t mask,
                         size_t mask_size)
{
    uint64_t deadline;
    int error = deadline_from_user(timeout, &deadline);
    if (!error)
        error = begin_mask(mask, mask_size);
    if (error)
        return error;
    return mask_end(task_current(), epoll_wait_until(epoll, events, count, deadline));
}
