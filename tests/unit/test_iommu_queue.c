/* SPDX-License-Identifier: BSD-2-Clause */
/* The invalidation queue when it wraps, errs or dies; device TLBs; units without a queue. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/iommu/remap.h"
#include "kernel/lib/error.h"
#include "tests/unit/iommu_machine.h"

#define ATS_CAPABILITY 0x100
#define PORT           PCI_RID(0, 4, 0)
#define BELOW          PCI_RID(4, 0, 0)

static const struct phys_run page = {TARGET, PAGE_SIZE};

static struct iommu_domain *attached_domain(uint16_t rid)
{
    struct iommu_domain *domain = machine_domain();

    assert_int_equal(iommu_attach(domain, machine_requester(rid)), 0);
    return domain;
}

static void end(struct iommu_domain *domain, uint16_t rid)
{
    iommu_detach(domain, machine_requester(rid));
    iommu_domain_destroy(domain);
    machine_stop();
}

static int unmap(struct iommu_domain *domain, uint64_t iova, uint64_t length)
{
    struct iommu_gather gather;

    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, iova, length, &gather);
    return iommu_sync(&gather);
}

/* ---- the queue itself ---- */

/* Three times around a ring of 256: the simulated unit refuses a tail that did not wrap. */
static void pitfall_12_the_tail_wraps(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    for (unsigned i = 0; i < 500; i++) {
        vtd_unit_forget_events(unit);
        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
        machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
        machine_unmap(domain, IOVA, PAGE_SIZE);
        machine_expect_refused(unit, DEVICE, IOVA, true, 5);
    }
    assert_int_equal(machine_unit()->invalidation.counts[INVALIDATED_PAGES], 500);
    end(domain, DEVICE);
}

/*
 * One page and its wait at each place of the ring, also in two lines of the cache and around the
 * end, on a unit that sees only what was flushed.
 */
static void one_page_at_every_place_of_the_ring(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, ECAP_WITH(0, BIT(VTD_ECAP_C)), NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA + PAGE_SIZE, TARGET, PAGE_SIZE, IOMMU_WRITE);
    for (unsigned i = 0; i < 600; i++) {
        vtd_unit_forget_events(unit);
        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
        machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
        assert_int_equal(iommu_unmap_now(domain, IOVA, PAGE_SIZE), 0);
        machine_expect_refused(unit, DEVICE, IOVA, true, 5);
        if (i % 5 == 4) { /* an odd number of descriptors */
            invalidate_domain(machine_unit(), domain->id);
            invalidate_context_all(machine_unit());
            assert_int_equal(invalidation_wait(machine_unit()), 0);
        }
    }
    machine_unmap(domain, IOVA + PAGE_SIZE, PAGE_SIZE);
    end(domain, DEVICE);
}

/* More requests in one go than the ring has room for. */
static void a_batch_may_be_longer_than_the_ring(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    vtd_unit_forget_events(unit);
    for (unsigned i = 0; i < 1000; i++)
        invalidate_domain(machine_unit(), domain->id);
    assert_int_equal(invalidation_wait(machine_unit()), 0);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_IOTLB), 1000);
    assert_in_range(vtd_unit_count(unit, VTD_EVENT_WAIT), 4, 6);
    end(domain, DEVICE);
}

static void pitfall_10_waits_write_into_the_queue_s_own_page(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);
    unsigned waits = 0;

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    for (size_t i = 0; i < unit->descriptor_count; i++) {
        if (vtd_descriptor_type(&unit->descriptors[i]) != VTD_DESCRIPTOR_WAIT)
            continue;
        waits++;
        assert_int_equal(unit->descriptors[i].high, machine_unit()->invalidation.status_physical);
    }
    assert_true(waits > 0);
    end(domain, DEVICE);
}

static void pitfall_14_the_queue_is_the_only_way_where_it_exists(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    assert_int_equal(unit->ccmd, 0);
    assert_int_equal(unit->iotlb, 0);
    end(domain, DEVICE);
}

/* ---- errors ---- */

static void completion_errors_are_counted_and_cleared(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    unit->completion_error = true;
    machine_unmap(domain, IOVA, PAGE_SIZE);
    assert_int_equal(machine_unit()->invalidation.completions, 1);
    assert_int_equal(unit->fsts, 0);
    assert_false(machine_unit()->fenced);
    end(domain, DEVICE);
}

/* A request called malformed is replaced by one for everything, and the caches are clean. */
static void a_refused_request_is_widened(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
    unit->reject_in = 1;
    machine_unmap(domain, IOVA, PAGE_SIZE);
    machine_expect_refused(unit, DEVICE, IOVA, true, 5);
    assert_int_equal(machine_unit()->invalidation.queue_errors, 1);
    assert_int_equal(unit->fsts & VTD_FSTS_IQE, 0);
    assert_non_null(strstr(host_log(), "malformed invalidation request"));

    /* The same for the context request of a detach. */
    unit->reject_in = 1;
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    machine_expect_refused(unit, DEVICE, IOVA, true, 2);
    assert_int_equal(machine_unit()->invalidation.queue_errors, 2);
    assert_false(machine_unit()->fenced);
    iommu_domain_destroy(domain);
    machine_stop();
}

static void expect_fenced(struct iommu_domain *domain, const char *reason)
{
    struct iommu_domain *extra;

    assert_true(machine_unit()->fenced);
    assert_non_null(strstr(host_log(), reason));
    assert_false(host_pci_master(pci_find(0, DEVICE)));
    assert_true(host_pci_master(pci_find(0, OTHER))); /* it was not attached */
    /* Nothing pretends to work any more. */
    assert_int_equal(iommu_map(domain, IOVA + SIZE_1G, &page, 1, IOMMU_READ, 0), -EIO);
    assert_int_equal(iommu_domain_create(machine_unit(), &extra), -EIO);
    assert_int_equal(iommu_attach(domain, machine_requester(OTHER)), -EIO);
    assert_int_equal(iommu_replace(domain, machine_requester(OTHER)), -EIO);
}

static void a_unit_that_refuses_everything_is_fenced(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    unit->reject_in = 1;
    unit->rejections = 2; /* the replacement as well */
    assert_int_equal(unmap(domain, IOVA, PAGE_SIZE), -EIO);
    expect_fenced(domain, "fenced: its invalidation queue refused a request");
    end(domain, DEVICE);
}

/* A malformed wait has nothing larger to put in its place. */
static void a_refused_wait_fences(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    unit->reject_in = 2;
    assert_int_equal(unmap(domain, IOVA, PAGE_SIZE), -EIO);
    expect_fenced(domain, "refused a request");
    end(domain, DEVICE);
}

/* Two gathers taken in turn: each takes the table of the other's last page out, and covers it. */
static void gathers_taken_in_turn_cover_each_other_s_tables(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE), *other = machine_domain();
    const struct phys_run two_tables = {TARGET, 2 * SIZE_2M};
    struct iommu_gather first, second;

    for (uint64_t i = 0; i < 4; i++) {
        machine_map(domain, IOVA + i * SIZE_1G, TARGET, PAGE_SIZE, IOMMU_WRITE);
        machine_expect_dma(unit, DEVICE, IOVA + i * SIZE_1G, true, TARGET);
    }
    iommu_gather_init(&first, domain);
    iommu_gather_init(&second, domain);
    iommu_unmap(domain, IOVA, PAGE_SIZE, &second);
    iommu_unmap(domain, IOVA + SIZE_1G, PAGE_SIZE, &first);
    iommu_unmap(domain, IOVA + 3 * SIZE_1G, PAGE_SIZE, &second);
    iommu_unmap(domain, IOVA + 2 * SIZE_1G, PAGE_SIZE, &first);
    assert_int_equal(iommu_sync(&first), 0);
    /* The tables of the third page are free: nothing cached may lead to their next owner. */
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(
            iommu_map(other, i * SIZE_1G, &two_tables, 1, IOMMU_WRITE, IOMMU_SMALL_LEAVES), 0);
    machine_expect_refused(unit, DEVICE, IOVA + 3 * SIZE_1G + PAGE_SIZE, true, 5);
    assert_int_equal(iommu_sync(&second), 0);
    machine_expect_refused(unit, DEVICE, IOVA + 3 * SIZE_1G, true, 5);
    iommu_domain_destroy(other);
    end(domain, DEVICE);
}

/* The place of single pages keeps its table; tables that empty elsewhere go, and are invalidated.
 */
static void the_idle_table_moves_with_its_user(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);
    uint64_t used = machine_unit()->tables.used;

    for (unsigned i = 0; i < 20; i++) {
        uint64_t iova = IOVA + (i / 4) * SIZE_1G;

        vtd_unit_forget_events(unit);
        machine_map(domain, iova, TARGET, PAGE_SIZE, IOMMU_WRITE);
        machine_expect_dma(unit, DEVICE, iova, true, TARGET);
        machine_unmap(domain, iova, PAGE_SIZE);
        machine_expect_refused(unit, DEVICE, iova, true, 5);
        assert_in_range(machine_unit()->tables.used, used + 3, used + 3);
        /* One block for the page; one more when the old place gave its tables up. */
        assert_int_equal(vtd_unit_count(unit, VTD_EVENT_IOTLB), i % 4 == 0 && i > 0 ? 2 : 1);
    }
    /* A large leaf wants the place: the table goes first, and nobody sees a mixture. */
    machine_map(domain, IOVA + 4 * SIZE_1G, TARGET + SIZE_1G, SIZE_1G, IOMMU_WRITE);
    machine_expect_dma(unit, DEVICE, IOVA + 4 * SIZE_1G, true, TARGET + SIZE_1G);
    machine_expect_dma(unit, DEVICE, IOVA + 5 * SIZE_1G - 1, true, TARGET + 2 * SIZE_1G - 1);
    assert_int_equal(machine_unit()->tables.used, used + 1);
    end(domain, DEVICE);
}

/* A dead queue: bounded, loud, and neither memory nor ids are reused, whatever comes later. */
static void pitfall_11_a_dead_queue_fences_the_unit(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE), *next;
    const struct phys_run table_full = {TARGET, SIZE_2M};
    uint64_t used = vtd_memory_used(), tables;
    uint32_t sequence;

    assert_int_equal(iommu_map(domain, IOVA, &table_full, 1, IOMMU_WRITE, IOMMU_SMALL_LEAVES), 0);
    tables = machine_unit()->tables.used;
    unit->dead = true;
    assert_int_equal(unmap(domain, IOVA, SIZE_2M), -EIO);
    expect_fenced(domain, "fenced: its invalidation queue did not answer");
    assert_int_equal(machine_unit()->tables.used, tables);
    /* The two above the emptied table are still in the domain. */
    assert_int_equal(machine_unit()->tables_stranded, 1);

    /* The answer comes after all: a number nobody waits for. */
    sequence = machine_unit()->invalidation.sequence;
    vtd_memory_write32(machine_unit()->invalidation.status_physical, sequence);
    assert_int_equal(invalidation_wait(machine_unit()), -EIO);
    unit->dead = false;
    assert_int_equal(iommu_domain_create(machine_unit(), &next), -EIO);

    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), -EIO);
    iommu_domain_destroy(domain);
    /* They and the root are lost with the rest. */
    assert_int_equal(machine_unit()->tables_stranded, 4);
    assert_true(vtd_memory_used() >= used);
    assert_int_equal(machine_unit()->domain_ids[0] & 1, 1);
    machine_stop();
}

static void a_map_on_a_dying_unit_is_undone(void **state)
{
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(7), 0), VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);
    struct iommu_translation found;

    unit->dead = true;
    assert_int_equal(iommu_map(domain, IOVA, &page, 1, IOMMU_READ, 0), -EIO);
    assert_false(iommu_translate(domain, IOVA, &found));
    end(domain, DEVICE);
}

/* A leaf over what was unmapped and may still be cached waits for an invalidation: none, no leaf.
 */
static void a_map_over_a_cached_page_needs_an_answer(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = attached_domain(DEVICE);
    struct iommu_translation found;
    struct iommu_gather gather;

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, IOVA, PAGE_SIZE, &gather);
    unit->dead = true;
    assert_int_equal(iommu_map(domain, IOVA, &page, 1, IOMMU_READ, 0), -EIO);
    assert_false(iommu_translate(domain, IOVA, &found));
    assert_int_equal(iommu_sync(&gather), -EIO);
    end(domain, DEVICE);
}

/* Not even where nothing was ever cached, with a write buffer or without. */
static void a_fenced_unit_takes_nothing_new(void **state)
{
    for (unsigned buffered = 0; buffered < 2; buffered++) {
        uint64_t cap = CAP_WITH(buffered ? BIT(4) : 0, 0);
        struct vtd_unit *unit = machine_start(cap, VTD_TEST_ECAP, NULL);
        struct iommu_domain *domain = attached_domain(DEVICE), *idle = machine_domain();

        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
        unit->dead = true;
        assert_int_equal(unmap(domain, IOVA, PAGE_SIZE), -EIO);
        assert_int_equal(iommu_map(idle, IOVA, &page, 1, IOMMU_READ, 0), -EIO);
        assert_int_equal(unit_flush_writes(machine_unit()), buffered ? -EIO : 0);
        iommu_domain_destroy(idle);
        end(domain, DEVICE);
    }
}

static void an_attach_on_a_dying_unit_ends_in_nothing(void **state)
{
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(7), 0), VTD_TEST_ECAP, NULL);
    struct iommu_domain *domain = machine_domain();

    unit->dead = true;
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), -EIO);
    assert_int_equal(domain->attached, 0);
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), -EIO);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* ---- device TLBs ---- */

static struct vtd_unit *ats_machine_with(bool allowed_by_platform, bool option, uint64_t ecap)
{
    struct iommu_options options = {.ats = option};
    struct vtd_unit *unit = machine_build(VTD_TEST_CAP, ecap);
    struct pci_device *port = host_pci_add(0, PORT, NULL), *device;
    struct dmar_port *allowed;

    host_pci_bridge(port, 4, 4, 4);
    device = host_pci_add(0, BELOW, port);
    device->cap_ats = ATS_CAPABILITY;
    device->ats_depth = 7;
    /* Where it must not be, another port is named, and an I/O APIC at the place of the right one.
     */
    allowed = &host_dmar.ports[host_dmar.port_count++];
    *allowed = (struct dmar_port){0};
    host_dmar_scope(&allowed->scopes, DMAR_SCOPE_BRIDGE, 0, 0, allowed_by_platform ? 4 : 5, 0);
    if (!allowed_by_platform)
        host_dmar_scope(&allowed->scopes, DMAR_SCOPE_IO_APIC, 0, 0, 4, 0);
    assert_int_equal(machine_init(&options), 0);
    return unit;
}

static struct vtd_unit *ats_machine(bool allowed_by_platform, bool option)
{
    return ats_machine_with(allowed_by_platform, option, ECAP_WITH(BIT(2), 0));
}

static uint16_t ats_control(void)
{
    return pci_read16(pci_find(0, BELOW), ATS_CAPABILITY + 6);
}

static void device_tlbs_are_off_unless_all_agree(void **state)
{
    for (unsigned i = 0; i < 4; i++) {
        struct vtd_unit *unit = ats_machine(i & 1, i & 2);
        struct iommu_domain *domain = attached_domain(BELOW);

        assert_int_equal(ats_control(), i == 3 ? 0x8000 : 0);
        assert_int_equal(vtd_unit_translated(unit, BELOW), i == 3 ? 0 : 0xd);
        assert_int_equal(iommu_detach(domain, machine_requester(BELOW)), 0);
        assert_int_equal(ats_control(), 0);
        assert_true(vtd_unit_translated(unit, BELOW) != 0);
        iommu_domain_destroy(domain);
        machine_stop();
    }
}

/*
 * The unit was asked for a context-cache invalidation if `context`, then the IOTLB; a fence; then
 * the device TLB with this address and size; and a wait for all of it.
 */
static void expect_device_tlb_last(struct vtd_unit *unit, bool context, uint64_t range)
{
    static const unsigned types[] = {VTD_DESCRIPTOR_CONTEXT, VTD_DESCRIPTOR_IOTLB,
                                     VTD_DESCRIPTOR_WAIT, VTD_DESCRIPTOR_DEVICE_TLB,
                                     VTD_DESCRIPTOR_WAIT};
    const struct vtd_descriptor *found = unit->descriptors;
    size_t count = ARRAY_SIZE(types) - !context;

    assert_int_equal(unit->descriptor_count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(vtd_descriptor_type(&found[i]), types[i + !context]);
    assert_int_equal(bits_get(found[count - 3].low, 6, 4), 6);
    assert_int_not_equal(found[count - 3].high, found[count - 1].high);
    assert_int_equal(bits_get(found[count - 2].low, 47, 32), BELOW);
    assert_int_equal(bits_get(found[count - 2].low, 20, 16), 7);
    assert_int_equal(found[count - 2].high, range);
}

/* The device could fetch the old translation again from the IOTLB. */
static void device_tlbs_are_invalidated_after_the_iotlb(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);

    machine_map(domain, IOVA, TARGET, 8 * PAGE_SIZE, IOMMU_READ);
    vtd_unit_forget_events(unit);
    machine_unmap(domain, IOVA, 8 * PAGE_SIZE);
    /* 8 pages: S, address bits 13:12 set, bit 14 clear. */
    expect_device_tlb_last(unit, false, IOVA | 0x3000 | 1);
    end(domain, BELOW);
}

/* A single leaf would have a short way, in which nobody looks for device TLBs. */
static void device_tlbs_forget_single_leaves_too(void **state)
{
    static const struct {
        uint64_t length, range;
    } leaves[] = {{PAGE_SIZE, 0}, {SIZE_2M, 0xff000 | 1}, {SIZE_1G, 0x1ffff000 | 1}};
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);

    for (size_t i = 0; i < 2 * ARRAY_SIZE(leaves); i++) {
        uint64_t length = leaves[i / 2].length;

        machine_map(domain, IOVA, TARGET, length, IOMMU_READ);
        vtd_unit_forget_events(unit);
        assert_int_equal(iommu_unmap_now(domain, IOVA, length), 0);
        if (i % 2) /* the second time no table comes or goes */
            expect_device_tlb_last(unit, false, IOVA | leaves[i / 2].range);
    }
    end(domain, BELOW);
}

/* The simulated unit calls any other number malformed. */
static void throttling_units_are_told_the_physical_function(void **state)
{
    struct vtd_unit *unit = ats_machine_with(true, true, ECAP_WITH(BIT(2) | BIT(41), 0));
    struct iommu_domain *domain = attached_domain(BELOW);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    vtd_unit_forget_events(unit);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    expect_device_tlb_last(unit, false, IOVA);
    assert_int_equal(machine_unit()->invalidation.queue_errors, 0);
    assert_int_equal(vtd_physical_function(0x1234), UINT64_C(0x1230000000004000));
    end(domain, BELOW);
}

/* S, and all address bits up to 46 set: 2^36 pages. */
#define ALL_PAGES (BIT(47) - PAGE_SIZE + 1)

static void device_tlbs_forget_the_domain_a_device_leaves(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW), *other = machine_domain();

    vtd_unit_forget_events(unit);
    assert_int_equal(iommu_replace(other, machine_requester(BELOW)), 0);
    expect_device_tlb_last(unit, true, ALL_PAGES);
    vtd_unit_forget_events(unit);
    assert_int_equal(iommu_detach(other, machine_requester(BELOW)), 0);
    expect_device_tlb_last(unit, true, ALL_PAGES);
    iommu_domain_destroy(other);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* Unmapped, not synced, and mapped again: the device TLB, too, forgets before the new leaf is set.
 */
static void device_tlbs_forget_before_an_address_is_used_again(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);
    struct iommu_gather gather;

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_READ);
    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, IOVA, PAGE_SIZE, &gather);
    vtd_unit_forget_events(unit);
    machine_map(domain, IOVA, TARGET + PAGE_SIZE, PAGE_SIZE, IOMMU_READ);
    expect_device_tlb_last(unit, false, ALL_PAGES);
    assert_int_equal(iommu_sync(&gather), 0);
    end(domain, BELOW);
}

static void a_device_tlb_that_does_not_answer_is_not_believed(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW), *without = attached_domain(OTHER);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_expect_dma(unit, BELOW, IOVA, true, TARGET);
    assert_int_equal(vtd_unit_translated(unit, BELOW), 0);
    unit->device_tlb_dead = true;
    /* The unmap succeeds: no translated request of the device passes any more. */
    machine_unmap(domain, IOVA, PAGE_SIZE);
    assert_int_equal(vtd_unit_translated(unit, BELOW), 0xd);
    machine_expect_refused(unit, BELOW, IOVA, true, 5);
    assert_false(host_pci_master(pci_find(0, BELOW)));
    assert_true(host_pci_master(pci_find(0, OTHER)));
    assert_int_equal(ats_control(), 0);
    assert_int_equal(machine_unit()->invalidation.time_outs, 1);
    assert_int_equal(unit->fsts & VTD_FSTS_ITE, 0);
    assert_false(machine_unit()->fenced);
    /* And it stays so. */
    assert_int_equal(iommu_detach(domain, machine_requester(BELOW)), 0);
    assert_int_equal(iommu_attach(domain, machine_requester(BELOW)), 0);
    assert_int_equal(ats_control(), 0);
    assert_int_equal(iommu_detach(without, machine_requester(OTHER)), 0);
    iommu_domain_destroy(without);
    end(domain, BELOW);
}

static void a_device_without_the_capability_has_no_device_tlb(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);

    pci_find(0, BELOW)->cap_ats = 0;
    struct iommu_domain *domain = attached_domain(BELOW);
    assert_int_equal(vtd_unit_translated(unit, BELOW), 0xd);
    end(domain, BELOW);
}

static void a_fenced_unit_trusts_no_device_tlb(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);

    assert_int_equal(ats_control(), 0x8000);
    unit->dead = true;
    assert_int_equal(iommu_detach(domain, machine_requester(BELOW)), -EIO);
    assert_int_equal(ats_control(), 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

/* A function in reset would not answer either, and has forgotten everything by the end. */
static void a_device_tlb_in_reset_is_not_asked(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);

    machine_map(domain, IOVA, TARGET, 2 * PAGE_SIZE, IOMMU_WRITE);
    unit->device_tlb_dead = true;
    pci_find(0, BELOW)->in_reset = true;
    pci_write16(pci_find(0, BELOW), ATS_CAPABILITY + 4, 0xffff); /* what reading it gives then */
    machine_unmap(domain, IOVA, PAGE_SIZE);
    assert_int_equal(iommu_detach(domain, machine_requester(BELOW)), 0);
    assert_int_equal(iommu_attach(domain, machine_requester(BELOW)), 0);
    assert_int_equal(machine_unit()->invalidation.time_outs, 0);
    assert_int_equal(ats_control(), 0x8000); /* still trusted */
    pci_find(0, BELOW)->in_reset = false;
    unit->device_tlb_dead = false;
    vtd_unit_forget_events(unit);
    machine_unmap(domain, IOVA + PAGE_SIZE, PAGE_SIZE);
    expect_device_tlb_last(unit, false, IOVA + PAGE_SIZE);
    end(domain, BELOW);
}

/* What came behind the request that timed out was dropped: it is made up for. */
static void requests_behind_a_time_out_are_made_up_for(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);
    struct iommu_gather gather;

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_expect_dma(unit, BELOW, IOVA, true, TARGET);
    iommu_gather_init(&gather, domain);
    iommu_unmap(domain, IOVA, PAGE_SIZE, &gather);
    unit->device_tlb_dead = true;
    invalidate_device_tlb(machine_requester(BELOW), 0, IOVA);
    invalidate_domain(machine_unit(), domain->id);
    assert_int_equal(invalidation_wait(machine_unit()), 0);
    machine_expect_refused(unit, BELOW, IOVA, true, 5);
    assert_int_equal(iommu_sync(&gather), 0);
    end(domain, BELOW);
}

static void a_refused_device_tlb_request_turns_ats_off(void **state)
{
    struct vtd_unit *unit = ats_machine(true, true);
    struct iommu_domain *domain = attached_domain(BELOW);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    assert_int_equal(vtd_unit_translated(unit, BELOW), 0);
    unit->reject_in = 3;
    machine_unmap(domain, IOVA, PAGE_SIZE);
    assert_int_equal(vtd_unit_translated(unit, BELOW), 0xd);
    assert_int_equal(ats_control(), 0);
    assert_false(machine_unit()->fenced);
    end(domain, BELOW);
}

/* ---- units without a queue ---- */

static const struct iommu_options unsafe = {.unsafe_interrupts = true};

static void registers_serve_a_unit_without_a_queue(void **state)
{
    struct vtd_unit *unit = machine_start(VTD_TEST_CAP, ECAP_WITH(0, BIT(1)), &unsafe);
    struct iommu_domain *domain = attached_domain(DEVICE);

    machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
    machine_expect_dma(unit, DEVICE, IOVA, true, TARGET);
    machine_unmap(domain, IOVA, PAGE_SIZE);
    machine_expect_refused(unit, DEVICE, IOVA, true, 5);
    assert_int_equal(vtd_unit_count(unit, VTD_EVENT_QUEUE_ON), 0);
    end(domain, DEVICE);
}

static void registers_that_hang_or_refuse_fence(void **state)
{
    for (unsigned i = 0; i < 2; i++) {
        struct vtd_unit *unit = machine_start(VTD_TEST_CAP, ECAP_WITH(0, BIT(1)), &unsafe);
        struct iommu_domain *domain = attached_domain(DEVICE);

        machine_map(domain, IOVA, TARGET, PAGE_SIZE, IOMMU_WRITE);
        unit->dead = i == 0;
        unit->registers_refuse = i == 1;
        assert_int_equal(unmap(domain, IOVA, PAGE_SIZE), -EIO);
        expect_fenced(domain, i == 0 ? "did not finish" : "it refused an invalidation");
        end(domain, DEVICE);
    }
}

/* An attach begins with the context cache; what would come next is not asked any more. */
static void a_refused_context_invalidation_fences(void **state)
{
    struct vtd_unit *unit = machine_start(CAP_WITH(BIT(7), 0), ECAP_WITH(0, BIT(1)), &unsafe);
    struct iommu_domain *domain = machine_domain();

    unit->registers_refuse = true;
    unit->iotlb = 0;
    assert_int_equal(iommu_attach(domain, machine_requester(DEVICE)), -EIO);
    assert_true(machine_unit()->fenced);
    assert_int_equal(unit->iotlb, 0);
    iommu_domain_destroy(domain);
    machine_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pitfall_12_the_tail_wraps),
        cmocka_unit_test(one_page_at_every_place_of_the_ring),
        cmocka_unit_test(a_batch_may_be_longer_than_the_ring),
        cmocka_unit_test(pitfall_10_waits_write_into_the_queue_s_own_page),
        cmocka_unit_test(pitfall_14_the_queue_is_the_only_way_where_it_exists),
        cmocka_unit_test(completion_errors_are_counted_and_cleared),
        cmocka_unit_test(a_refused_request_is_widened),
        cmocka_unit_test(a_unit_that_refuses_everything_is_fenced),
        cmocka_unit_test(a_refused_wait_fences),
        cmocka_unit_test(gathers_taken_in_turn_cover_each_other_s_tables),
        cmocka_unit_test(the_idle_table_moves_with_its_user),
        cmocka_unit_test(pitfall_11_a_dead_queue_fences_the_unit),
        cmocka_unit_test(a_map_on_a_dying_unit_is_undone),
        cmocka_unit_test(a_map_over_a_cached_page_needs_an_answer),
        cmocka_unit_test(a_fenced_unit_takes_nothing_new),
        cmocka_unit_test(an_attach_on_a_dying_unit_ends_in_nothing),
        cmocka_unit_test(device_tlbs_are_off_unless_all_agree),
        cmocka_unit_test(device_tlbs_are_invalidated_after_the_iotlb),
        cmocka_unit_test(device_tlbs_forget_single_leaves_too),
        cmocka_unit_test(throttling_units_are_told_the_physical_function),
        cmocka_unit_test(device_tlbs_forget_the_domain_a_device_leaves),
        cmocka_unit_test(device_tlbs_forget_before_an_address_is_used_again),
        cmocka_unit_test(a_device_tlb_that_does_not_answer_is_not_believed),
        cmocka_unit_test(requests_behind_a_time_out_are_made_up_for),
        cmocka_unit_test(a_device_without_the_capability_has_no_device_tlb),
        cmocka_unit_test(a_fenced_unit_trusts_no_device_tlb),
        cmocka_unit_test(a_device_tlb_in_reset_is_not_asked),
        cmocka_unit_test(a_refused_device_tlb_request_turns_ats_off),
        cmocka_unit_test(registers_serve_a_unit_without_a_queue),
        cmocka_unit_test(registers_that_hang_or_refuse_fence),
        cmocka_unit_test(a_refused_context_invalidation_fences),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
