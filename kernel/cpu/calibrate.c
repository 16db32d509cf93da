/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reading takes the counter between two looks at the ticks: it is as good as these are close. A
 * stop between two readings does no harm, since both clocks go on, unless the counter wraps
 * meanwhile; a stop within a reading spoils that one. So a sample begins and ends with close
 * readings, and counts only if no step of it was much longer than the others. On a machine that
 * never runs for so long, the sample with the shortest stop has to do.
 */
#include "kernel/cpu/calibrate.h"

#define SAMPLES_MAX (16 * CALIBRATE_SAMPLES)
#define READS_MAX   100000u /* far more than a sample holds: the counter stands still */
#define WARM_UP     4u      /* readings by which the first that counts is judged */
#define TRIES       16u     /* for a close reading */
#define CLOSE       2u      /* times the closest one */
#define EVEN        4u      /* times the shortest step */

struct measurement {
    const struct calibrate_clocks *clocks;
    struct calibrate_length length;
    uint64_t closest;  /* reading so far, in ticks */
    uint64_t shortest; /* step from one reading to the next */
    uint64_t longest;  /* step of this sample */
    struct calibrate_reading last;
};

static uint64_t width(const struct calibrate_reading *r)
{
    return r->after - r->before;
}

static void read_clocks(struct measurement *m)
{
    struct calibrate_reading r = {.before = m->clocks->ticks()};
    uint64_t step;

    r.counts = m->last.counts + ((m->clocks->counts() - m->last.counts) & m->clocks->mask);
    r.after = m->clocks->ticks();
    step = r.after - m->last.before;
    m->shortest = MIN(m->shortest, step);
    m->longest = MAX(m->longest, step);
    m->closest = MIN(m->closest, width(&r));
    m->last = r;
}

/* The closest of some readings; leaves off at the first that is close enough. */
static struct calibrate_reading read_closely(struct measurement *m)
{
    struct calibrate_reading best;

    read_clocks(m);
    best = m->last;
    for (unsigned i = 1; i < TRIES && width(&best) > CLOSE * m->closest; i++) {
        read_clocks(m);
        if (width(&m->last) < width(&best))
            best = m->last;
    }
    return best;
}

static bool over(const struct measurement *m, const struct calibrate_reading *from)
{
    return m->last.counts - from->counts >= m->length.counts &&
           m->last.before - from->after >= m->length.ticks;
}

enum verdict { GOOD, DISTURBED, STOPPED };

static enum verdict take_sample(struct measurement *m, const struct calibrate_reading *from,
                                struct calibrate_reading *to)
{
    unsigned reads = 0;

    m->longest = 0;
    while (!over(m, from)) {
        if (++reads == READS_MAX)
            return STOPPED;
        read_clocks(m);
    }
    *to = read_closely(m);
    if (m->longest > EVEN * m->shortest && m->longest > (to->after - from->before) / EVEN)
        return DISTURBED;
    return GOOD;
}

/* Fills *m, with enough looks to judge others by. */
static struct calibrate_reading begin(struct measurement *m, const struct calibrate_clocks *clocks,
                                      uint64_t counts)
{
    *m = (struct measurement){.clocks = clocks, .closest = UINT64_MAX, .shortest = UINT64_MAX};
    m->last.counts = counts;
    m->last.before = clocks->ticks();
    for (unsigned i = 0; i < WARM_UP; i++)
        read_clocks(m);
    return read_closely(m);
}

struct calibrate_reading calibrate_read(const struct calibrate_clocks *clocks, uint64_t counts)
{
    struct measurement m;

    return begin(&m, clocks, counts);
}

struct calibrate_result calibrate_between(const struct calibrate_reading *from,
                                          const struct calibrate_reading *to)
{
    /* From the middle of one to the middle of the other. */
    uint64_t ticks = (to->before - from->before + to->after - from->after) / 2;
    uint64_t counts = to->counts - from->counts;

    return (struct calibrate_result){
        .ticks = ticks,
        .counts = counts,
        /* Each reading may be off by half its width, and the two of them by one count. */
        .error = (width(from) + width(to)) / 2 + ticks / MAX(counts, 1),
    };
}

bool calibrate(const struct calibrate_clocks *clocks, struct calibrate_length length,
               struct calibrate_result *out)
{
    struct measurement m;
    struct calibrate_reading first, from, to;
    uint64_t least = UINT64_MAX;
    unsigned row = 0, longest_row = 0;

    first = from = begin(&m, clocks, 0);
    m.length = length;
    for (unsigned i = 0; i < SAMPLES_MAX && row < CALIBRATE_SAMPLES; i++) {
        enum verdict verdict = take_sample(&m, &from, &to);

        if (verdict == STOPPED)
            return false;
        if (verdict == DISTURBED) {
            if (!longest_row && m.longest < least) {
                least = m.longest;
                *out = calibrate_between(&from, &to);
            }
            row = 0;
            first = from = read_closely(&m);
            continue;
        }
        from = to;
        if (++row > longest_row) {
            longest_row = row;
            *out = calibrate_between(&first, &to);
        }
    }
    return true;
}
