/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/ioas_model.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_thread.h"
#include "tests/unit/ioas_iommu.h"
#include "tests/unit/ioas_operations.h"
#include "tests/unit/ioas_reference.h"

struct model_count model_counts[OPERATIONS];
uint64_t model_populated;
static size_t heap_at_start;

static void start(void)
{
    static const unsigned unit_of[TABLES] = {0, 1, 2, 0};
    static const unsigned bits[TABLES] = {48, 39, 48, 48};
    uint64_t seed = 12345;

    host_fail_nth(0);
    m = (struct model){.account.limit = 64 * MIB, .seed = model_input->seed, .step_name = "start"};
    heap_at_start = heap_used();
    source_create(&seed);
    ioas_iommu_reset();
    mutex_init(&m.lock);
    CHECK(mutex_lock(&m.lock, "test") == 0);
    for (size_t i = 0; i < SPACES; i++) {
        CHECK(ioas_create(&m.account, &m.lock, &m.spaces[i].ioas) == 0);
        for (size_t k = 0; k < RANGES; k++)
            m.spaces[i].reserved[k] = (struct m_range){1, 0};
    }
    for (size_t i = 0; i < TABLES; i++) {
        m.tables[i] = (struct m_table){.bits = bits[i], .space = -1};
        CHECK(iommu_domain_create(ioas_iommu_unit(unit_of[i]), &m.tables[i].domain) == 0);
    }
}

static void finish(void)
{
    for (size_t i = 0; i < TABLES; i++) {
        if (m.tables[i].space >= 0)
            ioas_detach(m.spaces[m.tables[i].space].ioas, m.tables[i].domain);
        iommu_domain_destroy(m.tables[i].domain);
    }
    CHECK(m.account.used == 0);
    for (size_t i = 0; i < SPACES; i++)
        ioas_destroy(m.spaces[i].ioas);
    ioas_iommu_finish();
    CHECK(heap_used() == heap_at_start);
    source_destroy();
}

static size_t choose(void)
{
    uint64_t at = below(100);
    size_t i = 0;

    while (at >= model_operations[i].weight)
        at -= model_operations[i++].weight;
    return i;
}

static bool may_end;

/*
 * Every step of work breathes: nobody else may hold the lock then, but between two mappings of a
 * device that is revoked; and now and then the end is asked for, which must undo everything.
 */
static int breath(const char *point, enum thread_hears hears)
{
    CHECK(mutex_held(&m.lock) || strcmp(point, "revoking memory") == 0);
    if (!may_end || hears != HEARS_END || !chance(10))
        return 0;
    m.ended = true;
    return -EINTR;
}

static void step(void)
{
    size_t i = choose();
    size_t heap = heap_used();
    uint64_t used_tables = ioas_iommu_tables();
    bool inject = model_operations[i].can_fail && chance(25);
    int result;

    m.step_name = model_operations[i].name;
    m.ended = false;
    may_end = model_operations[i].can_fail && chance(25);
    host_breath = breath;
    host_breath_work = breath_left = 0;
    source_room = chance(50) ? SIZE_MAX : 1 + below(8);
    if (inject)
        host_fail_nth(1 + below(below(2) ? 6 : 40));
    result = model_operations[i].run();
    model_populated += m_populated(0) || m_populated(1);
    if (result < 0 && model_operations[i].can_fail) {
        CHECK(heap_used() == heap);
        CHECK(ioas_iommu_tables() == used_tables);
    }
    if (host_failed() || m.ended)
        model_counts[i].injected++;
    else if (result < 0)
        model_counts[i].refused++;
    else if (result == 0)
        model_counts[i].passed++;
    if (m.step % 4 == 0 || result < 0)
        m_check_all();
    if (m.step % 16 == 0)
        m_check_ranges((int)below(SPACES));
    host_fail_nth(0);
    host_breath = NULL;
}

void ioas_model_run(struct model_input *input, uint64_t steps)
{
    model_input = input;
    start();
    for (; m.step < steps && (!input->data || input->size); m.step++)
        step();
    m_check_all();
    finish();
}
