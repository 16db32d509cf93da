/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/cpu/apic.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/frequency.h"
#include "kernel/cpu/internal.h"
#include "kernel/cpu/mmio.h"
#include "kernel/cpu/port.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/paging/paging.h"

/* Register offsets of the memory-mapped form; the MSR form is MSR_X2APIC_BASE + offset / 16. */
enum apic_register {
    APIC_ID = 0x20,
    APIC_VERSION = 0x30, /* 23:16: the number of the last local vector */
    APIC_TASK_PRIORITY = 0x80,
    APIC_EOI = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_IN_SERVICE = 0x100,    /* 8 registers of 32 bits, 0x10 apart */
    APIC_REQUESTED = 0x200,     /* the same form */
    APIC_LVT_CORRECTED = 0x2f0, /* corrected machine checks */
    APIC_COMMAND = 0x300,       /* its upper half, for who is named by id, is another register */
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_ERROR = 0x370,
    APIC_TIMER_INITIAL = 0x380,
    APIC_TIMER_CURRENT = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
};

#define SPURIOUS_ENABLE      BIT(8)
#define LVT_CORRECTED_NUMBER 6
#define LVT_MASKED           BIT(16)
#define LVT_TSC_DEADLINE     BIT(18)
#define DIVIDE_BY_1          0xb
#define APIC_BASE_FIRST      BIT(8) /* this is the CPU that the firmware started with */
#define APIC_BASE_ENABLE     BIT(11)
#define APIC_BASE_X2APIC     BIT(10)
#define APIC_PAGE            4096
#define DOOR_MAPS            (4 * GIB)
#define COMMAND_INIT_ALL     0xc4500 /* INIT, asserted, to all but the sender */
#define COMMAND_PENDING      BIT(12) /* it is not sent yet; not in x2APIC mode */
#define COMMAND_BOUND_NS     NS_PER_MS
#define INIT_NS              (10 * NS_PER_US) /* from sent to taken */
#define PRIORITY_HOLD        0x10             /* vectors below 32 have to wait */
#define PRIORITY_QUIET       0xe0             /* all below VECTOR_TIMER */
#define PIC_MASTER           0x20
#define PIC_SLAVE            0xa0
#define PIC_VECTORS          0xe0   /* 8 for each; nobody's, unless that many are owned */
#define SAMPLE_TICKS         100000 /* 50 us at 2 GHz */
#define TIMER_COUNT_MAX      UINT64_C(0xffffffff)

static void *registers; /* NULL until they are mapped, and in x2APIC mode */
static paddr_t registers_at;
static bool x2apic;
static bool use_deadline;
/*
 * Timer counts in one of the time-stamp counter, times 2^32: both go at rates that are fixed, while
 * what is known of these gets better.
 */
static uint64_t counts_per_tick;
static uint32_t priority; /* while vectors below 32 are held back */

static uint32_t apic_read(enum apic_register r)
{
    if (x2apic)
        return (uint32_t)msr_read(MSR_X2APIC_BASE + r / 16);
    return mmio_read32((char *)registers + r);
}

static void apic_write(enum apic_register r, uint32_t value)
{
    if (x2apic)
        msr_write(MSR_X2APIC_BASE + r / 16, value);
    else
        mmio_write32((char *)registers + r, value);
}

uint32_t cpu_apic_id(void)
{
    return x2apic ? apic_read(APIC_ID) : apic_read(APIC_ID) >> 24;
}

bool apic_is_x2apic(void)
{
    return x2apic;
}

void apic_end_of_interrupt(void)
{
    apic_write(APIC_EOI, 0);
}

bool apic_in_service(unsigned vector)
{
    if (!x2apic && !registers)
        return false;
    return apic_read(APIC_IN_SERVICE + vector / 32 * 0x10) & BIT(vector % 32);
}

void apic_hold(bool on)
{
    apic_write(APIC_TASK_PRIORITY, on ? priority : 0);
}

void apic_quiet(bool on)
{
    priority = on ? PRIORITY_QUIET : PRIORITY_HOLD;
    apic_hold(true);
}

bool apic_holds(void)
{
    if (!x2apic && !registers)
        return false;
    return apic_read(APIC_REQUESTED) & ~1u;
}

/*
 * Both legacy controllers stay silent for good: every interrupt comes by message. But a message of
 * the kind ExtINT makes the CPU ask them for a vector, masked or not, and the firmware's are those
 * of exceptions. So they are set up to name others (8259A data sheet: ICW1 to ICW4, then the mask).
 */
static void silence_legacy_controllers(void)
{
    static const struct {
        uint8_t port, vectors, cascade; /* who is below, or which it is itself */
    } controllers[] = {
        {PIC_MASTER, PIC_VECTORS, 0x04},
        {PIC_SLAVE, PIC_VECTORS + 8, 0x02},
    };

    for (size_t i = 0; i < ARRAY_SIZE(controllers); i++) {
        port_write8(controllers[i].port, 0x11);
        port_write8(controllers[i].port + 1, controllers[i].vectors);
        port_write8(controllers[i].port + 1, controllers[i].cascade);
        port_write8(controllers[i].port + 1, 0x01);
        port_write8(controllers[i].port + 1, 0xff);
    }
}

/* Down from TIMER_COUNT_MAX. */
static uint32_t timer_counts(void)
{
    return (uint32_t)(TIMER_COUNT_MAX - apic_read(APIC_TIMER_CURRENT));
}

static void measure_timer(void)
{
    static const struct calibrate_clocks clocks = {tsc_read, timer_counts, TIMER_COUNT_MAX};
    static const struct calibrate_length length = {.ticks = SAMPLE_TICKS, .counts = 1};
    struct calibrate_result r;

    apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_LVT_TIMER, LVT_MASKED);
    apic_write(APIC_TIMER_INITIAL, (uint32_t)TIMER_COUNT_MAX);
    if (calibrate(&clocks, length, &r))
        counts_per_tick = (r.counts << 32) / r.ticks;
    apic_write(APIC_TIMER_INITIAL, 0);
}

/* Interrupts the firmware took but never finished would hold back all of lower priority. */
static void finish_leftovers(void)
{
    for (unsigned bank = 0; bank < 8; bank++) {
        for (unsigned bits = 32; bits && apic_read(APIC_IN_SERVICE + bank * 0x10); bits--)
            apic_end_of_interrupt();
    }
}

/*
 * INIT takes a CPU out of whatever it does and has it wait to be started (SDM volume 3, 9.4 and
 * 11.6.1). Sent to the CPU that the firmware started with it would restart the machine.
 */
static bool send_init(void)
{
    uint64_t deadline = time_ns() + COMMAND_BOUND_NS;

    apic_write(APIC_COMMAND, COMMAND_INIT_ALL);
    while (apic_read(APIC_COMMAND) & COMMAND_PENDING) {
        if (time_expired(deadline))
            return false;
    }
    time_delay_ns(INIT_NS);
    return true;
}

const char *apic_stop_others(void)
{
    uint64_t base = msr_read(MSR_APIC_BASE);
    bool sent;

    if (!(base & APIC_BASE_ENABLE))
        return "the firmware has disabled the local APIC";
    if (!(base & APIC_BASE_FIRST))
        return "this is not the CPU that the firmware started with: that one cannot be stopped";
    x2apic = base & APIC_BASE_X2APIC;
    registers_at = ALIGN_DOWN(base, PAGE_SIZE) & (BIT(cpu_features.physical_bits) - 1);
    if (!x2apic && registers_at >= DOOR_MAPS)
        return "the firmware has put the local APIC above 4 GiB";
    if (!x2apic)
        registers = (void *)(uintptr_t)registers_at;
    sent = send_init();
    registers = NULL;
    return sent ? NULL : "the local APIC does not send what stops the other CPUs";
}

const char *apic_init(void)
{
    silence_legacy_controllers();
    if (!x2apic) {
        registers = mmio_map(registers_at, APIC_PAGE);
        if (!registers)
            return "no memory to map the local APIC";
    }
    apic_write(APIC_SPURIOUS, (uint32_t)SPURIOUS_ENABLE | APIC_SPURIOUS_VECTOR);
    apic_quiet(false);
    apic_write(APIC_LVT_LINT0, LVT_MASKED);
    apic_write(APIC_LVT_ERROR, LVT_MASKED);
    if (bits_get(apic_read(APIC_VERSION), 23, 16) >= LVT_CORRECTED_NUMBER)
        apic_write(APIC_LVT_CORRECTED, LVT_MASKED);
    finish_leftovers();
    use_deadline = cpu_features.tsc_deadline && cpu_features.invariant_tsc;
    if (!use_deadline)
        measure_timer();
    if (!use_deadline && !counts_per_tick)
        return "the local APIC's timer does not count";
    return NULL;
}

void apic_timer_start(vector_handler handler)
{
    vector_own(VECTOR_TIMER, handler);
    apic_write(APIC_LVT_TIMER, VECTOR_TIMER | (use_deadline ? (uint32_t)LVT_TSC_DEADLINE : 0));
    /* The mode must be set before the first deadline is written (SDM 10.5.4.1). */
    __asm__ volatile("mfence" : : : "memory");
}

/* Counts down once; a deadline beyond the counter's reach gets an early interrupt instead. */
static void set_countdown(uint64_t deadline_tsc)
{
    uint64_t now = tsc_read();
    uint64_t left = deadline_tsc > now ? deadline_tsc - now : 0;
    uint64_t counts = timeline_scale(left, counts_per_tick);

    apic_write(APIC_TIMER_INITIAL, (uint32_t)MAX(MIN(counts, TIMER_COUNT_MAX), 1));
}

void apic_timer_set(uint64_t deadline_ns)
{
    if (use_deadline)
        msr_write(MSR_TSC_DEADLINE, deadline_ns == TIME_NEVER ? 0 : time_to_tsc(deadline_ns));
    else if (deadline_ns == TIME_NEVER)
        apic_write(APIC_TIMER_INITIAL, 0);
    else
        set_countdown(time_to_tsc(deadline_ns));
}
