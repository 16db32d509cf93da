/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/console/input.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/timer.h"
#include "kernel/lib/image.h"
#include "kernel/lib/log.h"
#include "kernel/machine/console/frame.h"
#include "kernel/machine/console/serial.h"
#include "kernel/machine/console/stream.h"
#include "kernel/machine/console/uart.h"

/* What is taken at one time, and what that costs: reading a port takes microseconds. */
#define BURST          2048u
#define BURST_TYPED    64u
#define BYTE_WORK      30u
#define BYTE_WORK_PORT 2000u
/* Between two looks while input is awaited: at 115200 baud a FIFO of 16 bytes fills in 1.4 ms. */
#define BUSY_NS NS_PER_MS
/* And while it is not: somebody may type Ctrl-C, or change the size of the window. */
#define CALM_NS (20 * NS_PER_MS)
/* How long who wanted input, or got some, is taken to want more. */
#define WANT_NS (100 * NS_PER_MS)
/* A host that has more takes no longer. */
#define MOVES_NS (200 * NS_PER_US)

static enum input_source source;
static const struct input_taker *taker;
static struct input_ring ring;
static uint32_t taken, room; /* as in the ring, where the host could change them */
static struct frame frame;
static uint64_t moved_ns, wanted_ns;
static bool wanted; /* ever */
static struct timer timer;

/* How many bytes can be taken now; UINT32_MAX if that makes no sense. */
static uint32_t arrived(void)
{
    uint32_t bytes = __atomic_load_n(&ring.put, __ATOMIC_ACQUIRE) - taken;

    return bytes <= INPUT_RING ? bytes : UINT32_MAX;
}

static bool hand_on(const uint8_t *data, size_t *count)
{
    bool good = !*count || taker->data(data, *count);

    *count = 0;
    return good;
}

/* A whole frame, but for data. */
static bool take_frame(int kind)
{
    unsigned number = frame.body[0];

    if (kind == FRAME_END)
        taker->end();
    else if (kind == FRAME_SIZE)
        taker->size(frame_number(&frame, 0), frame_number(&frame, 1));
    else if (kind == FRAME_SIGNAL && number >= 1 && number <= FRAME_SIGNAL_MAX)
        taker->signal((int)number);
    else
        return false;
    return true;
}

/* Data is handed on in pieces, and before whatever comes behind it. */
static bool take_frames(uint32_t bytes)
{
    static uint8_t data[BURST];
    size_t count = 0;
    bool good = true;

    for (uint32_t i = 0; good && i < bytes; i++) {
        uint8_t byte = __atomic_load_n(&ring.bytes[taken++ % INPUT_RING], __ATOMIC_RELAXED);
        int kind = frame_take(&frame, byte);

        if (kind == FRAME_DATA)
            data[count++] = byte;
        else if (kind != FRAME_PART)
            good = hand_on(data, &count) && take_frame(kind);
    }
    return hand_on(data, &count) && good;
}

static void look_at_host(void)
{
    uint32_t bytes = arrived();
    bool good = bytes <= INPUT_RING && take_frames(MIN(bytes, BURST));

    if (bytes)
        moved_ns = time_ns();
    breath_left -= MIN(bytes, BURST) * BYTE_WORK;
    __atomic_store_n(&ring.taken, taken, __ATOMIC_RELEASE);
    if (good)
        return;
    source = INPUT_NONE;
    log_warn("standard input ends: what the host sends makes no sense");
    taker->end();
}

static void look_at_console(void)
{
    struct uart *uart = serial_uart();
    uint8_t typed[BURST_TYPED];
    size_t count = 0;

    while (count < BURST_TYPED && uart_arrived(uart))
        typed[count++] = uart_get(uart);
    breath_left -= (int64_t)(count + 1) * BYTE_WORK_PORT;
    if (count)
        moved_ns = time_ns();
    (void)hand_on(typed, &count);
    if (uart->overrun)
        log_warn("standard input: bytes are lost, they arrive faster than they are taken");
    uart->overrun = false;
}

static void look(void)
{
    if (source == INPUT_HOST)
        look_at_host();
    else if (source == INPUT_CONSOLE)
        look_at_console();
}

static uint64_t until_next(uint64_t now)
{
    bool busy = now - MAX(moved_ns, wanted_ns) < WANT_NS;

    return busy || (wanted && source == INPUT_CONSOLE) ? BUSY_NS : CALM_NS;
}

static void on_timer(struct timer *expired)
{
    uint64_t now = time_ns();

    look();
    if (source != INPUT_NONE)
        timer_set(&timer, now + until_next(now));
}

void input_start(enum input_source from, const struct input_taker *to, uint32_t bytes)
{
    const struct input_place place = {.address = image_to_phys(&ring), .size = INPUT_RING};

    taker = to;
    if (from == INPUT_HOST && !stream_is_open())
        log_warn("input = host needs stream-port, by which the host learns where to put it");
    else if (from != INPUT_CONSOLE || serial_uart())
        source = from;
    if (source == INPUT_NONE)
        return taker->end();
    input_grant(bytes);
    if (source == INPUT_HOST)
        stream_record(STREAM_INPUT, &place, sizeof(place));
    timer_init(&timer, on_timer);
    on_timer(&timer);
}

void input_look(void)
{
    wanted = true;
    wanted_ns = time_ns();
    look();
    if (source != INPUT_NONE && timer.deadline_ns > wanted_ns + BUSY_NS)
        timer_set(&timer, wanted_ns + BUSY_NS);
}

bool input_moves(void)
{
    return source == INPUT_HOST && time_ns() - moved_ns < MOVES_NS;
}

void input_grant(size_t bytes)
{
    room += (uint32_t)bytes;
    __atomic_store_n(&ring.room, room, __ATOMIC_RELEASE);
}
