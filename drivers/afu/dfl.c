/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers/afu/dfl.h"

#include "kernel/lib/error.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"

enum dfh_type {
    DFH_TYPE_AFU = 1,
    DFH_TYPE_PRIVATE = 3,
    DFH_TYPE_FIU = 4,
};

#define DFH_EOL             BIT(40)
#define DFH_NEXT_AFU        0x18
#define DFH1_CSR_ADDRESS    0x18
#define DFH1_CSR_GROUP      0x20
#define DFH1_PARAMETERS     0x28
#define DFH1_HAS_PARAMETERS BIT(31)
#define DFH1_ABSOLUTE       BIT(0)
#define DFH1_PARAMETER_LAST BIT(32)
#define DFH1_PARAMETER_MSIX 1
#define DFH0_LAST_SIZE      0x1000 /* what a version 0 feature without a successor occupies */

#define HEADERS_MAX       256  /* of one list: an endless one must end in reasonable time */
#define AFU_HEADER_SIZE   0x18 /* with its id */
#define FIU_HEADER_SIZE   0x70 /* up to the last header register that anybody reads */
#define PORT_OFST_PRESENT BIT(60)
#define PORT_OFST_NO_BAR  7

/* One header, read once. */
struct dfh {
    unsigned type;
    uint16_t id;
    uint8_t version;
    uint64_t next; /* bytes to the next header; 0: none */
    bool last;
};

/* A walk in progress: the list being read, and the unit that private features belong to. */
struct walk {
    const struct dfl_card *card;
    struct dfl *out;
    unsigned bar;
    uint64_t end; /* size of the BAR */
    struct dfl_unit *unit;
};

static int refuse(struct dfl *out, int error, const char *what, unsigned bar, uint64_t offset)
{
    format(out->message, sizeof(out->message), "device feature list, BAR %u offset 0x%lx: %s", bar,
           offset, what);
    return error;
}

static int malformed(const struct walk *w, uint64_t offset, const char *what)
{
    return refuse(w->out, -EINVAL, what, w->bar, offset);
}

static uint64_t read_at(const struct walk *w, uint64_t offset)
{
    return w->card->read(w->card->context, w->bar, offset);
}

/* Do `length` bytes from `offset` lie inside the BAR? */
static bool inside(const struct walk *w, uint64_t offset, uint64_t length)
{
    return offset <= w->end && length <= w->end - offset;
}

static struct dfh read_header(const struct walk *w, uint64_t offset)
{
    uint64_t raw = read_at(w, offset);

    return (struct dfh){
        .type = (unsigned)bits_get(raw, 63, 60),
        .id = (uint16_t)bits_get(raw, 11, 0),
        .version = (uint8_t)bits_get(raw, 59, 52),
        .next = bits_get(raw, 39, 16),
        .last = raw & DFH_EOL,
    };
}

static int add_feature(const struct walk *w, const struct dfl_feature *feature)
{
    struct dfl_unit *unit = w->unit;
    unsigned vectors = w->card->vectors;

    if (unit->count == DFL_FEATURES_MAX)
        return refuse(w->out, -E2BIG, "more features than fit", w->bar, feature->offset);
    if (feature->irq_count &&
        (feature->irq_first >= vectors || feature->irq_count > vectors - feature->irq_first))
        return malformed(w, feature->offset, "a feature names interrupts the card does not have");
    unit->features[unit->count++] = *feature;
    return 0;
}

/* Where version 0 features keep their interrupts: a register with count and first vector. */
struct irq_field {
    enum dfl_unit_kind kind;
    uint16_t id;
    uint16_t offset;
    uint8_t count_high, count_low;
    uint8_t first_high, first_low;
};

static const struct irq_field irq_fields[] = {
    {DFL_UNIT_FME, DFL_FME_ERROR, 0x70, 0, 0, 12, 1},
    {DFL_UNIT_PORT, DFL_PORT_ERROR, 0x38, 0, 0, 12, 1},
    {DFL_UNIT_PORT, DFL_PORT_USER_INTERRUPT, 0x08, 11, 0, 23, 12},
};

static void read_irq_field(const struct walk *w, struct dfl_feature *feature)
{
    for (size_t i = 0; i < ARRAY_SIZE(irq_fields); i++) {
        const struct irq_field *f = &irq_fields[i];

        if (f->kind != w->unit->kind || f->id != feature->id || feature->size < f->offset + 8u)
            continue;
        uint64_t raw = read_at(w, feature->offset + f->offset);
        feature->irq_count = (unsigned)bits_get(raw, f->count_high, f->count_low);
        feature->irq_first = (unsigned)bits_get(raw, f->first_high, f->first_low);
    }
}

/* Version 1 parameters: a chain of blocks, distances in 8-byte words, inside [at, end). */
static int read_parameters(const struct walk *w, uint64_t at, uint64_t end,
                           struct dfl_feature *feature)
{
    for (;;) {
        if (at >= end || end - at < 16)
            return malformed(w, at, "a parameter block leaves its feature");
        uint64_t header = read_at(w, at);
        uint64_t distance = bits_get(header, 63, 35) * 8;

        if (bits_get(header, 15, 0) == DFH1_PARAMETER_MSIX) {
            uint64_t data = read_at(w, at + 8);

            feature->irq_first = (unsigned)bits_get(data, 31, 0);
            feature->irq_count = (unsigned)bits_get(data, 63, 32);
        }
        if (header & DFH1_PARAMETER_LAST)
            return 0;
        if (distance == 0)
            return malformed(w, at, "a parameter block that is not the last has no successor");
        if (distance >= end - at)
            return malformed(w, at, "a parameter block leaves its feature");
        at += distance;
    }
}

static int private_feature_v0(const struct walk *w, uint64_t at, const struct dfh *h)
{
    struct dfl_feature feature = {.id = h->id, .bar = w->bar, .offset = at};

    feature.size = h->next ? h->next : MIN(DFH0_LAST_SIZE, w->end - at);
    if (!inside(w, at, feature.size))
        return malformed(w, at, "a feature leaves its BAR");
    read_irq_field(w, &feature);
    return add_feature(w, &feature);
}

static int private_feature_v1(const struct walk *w, uint64_t at, const struct dfh *h)
{
    struct dfl_feature feature = {.id = h->id, .bar = w->bar};
    uint64_t extent = h->next ? h->next : w->end - at;

    if (!inside(w, at, extent) || extent < DFH1_PARAMETERS)
        return malformed(w, at, "a feature leaves its BAR");
    uint64_t address = read_at(w, at + DFH1_CSR_ADDRESS);
    uint64_t group = read_at(w, at + DFH1_CSR_GROUP);
    feature.size = bits_get(group, 63, 32);
    if (address & DFH1_ABSOLUTE)
        feature.offset = address & ~DFH1_ABSOLUTE;
    else if (!range_end(at, address, &feature.offset))
        return malformed(w, at, "a register block's address wraps");
    if (!inside(w, feature.offset, feature.size))
        return malformed(w, at, "a register block leaves its BAR");
    if (group & DFH1_HAS_PARAMETERS) {
        int error = read_parameters(w, at + DFH1_PARAMETERS, at + extent, &feature);

        if (error)
            return error;
    }
    return add_feature(w, &feature);
}

static int private_feature(struct walk *w, uint64_t at, const struct dfh *h)
{
    if (!w->unit)
        return malformed(w, at, "a private feature stands before any FME or port");
    if (h->version == 0)
        return private_feature_v0(w, at, h);
    if (h->version == 1)
        return private_feature_v1(w, at, h);
    return malformed(w, at, "a header of an unknown version");
}

/* The AFU of a port: its size comes from the port's capabilities, never from its own header. */
static int add_afu(struct walk *w, uint64_t at, uint64_t size)
{
    struct dfl_feature feature = {.id = DFL_ID_AFU, .bar = w->bar, .offset = at, .size = size};

    if (size < AFU_HEADER_SIZE || !inside(w, at, size))
        return malformed(w, at, "the AFU leaves its BAR");
    return add_feature(w, &feature);
}

static bool port_known(const struct dfl *d, unsigned bar, uint64_t offset)
{
    for (unsigned i = 0; i < d->port_count; i++)
        if (d->ports[i].features[0].bar == bar && d->ports[i].features[0].offset == offset)
            return true;
    return false;
}

static int new_fme(struct walk *w, uint64_t at)
{
    if (w->out->has_fme)
        return malformed(w, at, "a second FME");
    w->out->has_fme = true;
    w->unit = &w->out->fme;
    return 0;
}

static int new_port(struct walk *w, uint64_t at)
{
    struct dfl *out = w->out;

    if (port_known(out, w->bar, at))
        return malformed(w, at, "a port that two lists lead to");
    if (out->port_count == DFL_PORTS_MAX)
        return refuse(out, -E2BIG, "more ports than fit", w->bar, at);
    w->unit = &out->ports[out->port_count++];
    return 0;
}

static int port_details(struct walk *w, uint64_t at)
{
    uint64_t capability = read_at(w, at + DFL_PORT_CAP);
    uint64_t next_afu = bits_get(read_at(w, at + DFH_NEXT_AFU), 23, 0);

    w->unit->number = (unsigned)bits_get(capability, 1, 0);
    if (!next_afu)
        return 0;
    if (!IS_ALIGNED(next_afu, 8))
        return malformed(w, at, "the AFU's offset is not a multiple of 8");
    return add_afu(w, at + next_afu, bits_get(capability, 23, 8) * KIB);
}

static int fiu(struct walk *w, uint64_t at, const struct dfh *h)
{
    struct dfl_feature header = {.id = DFL_ID_HEADER, .bar = w->bar, .offset = at};
    int error;

    if (h->id > DFL_UNIT_PORT)
        return malformed(w, at, "an FIU that is neither FME nor port");
    header.size = h->next ? h->next : MIN(DFH0_LAST_SIZE, w->end - at);
    if (!inside(w, at, header.size) || header.size < FIU_HEADER_SIZE)
        return malformed(w, at, "an FME or port header does not fit");
    error = h->id == DFL_UNIT_FME ? new_fme(w, at) : new_port(w, at);
    if (error)
        return error;
    *w->unit = (struct dfl_unit){.kind = (enum dfl_unit_kind)h->id};
    error = add_feature(w, &header);
    return error || h->id == DFL_UNIT_FME ? error : port_details(w, at);
}

static int list_entry_at(struct walk *w, uint64_t at, const struct dfh *h)
{
    switch (h->type) {
    case DFH_TYPE_FIU:
        return fiu(w, at, h);
    case DFH_TYPE_PRIVATE:
        return private_feature(w, at, h);
    case DFH_TYPE_AFU:
        /* Reached through the port's pointer; a list that also links it says nothing new. */
        return w->unit ? 0 : malformed(w, at, "an AFU stands before any port");
    default:
        return malformed(w, at, "a header of an unknown type");
    }
}

/* Walks one list. Offsets only grow, so it cannot cycle. */
static int walk_list(const struct dfl_card *card, struct dfl_start start, struct dfl *out)
{
    struct walk w = {.card = card, .out = out, .bar = start.bar};
    uint64_t at = start.offset;

    if (start.bar >= DFL_BARS || card->bar_size[start.bar] == 0)
        return refuse(out, -ENODEV, "there is no such memory BAR", start.bar, at);
    w.end = card->bar_size[start.bar];
    for (unsigned headers = 0; headers < HEADERS_MAX; headers++) {
        if (!IS_ALIGNED(at, 8) || !inside(&w, at, 8))
            return malformed(&w, at, "the list leaves its BAR");
        struct dfh h = read_header(&w, at);

        if (at == start.offset && h.type != DFH_TYPE_FIU)
            return refuse(out, -ENODEV, "it does not begin with an FME or port", w.bar, at);
        int error = list_entry_at(&w, at, &h);
        if (error)
            return error;
        if (h.last || h.next == 0)
            return 0;
        at += h.next;
    }
    return refuse(out, -E2BIG, "the list does not end", w.bar, at);
}

/* The ports that the FME names, each with a list of its own. */
static int walk_ports(const struct dfl_card *card, struct dfl *out)
{
    const struct dfl_feature *fme = &out->fme.features[0];
    uint64_t capability = card->read(card->context, fme->bar, fme->offset + DFL_FME_CAP);
    unsigned ports = MIN((unsigned)bits_get(capability, 19, 17), DFL_PORTS_MAX);

    for (unsigned i = 0; i < ports; i++) {
        uint64_t raw =
            card->read(card->context, fme->bar, fme->offset + DFL_FME_PORT_OFST + 8u * i);
        struct dfl_start start = {.bar = (unsigned)bits_get(raw, 34, 32),
                                  .offset = bits_get(raw, 23, 0)};

        if (!(raw & PORT_OFST_PRESENT) || start.bar == PORT_OFST_NO_BAR)
            continue;
        int error = walk_list(card, start, out);
        if (error)
            return error;
    }
    return 0;
}

int dfl_walk(const struct dfl_card *card, const struct dfl_start *starts, size_t count,
             struct dfl *out)
{
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < count; i++) {
        int error = walk_list(card, starts[i], out);

        if (error)
            return error;
    }
    return out->has_fme ? walk_ports(card, out) : 0;
}

const struct dfl_feature *dfl_find(const struct dfl_unit *unit, uint16_t id)
{
    for (unsigned i = 0; i < unit->count; i++)
        if (unit->features[i].id == id)
            return &unit->features[i];
    return NULL;
}
