/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domains, contexts and invalidation in front of a unit that caches everything it may: after every
 * call, what devices reach is compared with what they should.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "kernel/lib/error.h"
#include "kernel/mm/heap.h"
#include "tests/unit/host_heap.h"
#include "tests/unit/host_memory.h"
#include "tests/unit/iommu_machine.h"

/* ---- exercise over all kinds of units ---- */

#define DOMAINS 3
#define PIECES  24
#define DEVICES 3
#define ROUNDS  400

struct piece {
    uint64_t iova, length;
    paddr_t base;
    unsigned permissions;
};

struct exercise {
    struct vtd_unit *unit;
    struct iommu_domain *domains[DOMAINS];
    struct piece pieces[DOMAINS][PIECES];
    size_t counts[DOMAINS];
    int where[DEVICES]; /* domain of each device; -1: none */
    uint64_t rng;
};

/* In a child that wants to see a stale translation: note it and go on. */
static bool hunting, stale;

static const uint16_t devices[DEVICES] = {DEVICE, OTHER, PCI_RID(0x40, 31, 7)};

static uint64_t below(struct exercise *e, uint64_t bound)
{
    return host_random_below(&e->rng, bound);
}

static const struct piece *piece_at(const struct exercise *e, int domain, uint64_t iova)
{
    for (size_t i = 0; domain >= 0 && i < e->counts[domain]; i++) {
        const struct piece *piece = &e->pieces[domain][i];

        if (iova >= piece->iova && iova - piece->iova < piece->length)
            return piece;
    }
    return NULL;
}

/* A DMA of every device to the address, also of those it must not work for. */
static void probe(struct exercise *e, uint64_t iova)
{
    for (size_t i = 0; i < DEVICES; i++) {
        const struct piece *piece = piece_at(e, e->where[i], iova);
        bool write = below(e, 2);
        paddr_t reached = PADDR_NONE;
        unsigned reason = vtd_unit_dma(e->unit, devices[i], iova, write, &reached);
        bool allowed = piece && (piece->permissions & (write ? IOMMU_WRITE : IOMMU_READ));
        bool right =
            (reason == 0) == allowed && (!allowed || reached == piece->base + (iova - piece->iova));

        if (hunting)
            stale |= !right;
        else if (!right)
            fail_msg("device %zu iova 0x%llx write %d: reason %u, allowed %d, reached 0x%llx", i,
                     (unsigned long long)iova, write, reason, allowed, (unsigned long long)reached);
    }
}

static void probe_piece(struct exercise *e, const struct piece *piece)
{
    probe(e, piece->iova);
    probe(e, piece->iova + piece->length - 1);
    probe(e, piece->iova + below(e, piece->length));
    if (piece->iova)
        probe(e, piece->iova - 1);
    probe(e, piece->iova + piece->length);
}

static void step_map(struct exercise *e, unsigned d)
{
    static const uint64_t sizes[] = {PAGE_SIZE,           3 * PAGE_SIZE, 17 * PAGE_SIZE, SIZE_2M,
                                     SIZE_2M + PAGE_SIZE, 3 * SIZE_2M,   SIZE_1G};
    struct piece piece = {
        .length = sizes[below(e, ARRAY_SIZE(sizes))],
        .base = TARGET + below(e, 4) * SIZE_1G + below(e, 3) * SIZE_2M,
        .permissions = 1 + (unsigned)below(e, 3),
    };
    struct phys_run run;
    int error;

    if (e->counts[d] == PIECES)
        return;
    piece.iova = below(e, 4) * SIZE_1G + below(e, 4) * SIZE_2M + below(e, 2) * 511 * PAGE_SIZE;
    run = (struct phys_run){piece.base, piece.length};
    /* What is absent now may be cached as absent (caching mode). */
    probe_piece(e, &piece);
    error = iommu_map(e->domains[d], piece.iova, &run, 1, piece.permissions, 0);
    if (!error)
        e->pieces[d][e->counts[d]++] = piece;
    else
        assert_int_equal(error, -EEXIST);
    probe_piece(e, &piece);
}

static void step_unmap(struct exercise *e, unsigned d)
{
    struct iommu_gather gather;
    size_t many = 1 + below(e, 3);
    struct piece gone[3];
    size_t count = 0;

    /* Fill the caches. Between unmap and sync nothing may be said about what is in them. */
    for (size_t i = 0; i < e->counts[d]; i++)
        probe_piece(e, &e->pieces[d][i]);
    while (count < many && e->counts[d]) {
        size_t i = below(e, e->counts[d]);

        gone[count++] = e->pieces[d][i];
        e->pieces[d][i] = e->pieces[d][--e->counts[d]];
    }
    iommu_gather_init(&gather, e->domains[d]);
    for (size_t i = 0; i < count; i++)
        iommu_unmap(e->domains[d], gone[i].iova, gone[i].length, &gather);
    assert_int_equal(iommu_sync(&gather), 0);
    for (size_t i = 0; i < count; i++)
        probe_piece(e, &gone[i]);
}

/* The way for one area, which single pages take shorter. */
static void step_unmap_now(struct exercise *e, unsigned d)
{
    struct piece piece;
    size_t i;

    if (e->counts[d] == 0)
        return;
    i = below(e, e->counts[d]);
    piece = e->pieces[d][i];
    probe_piece(e, &piece);
    e->pieces[d][i] = e->pieces[d][--e->counts[d]];
    assert_int_equal(iommu_unmap_now(e->domains[d], piece.iova, piece.length), 0);
    probe_piece(e, &piece);
}

/* One leaf comes and goes at the same place, as a driver's buffer does. */
static void step_again(struct exercise *e, unsigned d)
{
    static const uint64_t sizes[] = {PAGE_SIZE, SIZE_2M, SIZE_1G};
    struct piece *piece = &e->pieces[d][e->counts[d]];
    struct phys_run run;

    if (e->counts[d] == PIECES)
        return;
    piece->length = sizes[below(e, ARRAY_SIZE(sizes))];
    piece->iova = 9 * SIZE_1G;
    piece->permissions = IOMMU_READ | IOMMU_WRITE;
    for (unsigned i = 0; i < 4; i++) {
        piece->base = TARGET + (8 + i) * SIZE_1G;
        run = (struct phys_run){piece->base, piece->length};
        probe_piece(e, piece);
        assert_int_equal(iommu_map(e->domains[d], piece->iova, &run, 1, piece->permissions, 0), 0);
        e->counts[d]++;
        probe_piece(e, piece);
        e->counts[d]--;
        assert_int_equal(iommu_unmap_now(e->domains[d], piece->iova, piece->length), 0);
        probe_piece(e, piece);
    }
}

/* Clears and maps something else there before the invalidation. */
static void step_remap(struct exercise *e, unsigned d)
{
    struct piece *piece;
    struct phys_run run;
    struct iommu_gather gather;

    if (e->counts[d] == 0)
        return;
    piece = &e->pieces[d][below(e, e->counts[d])];
    probe_piece(e, piece);
    iommu_gather_init(&gather, e->domains[d]);
    iommu_unmap(e->domains[d], piece->iova, piece->length, &gather);
    piece->base += SIZE_1G;
    piece->permissions = 1 + (unsigned)below(e, 3);
    run = (struct phys_run){piece->base, piece->length};
    assert_int_equal(iommu_map(e->domains[d], piece->iova, &run, 1, piece->permissions, 0), 0);
    probe_piece(e, piece);
    assert_int_equal(iommu_sync(&gather), 0);
    probe_piece(e, piece);
}

static void step_attach(struct exercise *e, unsigned d)
{
    size_t i = below(e, DEVICES);
    int from = e->where[i];

    probe(e, IOVA);
    if (from < 0) {
        assert_int_equal(iommu_attach(e->domains[d], machine_requester(devices[i])), 0);
        e->where[i] = (int)d;
    } else if (below(e, 2)) {
        assert_int_equal(iommu_attach(e->domains[d], machine_requester(devices[i])), -EBUSY);
        assert_int_equal(iommu_replace(e->domains[d], machine_requester(devices[i])), 0);
        e->where[i] = (int)d;
    } else {
        assert_int_equal(iommu_detach(e->domains[from], machine_requester(devices[i])), 0);
        e->where[i] = -1;
    }
    for (unsigned n = 0; n < DOMAINS; n++) {
        if (e->counts[n])
            probe_piece(e, &e->pieces[n][below(e, e->counts[n])]);
    }
}

static void exercise(uint64_t cap, uint64_t ecap, uint64_t seed, unsigned deaf_to)
{
    static const struct iommu_options options = {.unsafe_interrupts = true};
    struct exercise *e = calloc(1, sizeof(*e));

    e->unit = machine_start(cap, ecap, &options);
    e->unit->deaf_to = deaf_to;
    e->rng = seed;
    for (unsigned d = 0; d < DOMAINS; d++)
        e->domains[d] = machine_domain();
    for (unsigned i = 0; i < DEVICES; i++)
        e->where[i] = -1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        unsigned d = (unsigned)below(e, DOMAINS);

        vtd_unit_forget_events(e->unit);
        switch (below(e, 7)) {
        case 0:
        case 1:
            step_map(e, d);
            break;
        case 2:
            step_unmap(e, d);
            break;
        case 3:
            step_unmap_now(e, d);
            break;
        case 4:
            step_remap(e, d);
            break;
        case 5:
            step_again(e, d);
            break;
        default:
            step_attach(e, d);
            break;
        }
    }
    for (unsigned i = 0; i < DEVICES; i++) {
        if (e->where[i] >= 0)
            assert_int_equal(iommu_detach(e->domains[e->where[i]], machine_requester(devices[i])),
                             0);
        e->where[i] = -1;
    }
    probe(e, 0);
    for (unsigned d = 0; d < DOMAINS; d++)
        iommu_domain_destroy(e->domains[d]);
    assert_int_equal(machine_unit()->tables.used, 0);
    assert_int_equal(machine_unit()->tables_stranded, 0);
    assert_false(machine_unit()->fenced);
    free(e);
    machine_stop();
}

/* Every combination of coherency, snoop control, caching mode, write buffers, queue, page-selective
 * invalidation, and depth. */
static void works_on_every_kind_of_unit(void **state)
{
    static const uint64_t depths[] = {UINT64_C(38) << 16 | 0x200, UINT64_C(47) << 16 | 0x400,
                                      UINT64_C(56) << 16 | 0x800};

    for (unsigned kind = 0; kind < 64; kind++) {
        for (size_t depth = 0; depth < ARRAY_SIZE(depths); depth++) {
            uint64_t cap = CAP_WITH(depths[depth], 0x3f1f00 & ~depths[depth]);
            uint64_t ecap = VTD_TEST_ECAP;

            ecap |= kind & 1 ? BIT(VTD_ECAP_C) : 0;
            ecap |= kind & 2 ? BIT(VTD_ECAP_SC) : 0;
            cap |= kind & 4 ? BIT(VTD_CAP_CM) : 0;
            cap |= kind & 8 ? BIT(VTD_CAP_RWBF) : 0;
            ecap &= kind & 16 ? ~BIT(VTD_ECAP_QI) : ~UINT64_C(0);
            cap &= kind & 32 ? ~BIT(VTD_CAP_PSI) : ~UINT64_C(0);
            exercise(cap, ecap, 1000 + kind * 3 + depth, 0);
        }
    }
}

/* Does the exercise notice when a unit overhears one kind of invalidation? */
static bool notices(uint64_t cap, uint64_t ecap, unsigned deaf_to)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        /* Stale tables may also lead the simulated unit out of memory: it aborts. */
        if (!freopen("/dev/null", "w", stderr))
            _exit(1);
        signal(SIGABRT, SIG_DFL);
        hunting = true;
        for (uint64_t seed = 1; seed < 20 && !stale; seed++)
            exercise(cap, ecap, seed, deaf_to);
        _exit(stale ? 7 : 0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return (WIFEXITED(status) && WEXITSTATUS(status) == 7) ||
           (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/*
 * Each kind of invalidation left out in turn, also where only caching mode needs it: the exercise
 * above fails. With none left out it does not, or the rest would prove nothing.
 */
static void every_invalidation_is_needed(void **state)
{
    static const unsigned kinds[] = {VTD_DEAF_CONTEXT, VTD_DEAF_PAGES, VTD_DEAF_PAGE_TABLES,
                                     VTD_DEAF_DOMAIN, VTD_DEAF_DOMAIN_TABLES};
    static const uint64_t caps[] = {VTD_TEST_CAP, VTD_TEST_CAP | BIT(VTD_CAP_CM)};

    for (size_t c = 0; c < ARRAY_SIZE(caps); c++) {
        assert_false(notices(caps[c], VTD_TEST_ECAP, 0));
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
            if (!notices(caps[c], VTD_TEST_ECAP, kinds[i]))
                fail_msg("nobody noticed that invalidation %u was left out", kinds[i]);
        }
    }
}

/* Small address masks: ranges and large leaves that page-selective invalidation cannot cover. */
static void works_with_small_masks(void **state)
{
    static const unsigned masks[] = {0, 1, 8, 9, 17, 18};

    for (size_t i = 0; i < ARRAY_SIZE(masks); i++)
        exercise(CAP_WITH((uint64_t)masks[i] << 48, UINT64_C(63) << 48), VTD_TEST_ECAP, i + 1, 0);
}

/* One page at once, beside one that stays; with page-selective invalidation and without. */
static void one_page_goes_at_once(void **state)
{
    static const uint64_t caps[] = {VTD_TEST_CAP, VTD_TEST_CAP & ~BIT(VTD_CAP_PSI)};

    for (size_t i = 0; i < ARRAY_SIZE(caps); i++) {
        struct vtd_unit *unit = machine_start(caps[i], VTD_TEST_ECAP, NULL);
        struct iommu_domain *domain = machine_domain();

        assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
        machine_map(domain, IOVA, TARGET, 2 * PAGE_SIZE, IOMMU_WRITE);
        machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
        machine_expect_dma(unit, DEVICE, IOVA + PAGE_SIZE, true, TARGET + PAGE_SIZE);
        vtd_unit_forget_events(unit);
        assert_int_equal(iommu_unmap_now(domain, IOVA, PAGE_SIZE), 0);
        assert_int_equal(vtd_unit_count(unit, VTD_EVENT_IOTLB), 1);
        machine_expect_refused(unit, DEVICE, IOVA, true, 5);
        machine_expect_dma(unit, DEVICE, IOVA + PAGE_SIZE, true, TARGET + PAGE_SIZE);
        /* A unit that does not confirm it is fenced, and the caller knows. */
        unit->dead = true;
        assert_int_equal(iommu_unmap_now(domain, IOVA + PAGE_SIZE, PAGE_SIZE), -EIO);
        assert_true(machine_unit()->fenced);
        iommu_detach(domain, machine_requester(DEVICE));
        iommu_domain_destroy(domain);
        machine_stop();
    }
}

/* ---- mapping ---- */

static void rejects_what_the_contract_forbids(void **state)
{
    static const struct {
        uint64_t iova;
        struct phys_run run;
        unsigned permissions;
        int error;
    } cases[] = {
        {IOVA + 1, {TARGET, PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {IOVA, {TARGET + 1, PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {IOVA, {TARGET, PAGE_SIZE + 1}, IOMMU_READ, -EINVAL},
        {IOVA, {TARGET, 0}, IOMMU_READ, -EINVAL},
        {IOVA, {TARGET, PAGE_SIZE}, 0, -EINVAL},
        {IOVA, {TARGET, PAGE_SIZE}, 4, -EINVAL},
        {IOVA, {TARGET, PAGE_SIZE}, 7, -EINVAL},
        {BIT(48), {TARGET, PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {BIT(48) - PAGE_SIZE, {TARGET, 2 * PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {~UINT64_C(0) - 0xfff, {TARGET, PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {IOVA, {BIT(46) - PAGE_SIZE, 2 * PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {IOVA, {BIT(46), PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {IOVA, {~UINT64_C(0) - 0xfff, PAGE_SIZE}, IOMMU_READ, -EINVAL},
        {IOVA, {BIT(46) - PAGE_SIZE, PAGE_SIZE}, IOMMU_READ, 0},
        {BIT(48) - PAGE_SIZE, {TARGET, PAGE_SIZE}, IOMMU_WRITE, 0},
        {0, {0, PAGE_SIZE}, IOMMU_READ | IOMMU_WRITE, 0},
        {0, {0, PAGE_SIZE}, IOMMU_READ, -EEXIST},
    };
    struct iommu_domain *domain;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t pages = machine_unit()->tables.used;
        int error = iommu_map(domain, cases[i].iova, &cases[i].run, 1, cases[i].permissions, 0);

        if (error != cases[i].error)
            fail_msg("case %zu: %d", i, error);
        if (error)
            assert_int_equal(machine_unit()->tables.used, pages);
    }
    assert_int_equal(iommu_map(domain, IOVA, NULL, 0, IOMMU_READ, 0), -EINVAL);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* A run that is wrong in the middle of a list leaves nothing behind, not even in the IOTLB. */
static void a_failed_map_leaves_nothing(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct phys_run runs[] = {
        {TARGET, SIZE_2M}, {TARGET + SIZE_1G, PAGE_SIZE}, {TARGET + 1, PAGE_SIZE}};
    struct iommu_domain *domain = machine_domain();
    uint64_t pages = machine_unit()->tables.used;

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_map(domain, IOVA, runs, 3, IOMMU_WRITE, 0), -EINVAL);
    machine_expect_refused(unit, DEVICE, IOVA, true, 5);
    machine_expect_refused(unit, DEVICE, IOVA + SIZE_2M, true, 5);
    assert_int_equal(machine_unit()->tables.used, pages);
    assert_int_equal(domain->table.leaves[1] + domain->table.leaves[2], 0);
    assert_int_equal(domain->open, 0);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* Every allocation of every call, made to fail in turn, changes nothing. */
static void survives_every_failed_allocation(void **state)
{
    struct phys_run run = {TARGET, 5 * PAGE_SIZE};
    struct iommu_domain *domain;
    bool done = false;

    for (uint64_t n = 1; !done; n++) {
        int error;

        machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
        host_fail_nth(n);
        error = iommu_domain_create(machine_unit(), &domain);
        if (!error) {
            error = iommu_map(domain, IOVA, &run, 1, IOMMU_READ, 0);
            if (!error)
                error = iommu_attach(domain, machine_requester(DEVICE));
            done = !host_failed();
            host_fail_nth(0);
            assert_int_equal(error, done ? 0 : -ENOMEM);
            if (done)
                assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
            iommu_domain_destroy(domain);
        } else {
            host_fail_nth(0);
            assert_int_equal(error, -ENOMEM);
            assert_true(list_empty(&machine_unit()->domains));
        }
        assert_int_equal(machine_unit()->tables.used, 0);
        machine_stop();
    }
}

static void small_leaves_on_request(void **state)
{
    struct phys_run run = {TARGET, SIZE_2M};
    struct iommu_translation found;
    struct iommu_domain *domain;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    assert_int_equal(iommu_map(domain, IOVA, &run, 1, IOMMU_READ, IOMMU_SMALL_LEAVES), 0);
    assert_true(iommu_translate(domain, IOVA + SIZE_2M - 1, &found));
    assert_int_equal(found.leaf_size, PAGE_SIZE);
    assert_int_equal(found.physical, TARGET + SIZE_2M - 1);
    /* They may be cut: part of the range goes, the rest stays. */
    machine_unmap(domain, IOVA + PAGE_SIZE, PAGE_SIZE);
    assert_true(iommu_translate(domain, IOVA, &found));
    assert_false(iommu_translate(domain, IOVA + PAGE_SIZE, &found));
    assert_true(iommu_translate(domain, IOVA + 2 * PAGE_SIZE, &found));
    iommu_domain_destroy(domain);
    machine_stop();
}

static void pitfall_02_unaligned_ranges_get_no_large_leaf(void **state)
{
    static const struct phys_run run = {TARGET + PAGE_SIZE, 2 * SIZE_2M};
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();
    struct iommu_translation found;

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    /* IOVA and physical address differ modulo 2 MiB: every page on its own. */
    assert_int_equal(iommu_map(domain, IOVA, &run, 1, IOMMU_READ, 0), 0);
    assert_int_equal(domain->table.leaves[1], 1024);
    assert_int_equal(domain->table.leaves[2], 0);
    machine_expect_dma(unit, DEVICE, IOVA + SIZE_2M + 5, false, TARGET + PAGE_SIZE + SIZE_2M + 5);
    machine_unmap(domain, IOVA, run.length);
    /* The same offset in both: large in the middle, small around. */
    assert_int_equal(iommu_map(domain, IOVA + PAGE_SIZE, &run, 1, IOMMU_READ, 0), 0);
    assert_int_equal(domain->table.leaves[2], 1);
    assert_int_equal(domain->table.leaves[1], 512);
    assert_true(iommu_translate(domain, IOVA + SIZE_2M, &found));
    assert_int_equal(found.leaf_size, SIZE_2M);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void pitfall_04_translations_carry_no_marker_bits(void **state)
{
    struct iommu_domain *domain;
    struct iommu_translation found;

    machine_start(VTD_TEST_CAP, ECAP_WITH(BIT(7), 0), NULL); /* with the snoop bit in leaves */
    domain = machine_domain();
    machine_map(domain, IOVA, BIT(46) - SIZE_1G, SIZE_1G, IOMMU_WRITE);
    assert_true(iommu_translate(domain, IOVA + 0x123456, &found));
    assert_int_equal(found.physical, BIT(46) - SIZE_1G + 0x123456);
    assert_int_equal(found.permissions, IOMMU_WRITE);
    assert_int_equal(found.leaf_size, SIZE_1G);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* ---- stale translations ---- */

/* The directory entry of the small pages is in the paging-structure cache when the large leaf
 * comes, and the caller has not synced yet. */
static void pitfall_01_large_leaf_over_emptied_table(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();
    static const struct phys_run small = {TARGET, SIZE_2M};
    struct iommu_gather gather;

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_map(domain, IOVA, &small, 1, IOMMU_WRITE, IOMMU_SMALL_LEAVES), 0);
    machine_expect_dma(unit, DEVICE, IOVA + 0x5000, true, TARGET + 0x5000);
    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, IOVA, SIZE_2M, &gather);
    machine_map(domain, IOVA, TARGET + SIZE_1G, SIZE_2M, IOMMU_WRITE);
    machine_expect_dma(unit, DEVICE, IOVA + 0x5000, true, TARGET + SIZE_1G + 0x5000);
    machine_expect_dma(unit, DEVICE, IOVA + 0x6000, true, TARGET + SIZE_1G + 0x6000);
    assert_int_equal(iommu_sync(&gather), 0);
    machine_expect_dma(unit, DEVICE, IOVA + 0x6000, true, TARGET + SIZE_1G + 0x6000);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* A table page that the unit may still walk is neither changed nor handed out before the sync. */
static void pitfall_03_table_pages_wait_for_the_invalidation(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain(), *second = machine_domain();
    static const struct phys_run small = {TARGET, SIZE_2M};
    struct iommu_gather gather;
    uint64_t used;

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_map(domain, IOVA, &small, 1, IOMMU_WRITE, IOMMU_SMALL_LEAVES), 0);
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
    used = machine_unit()->tables.used;
    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, IOVA, SIZE_2M, &gather);
    assert_int_not_equal(gather.removed.freed, 0);
    assert_int_equal(machine_unit()->tables.used, used);
    /* Another domain takes table pages now; the walk through the old one still ends where it did.
     */
    machine_map(second, 7 * SIZE_1G, TARGET + 8 * SIZE_1G, 3 * PAGE_SIZE, IOMMU_READ);
    machine_expect_dma(unit, DEVICE, IOVA + 0x9000, true, TARGET + 0x9000);
    assert_int_equal(iommu_sync(&gather), 0);
    assert_true(machine_unit()->tables.used < used + 3);
    machine_expect_refused(unit, DEVICE, IOVA + 0x9000, true, 5);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    iommu_domain_destroy(second);
    machine_stop();
}

/* One flush per line of eight entries, and none where the unit snoops. */
static void pitfall_06_flushes_whole_lines_once(void **state)
{
    static const struct phys_run run = {TARGET, 64 * PAGE_SIZE};
    struct iommu_domain *domain;
    uint64_t before;

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    machine_map(domain, IOVA + SIZE_1G - PAGE_SIZE, TARGET, PAGE_SIZE, IOMMU_READ);
    /* The page for the new table is one that was flushed before. */
    table_release(&machine_unit()->tables, table_alloc(&machine_unit()->tables));
    before = vtd_memory_flushes;
    assert_int_equal(iommu_map(domain, IOVA + 4 * PAGE_SIZE, &run, 1, IOMMU_READ, 0), 0);
    /* Entries 4 to 67 touch lines 0 to 8; one more each for the two tables above. */
    assert_int_equal(vtd_memory_flushes - before, 9 + 1);
    before = vtd_memory_flushes;
    machine_unmap(domain, IOVA + 4 * PAGE_SIZE, run.length);
    /* The same lines; the table stays, and without a requester nothing is queued. */
    assert_int_equal(vtd_memory_flushes - before, 9);
    iommu_domain_destroy(domain);
    machine_stop();

    machine_start(VTD_TEST_CAP, ECAP_WITH(BIT(0), 0), NULL);
    before = vtd_memory_flushes;
    domain = machine_domain();
    assert_int_equal(iommu_map(domain, IOVA, &run, 1, IOMMU_READ, 0), 0);
    machine_unmap(domain, IOVA, run.length);
    iommu_domain_destroy(domain);
    assert_int_equal(vtd_memory_flushes, before);
    machine_stop();
}

static void pitfall_07_caching_mode_invalidates_new_mappings(void **state)
{
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(7), 0), VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();

    machine_expect_refused(unit, DEVICE, IOVA, false, 2); /* absence is cached now */
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    machine_expect_refused(unit, DEVICE, IOVA, false, 6);
    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    machine_expect_dma(unit, DEVICE, IOVA, false, TARGET);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    machine_expect_refused(unit, DEVICE, IOVA + SIZE_2M, false, 6);
    machine_expect_refused(unit, DEVICE, IOVA + SIZE_1G - 1, false, 6);
    machine_map(domain, IOVA, TARGET, SIZE_1G, IOMMU_READ);
    machine_expect_dma(unit, DEVICE, IOVA + SIZE_2M, false, TARGET + SIZE_2M);
    machine_expect_dma(unit, DEVICE, IOVA + SIZE_1G - 1, false, TARGET + SIZE_1G - 1);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void pitfall_08_caching_mode_reserves_domain_0(void **state)
{
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(7), 0), VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();

    assert_int_equal(domain->id, 1);
    vtd_unit_forget_events(unit);
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    /* The absence of the context entry is cached under id 0; what is below it under the new one. */
    assert_int_equal(vtd_descriptor_type(&unit->descriptors[0]), VTD_DESCRIPTOR_CONTEXT);
    assert_int_equal(bits_get(unit->descriptors[0].low, 31, 16), 0);
    assert_int_equal(vtd_descriptor_type(&unit->descriptors[1]), VTD_DESCRIPTOR_IOTLB);
    assert_int_equal(vtd_descriptor_granularity(&unit->descriptors[1]), VTD_DOMAIN);
    assert_int_equal(bits_get(unit->descriptors[1].low, 31, 16), 1);
    vtd_unit_forget_events(unit);
    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    /* The IOTLB is invalidated under the domain's own id. */
    assert_int_equal(vtd_descriptor_type(&unit->descriptors[0]), VTD_DESCRIPTOR_IOTLB);
    assert_int_equal(bits_get(unit->descriptors[0].low, 31, 16), 1);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();

    machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    assert_int_equal(domain->id, 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* ---- contexts ---- */

static struct vtd_unit *watched;
static unsigned seen_absent, seen_old, seen_new;
static struct vtd_context_entry old_entry, new_entry;

/* What the unit would read from the entry of DEVICE right now. */
static struct vtd_context_entry entry_in_memory(bool flushed)
{
    uint64_t root = *(const uint64_t *)vtd_memory_seen(watched->root, flushed);

    if (!(root & 1))
        return (struct vtd_context_entry){0, 0};
    return *(const struct vtd_context_entry *)vtd_memory_seen(
        (root & VTD_ADDRESS_MASK) + DEVICE * 16, flushed);
}

/* Between any two stores: absent, or wholly old, or wholly new. Never a mixture. */
static void watch_entry(void)
{
    for (unsigned flushed = 0; flushed < 2; flushed++) {
        struct vtd_context_entry entry = entry_in_memory(flushed);

        if (!(entry.low & 1))
            seen_absent++;
        else if (memcmp(&entry, &old_entry, sizeof(entry)) == 0)
            seen_old++;
        else if (memcmp(&entry, &new_entry, sizeof(entry)) == 0)
            seen_new++;
        else
            fail_msg("torn context entry 0x%llx 0x%llx", (unsigned long long)entry.low,
                     (unsigned long long)entry.high);
    }
}

static struct vtd_context_entry entry_for(const struct iommu_domain *domain)
{
    return vtd_context(virt_to_phys(domain->table.root), domain->table.levels, domain->id, false);
}

static void pitfall_09_context_entries_are_never_torn(void **state)
{
    struct iommu_domain *first, *second;

    watched = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    first = machine_domain();
    second = machine_domain();
    old_entry = entry_for(first);
    new_entry = entry_for(second);
    vtd_memory_on_flush = watch_entry;

    assert_int_equal(iommu_attach(first, machine_requester(DEVICE)), 0);
    seen_absent = 0;
    assert_int_equal(iommu_replace(second, machine_requester(DEVICE)), 0);
    assert_int_equal(seen_absent, 0); /* no moment in which DMA is refused */
    assert_true(seen_old && seen_new);

    /* Detach: the present bit goes alone; the rest only after context and IOTLB invalidation. */
    vtd_unit_forget_events(watched);
    assert_int_equal(iommu_detach(second, machine_requester(DEVICE)), 0);
    assert_true(vtd_unit_first(watched, VTD_EVENT_CONTEXT) <
                vtd_unit_first(watched, VTD_EVENT_IOTLB));
    vtd_memory_on_flush = NULL;
    assert_int_equal(entry_in_memory(true).low, 0);
    assert_int_equal(entry_in_memory(true).high, 0);
    iommu_domain_destroy(first);
    iommu_domain_destroy(second);
    machine_stop();
}

static uint64_t high_at_wait;

static void remember_high(void)
{
    struct vtd_context_entry entry = entry_in_memory(true);

    if (!(entry.low & 1) && vtd_unit_count(watched, VTD_EVENT_WAIT) == 0)
        high_at_wait = entry.high;
}

static void a_revoked_entry_keeps_its_rest_until_invalidated(void **state)
{
    struct iommu_domain *domain;

    watched = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    domain = machine_domain();
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    vtd_unit_forget_events(watched);
    high_at_wait = 0;
    vtd_memory_on_flush = remember_high;
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    vtd_memory_on_flush = NULL;
    assert_int_equal(high_at_wait, entry_for(domain).high);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* Replacing leaves the other members of both domains alone. */
static void replace_keeps_domains_apart(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *first = machine_domain(), *second = machine_domain();

    machine_map(first, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_map(second, IOVA, TARGET + SIZE_1G, PAGE_SIZE, IOMMU_WRITE);
    assert_int_equal(iommu_attach(first, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_attach(first, machine_requester(OTHER)), 0);
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
    assert_int_equal(iommu_replace(second, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_replace(second, machine_requester(DEVICE)),
                     0); /* again: nothing to do */
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET + SIZE_1G);
    machine_expect_dma(unit, OTHER, IOVA, true, TARGET);
    assert_int_equal(first->attached, 1);
    assert_int_equal(second->attached, 1);
    assert_int_equal(iommu_detach(first, machine_requester(DEVICE)), -ENODEV);
    assert_int_equal(iommu_detach(second, machine_requester(DEVICE)), 0);
    assert_int_equal(iommu_detach(first, machine_requester(OTHER)), 0);
    iommu_domain_destroy(first);
    iommu_domain_destroy(second);
    machine_stop();
}

/* CAP.ND = 0: 16 ids, one of them reserved. A freed id is used again; exhaustion is said. */
static void domain_ids_run_out_with_an_error(void **state)
{
    struct iommu_domain *domains[16], *extra;
    unsigned count = 0;

    machine_start(CAP_WITH(BIT(7), 7), VTD_TEST_ECAP, NULL);
    while (iommu_domain_create(machine_unit(), &domains[count]) == 0)
        count++;
    assert_int_equal(count, 15);
    assert_int_equal(iommu_domain_create(machine_unit(), &extra), -ENOSPC);
    assert_non_null(strstr(host_log(), "all 16 domain ids are in use"));
    iommu_domain_destroy(domains[7]);
    assert_int_equal(iommu_domain_create(machine_unit(), &domains[7]), 0);
    assert_int_equal(domains[7]->id, 8);
    while (count--)
        iommu_domain_destroy(domains[count]);
    machine_stop();
}

/* ---- invalidation ---- */

static void masks_cover_ranges_exactly(void **state)
{
    uint64_t rng = 99;

    for (unsigned i = 0; i < 200000; i++) {
        uint64_t first = host_random_below(&rng, BIT(1 + host_random_below(&rng, 40)));
        uint64_t last = first + host_random_below(&rng, BIT(1 + host_random_below(&rng, 20)));
        unsigned max = (unsigned)host_random_below(&rng, 19);
        unsigned mask = invalidation_mask(first, last, max);
        unsigned cover = invalidation_cover(first, last);

        /* Aligned, inside, and the largest such. */
        assert_true(mask <= max && IS_ALIGNED(first, BIT(mask)));
        assert_true(first + (BIT(mask) - 1) <= last);
        assert_true(mask == max || !IS_ALIGNED(first, BIT(mask + 1)) ||
                    first + (BIT(mask + 1) - 1) > last);
        /* The smallest aligned block around both. */
        assert_int_equal(first >> cover, last >> cover);
        assert_true(cover == 0 || first >> (cover - 1) != last >> (cover - 1));
    }
}

/* Number of IOTLB requests, by granularity, that an unmap of one mapping caused. */
static void expect_requests(uint64_t cap, uint64_t iova, uint64_t length, unsigned pages,
                            unsigned domain_wide)
{
    struct vtd_unit *unit = machine_start(cap, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();
    unsigned got[4] = {0};

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    machine_map(domain, iova, TARGET + iova % SIZE_1G, length, IOMMU_READ);
    vtd_unit_forget_events(unit);
    machine_unmap(domain, iova, length);
    for (size_t i = 0; i < unit->descriptor_count; i++) {
        if (vtd_descriptor_type(&unit->descriptors[i]) == VTD_DESCRIPTOR_IOTLB)
            got[vtd_descriptor_granularity(&unit->descriptors[i])]++;
    }
    assert_int_equal(got[VTD_PAGES], pages);
    assert_int_equal(got[VTD_DOMAIN], domain_wide);
    assert_int_equal(got[VTD_GLOBAL], 0);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void invalidates_as_little_as_possible(void **state)
{
    uint64_t mamv9 = CAP_WITH(UINT64_C(9) << 48, UINT64_C(63) << 48);

    expect_requests(VTD_TEST_CAP, IOVA, PAGE_SIZE, 1, 0);
    expect_requests(VTD_TEST_CAP, IOVA, 8 * PAGE_SIZE, 1, 0);
    expect_requests(VTD_TEST_CAP, IOVA + PAGE_SIZE, 2 * PAGE_SIZE, 2, 0);
    expect_requests(VTD_TEST_CAP, IOVA, SIZE_1G, 1, 0);
    expect_requests(VTD_TEST_CAP, IOVA + PAGE_SIZE, 255 * PAGE_SIZE, 8, 0);
    expect_requests(VTD_TEST_CAP, IOVA + PAGE_SIZE, 65535 * PAGE_SIZE, 16, 0);
    expect_requests(VTD_TEST_CAP, IOVA + PAGE_SIZE, 131071 * PAGE_SIZE, 0, 1);
    expect_requests(VTD_TEST_CAP, 0, 17 * SIZE_1G, 0, 1);
    /* A mask too small for the leaf: the whole domain. */
    expect_requests(mamv9, IOVA, SIZE_2M, 1, 0);
    expect_requests(mamv9, IOVA, SIZE_1G, 0, 1);
    expect_requests(CAP_WITH(0, BIT(39)), IOVA, PAGE_SIZE, 0, 1);
}

/* Nothing is attached: nothing can be cached, and nothing is asked of the unit. */
static void no_invalidation_without_a_requester(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();

    vtd_unit_forget_events(unit);
    machine_map(domain, IOVA, TARGET, SIZE_2M, IOMMU_READ);
    machine_unmap(domain, IOVA, SIZE_2M);
    assert_int_equal(unit->event_count, 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void pitfall_15_write_buffers_are_flushed(void **state)
{
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(4), 0), ECAP_WITH(1, 0), NULL);
    struct iommu_domain *domain = machine_domain();

    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), 0);
    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
    /* An invalidation flushes by itself: no command beside it. */
    vtd_unit_forget_events(unit);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_BUFFER_FLUSH), 0);
    machine_expect_refused(unit, DEVICE, IOVA, true, 5);
    /* A unit whose flush does not end is fenced. */
    unit->ignored = 1u << 27;
    assert_int_equal(
        iommu_map(domain, IOVA, &(struct phys_run){TARGET, PAGE_SIZE}, 1, IOMMU_READ, 0), -EIO);
    assert_true(machine_unit()->fenced);
    iommu_detach(domain, machine_requester(DEVICE));
    iommu_domain_destroy(domain);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(works_on_every_kind_of_unit),
        cmocka_unit_test(every_invalidation_is_needed),
        cmocka_unit_test(works_with_small_masks),
        cmocka_unit_test(one_page_goes_at_once),
        cmocka_unit_test(rejects_what_the_contract_forbids),
        cmocka_unit_test(a_failed_map_leaves_nothing),
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(small_leaves_on_request),
        cmocka_unit_test(pitfall_01_large_leaf_over_emptied_table),
        cmocka_unit_test(pitfall_02_unaligned_ranges_get_no_large_leaf),
        cmocka_unit_test(pitfall_03_table_pages_wait_for_the_invalidation),
        cmocka_unit_test(pitfall_04_translations_carry_no_marker_bits),
        cmocka_unit_test(pitfall_06_flushes_whole_lines_once),
        cmocka_unit_test(pitfall_07_caching_mode_invalidates_new_mappings),
        cmocka_unit_test(pitfall_08_caching_mode_reserves_domain_0),
        cmocka_unit_test(pitfall_09_context_entries_are_never_torn),
        cmocka_unit_test(a_revoked_entry_keeps_its_rest_until_invalidated),
        cmocka_unit_test(replace_keeps_domains_apart),
        cmocka_unit_test(domain_ids_run_out_with_an_error),
        cmocka_unit_test(masks_cover_ranges_exactly),
        cmocka_unit_test(invalidates_as_little_as_possible),
        cmocka_unit_test(no_invalidation_without_a_requester),
        cmocka_unit_test(pitfall_15_write_buffers_are_flushed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
