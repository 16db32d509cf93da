/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first value of the frequency is taken in less than a millisecond, and as good as that is. Now
 * both clocks are read again and again, far apart. A reading is disturbed where the machine stopped
 * in it, and then too wide; between two it may stop, but not for so long that the second clock
 * wraps. Two stretches in a row that agree are believed.
 */
#include "kernel/cpu/frequency.h"
#include "kernel/cpu/timer.h"
#include "kernel/lib/log.h"

#define STRETCH_NS  (500 * NS_PER_MS)
#define LONGEST     3u /* seconds; 24 bits of the second clock wrap after 4.7 */
#define GOOD_SHARE  10000u
#define AGREE_SHARE (GOOD_SHARE / 2)
#define FIRST_SHARE 100u /* of which the first value is right, or the second clock is not */
#define LOOKS_MAX   16u

static struct calibrate_reading last;
static struct calibrate_result before; /* the stretch up to it; counts 0: none that is good */
static unsigned looks;

static bool near(uint64_t a, uint64_t b, unsigned share)
{
    return MAX(a, b) - MIN(a, b) <= a / share;
}

static bool is_good(const struct calibrate_result *r)
{
    uint64_t known = time_known()->hz;

    return r->ticks < LONGEST * known && r->counts && r->error <= r->ticks / GOOD_SHARE &&
           near(known, frequency_of(r), FIRST_SHARE);
}

static void look(struct timer *timer)
{
    struct calibrate_reading now = calibrate_read(time_second_clock(), last.counts);
    struct calibrate_result r = calibrate_between(&last, &now);

    if (!is_good(&r))
        r.counts = 0;
    last = now;
    if (r.counts && before.counts && near(frequency_of(&before), frequency_of(&r), AGREE_SHARE)) {
        before.ticks += r.ticks;
        before.counts += r.counts;
        time_set_frequency((struct frequency){frequency_of(&before), "refined", true});
        log_debug("the CPU's counter runs at %lu Hz, by the ACPI timer", time_known()->hz);
        return;
    }
    before = r;
    if (++looks < LOOKS_MAX)
        timer_set(timer, time_ns() + STRETCH_NS);
    else
        log_info("the CPU's counter stays at %lu Hz: the ACPI timer could not be read steadily",
                 time_known()->hz);
}

void frequency_refine(void)
{
    static struct timer again;

    if (time_known()->exact || !time_second_clock())
        return;
    before.counts = 0;
    looks = 0;
    last = calibrate_read(time_second_clock(), 0);
    timer_init(&again, look);
    timer_set(&again, time_ns() + STRETCH_NS);
}
