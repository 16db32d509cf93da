/* SPDX-License-Identifier: BSD-2-Clause */
/* The figures of domains, and of those that are gone. */
#include "kernel/iommu/history.h"

#include "kernel/cpu/mutex.h"
#include "kernel/cpu/time.h"
#include "kernel/iommu/domain.h"

#define HOLD_POINT "io page tables"

static struct mutex holds = {.waiters = LIST_INIT(holds.waiters)};
static struct domain_figures past[HISTORY_PAST];
static uint64_t past_total;

int history_hold(void)
{
    return mutex_lock(&holds, HOLD_POINT);
}

void history_release(void)
{
    mutex_unlock(&holds);
}

void history_reset(void)
{
    past_total = 0;
}

struct domain_figures domain_figures(const struct iommu_domain *domain)
{
    struct domain_figures figures = {
        .unit = domain->unit,
        .id = domain->id,
        .quarantine = domain->quarantine,
        .maps = domain->maps,
        .unmaps = domain->unmaps,
        .history = domain->history,
    };

    for (unsigned level = 1; level <= PT_LEAF_MAX; level++)
        figures.leaves_made[level] = domain->table.leaves[level] + domain->table.removed[level];
    domain_note_peak(&figures.history, &domain->table);
    return figures;
}

void history_domain_ends(const struct iommu_domain *domain)
{
    struct domain_figures *figures;

    (void)mutex_lock_deaf(&holds, HOLD_POINT);
    mutex_unlock(&holds);
    figures = &past[past_total++ % HISTORY_PAST];
    *figures = domain_figures(domain);
    figures->destroyed_ns = time_ns();
}

uint64_t history_past(void (*domain)(void *context, const struct domain_figures *figures),
                      void *context)
{
    uint64_t first = past_total - MIN(past_total, HISTORY_PAST);

    for (uint64_t i = first; i < past_total; i++)
        domain(context, &past[i % HISTORY_PAST]);
    return first;
}
