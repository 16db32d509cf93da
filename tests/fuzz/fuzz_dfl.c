/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as the BARs of a card, which may also change between two reads: the walker must stay
 * inside the BARs, end, and hand out only features that lie inside them.
 */
#include <stdlib.h>

#include "drivers/afu/dfl.h"
#include "kernel/lib/string.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct arbitrary_card {
    const uint8_t *data;
    size_t size;
    uint64_t bar_size;
    uint8_t drift; /* added to what is read, growing: registers that change under the reader */
    uint64_t reads;
};

static uint64_t read_anything(void *context, unsigned bar, uint64_t offset)
{
    struct arbitrary_card *c = context;
    uint64_t value = 0;

    if (bar >= DFL_BARS || offset % 8 || offset > c->bar_size - 8)
        abort();
    if (c->size >= 8)
        memcpy(&value, c->data + (offset + bar * 8) % (c->size - 7), 8);
    return value + c->drift * c->reads++;
}

static void check_unit(const struct dfl_unit *unit, uint64_t bar_size)
{
    if (unit->count == 0 || unit->count > DFL_FEATURES_MAX)
        abort();
    for (unsigned i = 0; i < unit->count; i++) {
        const struct dfl_feature *f = &unit->features[i];

        if (f->bar >= DFL_BARS || f->offset > bar_size || f->size > bar_size - f->offset)
            abort();
        if (f->irq_count && (uint64_t)f->irq_first + f->irq_count > 8)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct dfl found;
    static const struct dfl_start start = {0, 0};
    struct arbitrary_card c = {.data = data + 2, .size = size - 2};

    if (size < 2)
        return 0;
    c.drift = data[0];
    c.bar_size = (uint64_t)8 << (data[1] % 20);
    struct dfl_card card = {.read = read_anything, .context = &c, .vectors = 8};
    for (unsigned i = 0; i < DFL_BARS; i++)
        card.bar_size[i] = c.bar_size;
    if (dfl_walk(&card, &start, 1, &found))
        return 0;
    if (found.has_fme)
        check_unit(&found.fme, c.bar_size);
    for (unsigned i = 0; i < found.port_count; i++)
        check_unit(&found.ports[i], c.bar_size);
    return 0;
}
