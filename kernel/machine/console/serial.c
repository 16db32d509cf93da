/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/console/serial.h"
#include "kernel/machine/console/uart.h"
#include "kernel/cpu/timer.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"
#include "kernel/lib/string.h"

#define QUEUE_SIZE  16384u /* a power of two */
#define OUTPUT_PART (QUEUE_SIZE / 2)
#define NOTE_MAX    80u
/* What is sent at one time: a port write may cost microseconds. */
#define BURST 256u
/* At 115200 baud a full FIFO drains in 1.4 ms. */
#define MOVE_NS (700 * NS_PER_US)
/* Looks at a busy port, about a microsecond each, before it is not waited for any more. */
#define POLLS_MAX        100000u
#define POLLS_MAX_FINISH 2000000u
/* A port that takes nothing for so long is dead, or nobody reads. */
#define STALL_NS (2 * NS_PER_S)

static char queue[QUEUE_SIZE];
static uint32_t first, end; /* bytes taken out and put in; modulo the size where they are */
static uint64_t lost;       /* since the last note */
static struct serial_stats stats;
static struct uart uart;
static bool present;
static bool as_is;   /* text goes out without carriage returns of ours */
static bool moved;   /* something was sent that who waits was not told of */
static bool stuck;   /* the port was waited for in vain: not again until it moves */
static bool stalled; /* counted already */
static uint64_t moved_ns;
static void move_on(struct timer *timer);
static struct timer mover = {LIST_INIT(mover.link), TIME_NEVER, move_on};
static struct waitq changed = {LIST_INIT(changed.waiters)};

static uint32_t queued(void)
{
    return end - first;
}

/* A terminal wants a carriage return before each line feed. */
static size_t wire_length(const char *text, size_t length)
{
    size_t count = length;

    for (size_t i = 0; i < length; i++)
        count += text[i] == '\n';
    return count;
}

static void put(char c)
{
    queue[end++ % QUEUE_SIZE] = c;
}

static void put_text(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\n' && !as_is)
            put('\r');
        put(text[i]);
    }
}

static void put_note(void)
{
    char note[NOTE_MAX];

    format(note, sizeof(note), "(%lu bytes are missing here: the serial port is too slow)\n", lost);
    put_text(note, strlen(note));
    lost = 0;
}

/* Sends what the port takes now. True: something was sent. */
static bool move(void)
{
    unsigned sent = 0;

    while (sent < BURST && queued() && uart_room(&uart)) {
        uart_put(&uart, queue[first++ % QUEUE_SIZE]);
        sent++;
    }
    if (sent) {
        stuck = stalled = false;
        moved = true;
    }
    return sent > 0;
}

static void wait_for_port(unsigned polls_max)
{
    for (unsigned polls = 0; queued() && !stuck; polls++) {
        if (move())
            polls = 0;
        stuck = polls == polls_max;
    }
}

static void serial_flush(void)
{
    wait_for_port(POLLS_MAX);
}

static void serial_write(const char *text, size_t length)
{
    if (QUEUE_SIZE - queued() < wire_length(text, length) + NOTE_MAX) {
        lost += length;
        stats.lost_bytes += length;
        return;
    }
    if (lost)
        put_note();
    put_text(text, length);
    move();
    if (!log_is_patient() && queued() && !timer_pending(&mover)) {
        moved_ns = time_ns();
        timer_set(&mover, moved_ns + MOVE_NS);
    }
}

bool serial_init(uint16_t port)
{
    static struct log_sink sink = {.write = serial_write, .flush = serial_flush};

    if (!uart_init(&uart, port))
        return false;
    if (!present)
        log_add_sink(&sink);
    present = true;
    stuck = false;
    return true;
}

struct uart *serial_uart(void)
{
    return present ? &uart : NULL;
}

void serial_write_as_is(const char *text, size_t length)
{
    as_is = true;
    log_raw(text, length);
    as_is = false;
}

/* ---- while the payload runs ---- */

static bool idle(void)
{
    return !present || (!queued() && uart_idle(&uart));
}

static void tell_stall(void)
{
    static bool told;

    stalled = true;
    stats.stalls++;
    if (!told)
        log_warn("the serial port has taken nothing for %lu seconds: who writes to it waits",
                 STALL_NS / NS_PER_S);
    told = true;
}

/* Lines of the log move the queue too, perhaps to its end, and wake nobody. */
static void move_on(struct timer *timer)
{
    uint64_t now = time_ns();

    move();
    if (moved) {
        moved = false;
        moved_ns = now;
        waitq_wake(&changed);
    } else if (!stalled && now - moved_ns >= STALL_NS) {
        tell_stall();
    }
    if (queued())
        timer_set(&mover, now + MOVE_NS);
}

bool serial_has_room(size_t length)
{
    return !present || queued() + 2 * length <= OUTPUT_PART;
}

struct waitq *serial_changed(void)
{
    return &changed;
}

void serial_drain(const bool *give_up)
{
    struct waiter waiter;

    waiter_init_thread(&waiter);
    wait_add(&changed, &waiter);
    while (!idle() && !*give_up)
        thread_sleep("console", time_ns() + MOVE_NS);
    wait_remove(&waiter);
}

void serial_finish(void)
{
    timer_cancel(&mover);
    log_set_patient(true);
    stuck |= stalled;
    wait_for_port(POLLS_MAX_FINISH);
    stats.lost_bytes += queued();
    for (unsigned i = 0; i < POLLS_MAX && present && !stuck && !uart_idle(&uart); i++)
        ;
}

struct serial_stats serial_stats(void)
{
    return stats;
}
