/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/console/input.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/timer.h"
#include "kernel/lib/image.h"
#include "kernel/lib/log.h"
#include "kernel/machine/console/serial.h"
#include "kernel/machine/console/stream.h"
#include "kernel/machine/console/uart.h"

/* What is taken at one time, and what that costs: reading a port takes microseconds. */
#define BURST_WORK     60000 /* and a frame */
#define BURST_TYPED    64u
#define BYTE_WORK      30u
#define BYTE_WORK_PORT 2000u
/* Between two looks while input is awaited: at 115200 baud a FIFO of 16 bytes fills in 1.4 ms. */
#define BUSY_NS NS_PER_MS
/* And while it is not: somebody may type Ctrl-C, or change the size of the window. */
#define CALM_NS (20 * NS_PER_MS)
/* How long who wanted input, or got some, is taken to want more. */
#define WANT_NS (100 * NS_PER_MS)

static enum input_source source;
static input_taker *take;
static struct frame_ring ring;
static uint32_t taken, room; /* as in the ring, where the host could change them */
static uint64_t wanted_ns;   /* when somebody last did, or some arrived; 0: never */
static struct timer timer;

static void look_at_host(void)
{
    static struct frame frame;
    const uint32_t before = taken;
    const int64_t breath = breath_left;
    enum frame_kind kind = FRAME_END;
    bool good = true;

    while (good && kind != FRAME_NONE && breath - breath_left < BURST_WORK) {
        const uint32_t at = taken;

        kind = frame_take(&ring, &taken, &frame);
        good = kind != FRAME_BAD && (kind == FRAME_NONE || take(kind, frame.body, frame.length));
        breath_left -= (taken - at) * BYTE_WORK;
    }
    if (taken != before)
        wanted_ns = time_ns();
    __atomic_store_n(&ring.taken, taken, __ATOMIC_RELEASE);
    if (good)
        return;
    source = INPUT_NONE;
    log_warn("standard input ends: what the host sends makes no sense");
    take(FRAME_END, NULL, 0);
}

static void look_at_console(void)
{
    static bool told;
    struct uart *uart = serial_uart();
    uint8_t typed[BURST_TYPED];
    size_t count = 0;
    int c;

    while (count < BURST_TYPED && (c = uart_get(uart)) >= 0)
        typed[count++] = (uint8_t)c;
    breath_left -= (int64_t)(count + 1) * BYTE_WORK_PORT;
    if (count)
        wanted_ns = time_ns();
    if (((count && !take(FRAME_DATA, typed, count)) || uart->overrun) && !told) {
        log_warn("standard input: bytes are lost, they arrive faster than they are taken");
        told = true;
    }
    uart->overrun = false;
}

static void look(void)
{
    if (source == INPUT_HOST)
        look_at_host();
    else if (source == INPUT_CONSOLE)
        look_at_console();
}

static void look_again(uint64_t after_ns)
{
    if (source != INPUT_NONE)
        timer_set(&timer, time_ns() + after_ns);
}

static void on_timer(struct timer *expired)
{
    bool lately;

    look();
    lately = source == INPUT_CONSOLE || time_ns() - wanted_ns < WANT_NS;
    look_again(wanted_ns && lately ? BUSY_NS : CALM_NS);
}

void input_start(enum input_source from, input_taker *to, uint32_t bytes)
{
    const struct input_place place = {.address = image_to_phys(&ring), .size = FRAME_RING};

    take = to;
    if (from == INPUT_HOST && !stream_is_open())
        log_warn("input = host needs stream-port, by which the host learns where to put it");
    else if (from != INPUT_CONSOLE || serial_uart())
        source = from;
    if (source == INPUT_NONE)
        take(FRAME_END, NULL, 0);
    input_grant(bytes);
    if (source == INPUT_HOST)
        stream_record(STREAM_INPUT, &place, sizeof(place));
    timer_init(&timer, on_timer);
    look_again(0);
}

void input_look(void)
{
    wanted_ns = time_ns();
    look();
    look_again(BUSY_NS);
}

void input_grant(size_t bytes)
{
    room += (uint32_t)bytes;
    __atomic_store_n(&ring.room, room, __ATOMIC_RELEASE);
}
