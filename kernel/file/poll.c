/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/file/poll.h"
#include "kernel/cpu/time.h"

unsigned poll_ready(struct file *file)
{
    unsigned ready = file_poll(file);
    if (ready & POLL_IN)
        ready |= POLL_RDNORM;
    if (ready & POLL_OUT)
        ready |= POLL_WRNORM;
    return ready;
}

static int scan(struct poll_entry *entries, unsigned count)
{
    int found = 0;
    for (unsigned i = 0; i < count; i++) {
        struct poll_entry *entry = &entries[i];
        if (entry->file)
            entry->ready = poll_ready(entry->file) & (entry->events | POLL_ERR | POLL_HUP);
        found += entry->ready != 0;
    }
    return found;
}

static unsigned waiting; /* entries that wait for their file, in all calls */

/*
 * Once for each file, however often it is among the entries: nobody else comes in between, so it is
 * the last to wait there. A single one is no more than the thread, and always waits.
 */
static int wait_for_all(struct poll_entry *entries, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        waiter_init_thread(&entries[i].waiter);
    for (unsigned i = 0; i < count; i++) {
        if (!entries[i].file || wait_added_last(&entries[i].file->changed))
            continue;
        if (count > 1 && waiting >= POLL_WAITING_MAX)
            return -ENOMEM;
        waiting++;
        wait_add(&entries[i].file->changed, &entries[i].waiter);
    }
    return 0;
}

static void wait_no_more(struct poll_entry *entries, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        waiting -= !list_empty(&entries[i].waiter.link);
        wait_remove(&entries[i].waiter);
    }
}

int poll_entries(struct poll_entry *entries, unsigned count, uint64_t deadline_ns)
{
    int result = scan(entries, count);
    if (result || deadline_ns == 0)
        return result;
    int error = wait_for_all(entries, count);
    while (!error && !result) {
        error = thread_sleep("poll", deadline_ns);
        result = scan(entries, count);
    }
    wait_no_more(entries, count);
    return result || error == -ETIMEDOUT ? result : error;
}
