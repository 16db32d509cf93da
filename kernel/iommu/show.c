/* SPDX-License-Identifier: BSD-2-Clause */
/* What the IOMMU is doing now, as the texts under /sys/kernel/iommu (docs/iommu.md). */
#include "kernel/cpu/thread.h"
#include "kernel/iommu/describe.h"
#include "kernel/iommu/domain.h"
#include "kernel/iommu/requester.h"
#include "kernel/pci/pci.h"

/*
 * A list of things that the payload makes ends here and says how many more there are: a file of
 * text is cut at TEXT_FILE_MAX, which is twice this, without a word.
 */
#define LIST_BYTES  (512 * KIB)
#define DOMAIN_WORK 15000 /* of the lines for a domain: breathe_after() */
#define LINE_WORK   5000

struct listing {
    struct teller to;
    uint64_t left_out;
};

/* Is there room for one more? If not, it is counted. */
static bool has_room(struct listing *listing)
{
    bool room = listing->to.text->length < LIST_BYTES;

    listing->left_out += !room;
    return room;
}

/*
 * Lists every domain that exists; `show` lets others in, but none of the domains ends meanwhile.
 * The first error is the text's, and the end of it.
 */
static int list_domains(struct listing *listing,
                        int (*show)(struct listing *listing, const struct iommu_domain *domain))
{
    const struct iommu_domain *domain;
    const struct iommu_unit *unit;
    int error = history_hold();

    if (error)
        return error;
    list_for_each_entry (unit, &iommu_units, link) {
        list_for_each_entry (domain, &unit->domains, link) {
            error = show(listing, domain);
            if (error)
                goto release;
        }
    }
release:
    history_release();
    return error;
}

/* ---- units ---- */

void iommu_units_show(void *context, struct text *out)
{
    const struct teller to = {.text = out};
    const struct iommu_unit *unit;

    list_for_each_entry (unit, &iommu_units, link)
        tell_unit(&to, unit);
}

void iommu_invalidations_show(void *context, struct text *out)
{
    const struct teller to = {.text = out};
    const struct iommu_unit *unit;

    list_for_each_entry (unit, &iommu_units, link) {
        tell_words(&to, "iommu%u:", unit->index);
        tell_invalidations(&to, &unit->invalidation);
    }
}

/* ---- domains ---- */

static void show_figures(const struct teller *to, const struct domain_figures *figures)
{
    tell_figures(to, figures);
    tell_words(to, "\n  ever attached:");
    tell_requesters(to, NULL, figures->unit->segment, &figures->history.attached);
    tell_words(to, "\n");
}

static void show_domain(const struct teller *to, const struct iommu_domain *domain)
{
    const struct iommu_unit *unit = domain->unit;
    const struct domain_figures figures = domain_figures(domain);
    const struct requester *requester;

    tell_words(to, "iommu%u domain %u%s: ", unit->index, domain->id,
               domain->quarantine ? " (quarantine)" : "");
    tell_leaves(to, NULL, "leaves ", ", ", domain->table.leaves);
    tell_words(to, "; %lu tables;", domain->table.tables + 1);
    list_for_each_entry (requester, &domain->requesters, domain_link)
        tell_words(to, " %s", pci_rid_name(unit->segment, requester->rid));
    tell_words(to, "\n");
    show_figures(to, &figures);
}

static void show_past_domain(void *context, const struct domain_figures *figures)
{
    const struct teller *to = context;

    tell_words(to, "iommu%u domain %u: destroyed at %lu ns\n", figures->unit->index, figures->id,
               figures->destroyed_ns);
    show_figures(to, figures);
    breathe_deaf_after(DOMAIN_WORK, "showing domains");
}

static int list_domain(struct listing *listing, const struct iommu_domain *domain)
{
    bool room = has_room(listing);

    if (room)
        show_domain(&listing->to, domain);
    return breathe_after(room ? DOMAIN_WORK : 1, "showing domains");
}

void iommu_domains_show(void *context, struct text *out)
{
    struct listing listing = {.to.text = out};
    uint64_t forgotten;

    out->error = list_domains(&listing, list_domain);
    if (listing.left_out)
        text_printf(out, "and %lu more domains\n", listing.left_out);
    if (!out->error)
        out->error = history_hold();
    if (out->error)
        return;
    forgotten = history_past(show_past_domain, &listing.to);
    history_release();
    if (forgotten)
        text_printf(out, "and %lu domains destroyed before\n", forgotten);
}

/* ---- mappings ---- */

static void list_area(void *context, const struct survey_area *area)
{
    struct listing *listing = context;

    if (!has_room(listing))
        return;
    breath_left -= LINE_WORK;
    tell_area(&listing->to, area);
}

static int list_mappings(struct listing *listing, const struct iommu_domain *domain)
{
    const struct survey_sink sink = {.area = list_area, .context = listing, .breathes = true};
    int error;

    if (listing->to.text->length < LIST_BYTES)
        tell_words(&listing->to, "iommu%u domain %u\n", domain->unit->index, domain->id);
    error = survey_domain(domain, &sink);
    return error ? error : breathe_after(LINE_WORK, "showing domains");
}

void iommu_mappings_show(void *context, struct text *out)
{
    struct listing listing = {.to.text = out};

    out->error = list_domains(&listing, list_mappings);
    if (listing.left_out)
        text_printf(out, "and %lu more\n", listing.left_out);
}

/* ---- faults ---- */

void iommu_faults_show(void *context, struct text *out)
{
    tell_faults(&(struct teller){.text = out});
}
