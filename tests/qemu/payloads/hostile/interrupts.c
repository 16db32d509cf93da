/* SPDX-License-Identifier: BSD-2-Clause */
/* Interrupts that are not the program's: by the call, by DMA, by the vector table of the card. */
#include "hostile.h"

#define TABLE_BAR 3
#define WINDOW    0xfee00000u
#define HANDLE(n) (WINDOW | 0x18 | (uint32_t)(n) << 5) /* a message for entry n */

/* Registers of the card, whose driver can raise any cause. */
enum {
    CAUSES = 0xc0,
    SET = 0xc8,
    ENABLE = 0xd0,
    DISABLE = 0xd8,
    VECTORS = 0xe4,
    TO_VECTOR_0 = 8,
    CAUSE = 1u << 20,
};

/* ---- SET_IRQS ---- */

/* Nothing of the call takes effect: the vector that was bound stays, and no other. */
static void refuse(uint32_t flags, uint32_t index, uint32_t start, uint32_t count, int error)
{
    int32_t data[4];

    START(ONLY(EDU));
    open_events();
    CHECK_OK(bind_event(EDU, MSI, 0, events[0]));
    for (int i = 0; i < 4; i++)
        data[i] = events[1];
    CHECK_ERROR(set_irqs(EDU, flags, index, start, count, data), error);
    *(volatile uint32_t *)(units[EDU].bar + EDU_RAISE) = 1;
    *(volatile uint32_t *)(units[EDU].bar + EDU_ACKNOWLEDGE) = 1;
    CHECK_EQUAL(take(events[0]), 1);
    CHECK_EQUAL(take(events[1]), 0);
}

#define REFUSED(name, flags, index, start, count, error)                                           \
    static void name(void)                                                                         \
    {                                                                                              \
        refuse(flags, index, start, count, error);                                                 \
    }

REFUSED(irq_sum_wraps, EVENT | TRIGGER, MSI, 0xffffffff, 1, EINVAL)
REFUSED(irq_sum_wraps_to_the_vector, EVENT | TRIGGER, MSI, 0xffffffff, 2, EINVAL)
REFUSED(irq_count_of_everything, EVENT | TRIGGER, MSI, 0, 0xffffffff, EINVAL)
REFUSED(irq_size_of_data_wraps, EVENT | TRIGGER, MSI, 0, 0x40000001, EINVAL)
REFUSED(irq_one_too_many, EVENT | TRIGGER, MSI, 0, 2, EINVAL)
REFUSED(irq_behind_the_last, EVENT | TRIGGER, MSI, 1, 1, EINVAL)
REFUSED(irq_index_of_nothing, EVENT | TRIGGER, 5, 0, 1, EINVAL)
REFUSED(irq_index_far_away, EVENT | TRIGGER, 0x80000000, 0, 1, EINVAL)
REFUSED(irq_kind_it_lacks, EVENT | TRIGGER, MSIX, 0, 1, EINVAL)
REFUSED(irq_second_kind, EVENT | TRIGGER, INTX, 0, 1, EINVAL)
REFUSED(irq_two_kinds_of_data, EVENT | BOOL | TRIGGER, MSI, 0, 1, EINVAL)
REFUSED(irq_no_data, TRIGGER, MSI, 0, 1, EINVAL)
REFUSED(irq_two_actions, EVENT | MASK | TRIGGER, MSI, 0, 1, ENOTTY)
REFUSED(irq_no_action, EVENT, MSI, 0, 1, ENOTTY)
REFUSED(irq_unknown_flags, EVENT | TRIGGER | 1u << 31, MSI, 0, 1, EINVAL)
REFUSED(irq_masks_a_message, NONE | MASK, MSI, 0, 1, ENOTTY)

/* A descriptor of everything that is no eventfd. */
static void irq_descriptors_of_others(void)
{
    int32_t data[4] = {0};

    START(ONLY(EDU));
    open_events();
    const int wrong[] = {units[EDU].device, units[EDU].group, container, 1000, 1};
    CHECK_OK(bind_event(EDU, MSI, 0, events[0]));
    for (unsigned i = 0; i < 5; i++) {
        data[0] = wrong[i];
        CHECK_EQUAL(set_irqs(EDU, EVENT | TRIGGER, MSI, 0, 1, data), -1);
    }
    CHECK_OK(set_irqs(EDU, NONE | TRIGGER, MSI, 0, 1, NULL));
    CHECK_EQUAL(take(events[0]), 1);
}

static void irq_structure_too_short(void)
{
    struct vfio_irq_set irq = {.flags = EVENT | TRIGGER, .index = MSI, .count = 1};

    START(ONLY(EDU));
    for (irq.argsz = 0; irq.argsz < sizeof(irq) + 4; irq.argsz++)
        CHECK_ERROR(ioctl(units[EDU].device, VFIO_DEVICE_SET_IRQS, &irq), EINVAL);
}

/* Data that runs off the end of its memory. */
static void irq_data_out_of_reach(void)
{
    uint8_t *memory;

    START(ONLY(CARD));
    memory = new_memory(2 * PAGE, 0);
    CHECK_OK(mprotect(memory + PAGE, PAGE, PROT_NONE));
    struct vfio_irq_set *irq = (void *)(memory + PAGE - sizeof(*irq));
    *irq = (struct vfio_irq_set){sizeof(*irq) + 16, EVENT | TRIGGER, MSIX, 0, 4};
    CHECK_ERROR(ioctl(units[CARD].device, VFIO_DEVICE_SET_IRQS, irq), EFAULT);
}

/* Fires by hand what was never bound, and what is no longer. */
static void irq_fires_what_nobody_bound(void)
{
    START(ONLY(CARD));
    open_events();
    CHECK_ERROR(set_irqs(CARD, NONE | TRIGGER, MSIX, 0, 1, NULL), EINVAL);
    CHECK_OK(bind_event(CARD, MSIX, 0, events[0]));
    CHECK_OK(set_irqs(CARD, NONE | TRIGGER, MSIX, 0, 0, NULL));
    CHECK_ERROR(set_irqs(CARD, NONE | TRIGGER, MSIX, 0, 1, NULL), EINVAL);
    CHECK_EQUAL(take(events[0]), 0);
}

/* The eventfd is closed while it is bound; its number then belongs to another file. */
static void irq_eventfd_replaced(void)
{
    START(ONLY(EDU));
    open_events();
    CHECK_OK(bind_event(EDU, MSI, 0, events[0]));
    CHECK_EQUAL(dup2(events[1], events[0]), events[0]);
    *(volatile uint32_t *)(units[EDU].bar + EDU_RAISE) = 1;
    *(volatile uint32_t *)(units[EDU].bar + EDU_ACKNOWLEDGE) = 1;
    CHECK_EQUAL(take(events[1]), 0);
}

/* A message that was on its way when its vector went. */
static void irq_raised_while_it_goes(void)
{
    START(ONLY(EDU));
    open_events();
    for (int i = 0; i < 20; i++) {
        CHECK_OK(bind_event(EDU, MSI, 0, events[0]));
        *(volatile uint32_t *)(units[EDU].bar + EDU_RAISE) = 1;
        *(volatile uint32_t *)(units[EDU].bar + EDU_ACKNOWLEDGE) = 1;
        CHECK_OK(set_irqs(EDU, NONE | TRIGGER, MSI, 0, 0, NULL));
        CHECK_EQUAL(take(events[0]), 1);
        *(volatile uint32_t *)(units[EDU].bar + EDU_RAISE) = 1;
        *(volatile uint32_t *)(units[EDU].bar + EDU_ACKNOWLEDGE) = 1;
        CHECK_EQUAL(take(events[0]), 0);
    }
}

/* Raised behind the close: what the next owner binds has not heard of it. */
static void irq_left_pending_for_the_next_owner(void)
{
    START(ONLY(OTHER));
    open_events();
    *(volatile uint32_t *)(units[OTHER].bar + EDU_RAISE) = 0x80;
    close_all();
    START(ONLY(OTHER));
    open_events();
    CHECK_OK(bind_event(OTHER, MSI, 0, events[0]));
    let_arrive();
    CHECK_EQUAL(take(events[0]), 0);
    *(volatile uint32_t *)(units[OTHER].bar + EDU_ACKNOWLEDGE) = ~0u;
}

/* ---- the line ---- */

static volatile bool done;

static void *mask_and_unmask(void *argument)
{
    while (!done) {
        set_irqs(EDU, NONE | MASK, INTX, 0, 1, NULL);
        set_irqs(EDU, NONE | UNMASK, INTX, 0, 1, NULL);
    }
    return NULL;
}

static void *disable_and_enable(void *argument)
{
    uint16_t off = MEMORY | MASTER | NO_INTX, on = MEMORY | MASTER;

    while (!done) {
        (void)pwrite(units[EDU].device, &off, 2, CONFIG + COMMAND);
        (void)pwrite(units[EDU].device, &on, 2, CONFIG + COMMAND);
    }
    return NULL;
}

/* Both masks of the line, each from its thread, while the device pulls it. */
static void irq_line_masks_race(void)
{
    const struct timespec moment = {0, 20000000};
    pthread_t threads[2];

    START(ONLY(EDU));
    open_events();
    CHECK_OK(bind_event(EDU, INTX, 0, events[0]));
    done = false;
    CHECK_EQUAL(pthread_create(&threads[0], NULL, mask_and_unmask, NULL), 0);
    CHECK_EQUAL(pthread_create(&threads[1], NULL, disable_and_enable, NULL), 0);
    *(volatile uint32_t *)(units[EDU].bar + EDU_RAISE) = 1;
    for (int i = 0; i < 5; i++) {
        nanosleep(&moment, NULL);
        CHECK_OK(bind_event(EDU, INTX, 0, events[i % 2]));
    }
    done = true;
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    *(volatile uint32_t *)(units[EDU].bar + EDU_ACKNOWLEDGE) = ~0u;
    let_arrive();
    CHECK_OK(bind_event(EDU, INTX, 0, events[0]));
    set_config(EDU, COMMAND, 2, MEMORY | MASTER);
    CHECK_OK(set_irqs(EDU, NONE | UNMASK, INTX, 0, 1, NULL));
    take(events[0]);
    *(volatile uint32_t *)(units[EDU].bar + EDU_RAISE) = 1;
    let_arrive();
    CHECK_EQUAL(take(events[0]), 1);
    *(volatile uint32_t *)(units[EDU].bar + EDU_ACKNOWLEDGE) = ~0u;
    CHECK_EQUAL(ask(HARDWARE), 1); /* the entry of the line, too, is for who sends it alone */
}

/* An eventfd that unmasks the line it reports: interrupts without end, and the program goes on. */
static void irq_line_storm(void)
{
    int32_t data[4];

    START(ONLY(EDU));
    open_events();
    CHECK_OK(bind_event(EDU, INTX, 0, events[0]));
    data[0] = events[0];
    CHECK_OK(set_irqs(EDU, EVENT | UNMASK, INTX, 0, 1, data));
    *(volatile uint32_t *)(units[EDU].bar + EDU_RAISE) = 1;
    for (int i = 0; i < 5; i++)
        let_arrive();
    CHECK_EQUAL(*(volatile uint32_t *)units[EDU].bar, 0x010000edu);
    close_unit(&units[EDU]); /* in the middle of it */
}

const struct attack irq_attacks[] = {
    ATTACK(irq_sum_wraps, QUIET),
    ATTACK(irq_sum_wraps_to_the_vector, QUIET),
    ATTACK(irq_count_of_everything, QUIET),
    ATTACK(irq_size_of_data_wraps, QUIET),
    ATTACK(irq_one_too_many, QUIET),
    ATTACK(irq_behind_the_last, QUIET),
    ATTACK(irq_index_of_nothing, QUIET),
    ATTACK(irq_index_far_away, QUIET),
    ATTACK(irq_kind_it_lacks, QUIET),
    ATTACK(irq_second_kind, QUIET),
    ATTACK(irq_two_kinds_of_data, QUIET),
    ATTACK(irq_no_data, QUIET),
    ATTACK(irq_two_actions, QUIET),
    ATTACK(irq_no_action, QUIET),
    ATTACK(irq_unknown_flags, QUIET),
    ATTACK(irq_masks_a_message, QUIET),
    ATTACK(irq_descriptors_of_others, QUIET),
    ATTACK(irq_structure_too_short, QUIET),
    ATTACK(irq_data_out_of_reach, QUIET),
    ATTACK(irq_fires_what_nobody_bound, QUIET),
    ATTACK(irq_eventfd_replaced, QUIET),
    ATTACK(irq_raised_while_it_goes, QUIET),
    ATTACK(irq_left_pending_for_the_next_owner, QUIET),
    ATTACK(irq_line_masks_race, QUIET),
    ATTACK(irq_line_storm, QUIET),
    LAST_ATTACK,
};

/* ---- the vector table of the card, which the program may write ---- */

static volatile uint32_t *entry; /* vector 0: address, its upper half, data, mask */

static volatile uint32_t *card_register(unsigned offset)
{
    return (volatile uint32_t *)(units[CARD].bar + offset);
}

/* The card's vector 0 bound to the first eventfd, edu's message to the second, and the table
 * mapped. */
static bool table_ready(void)
{
    struct vfio_region_info region = {.argsz = sizeof(region), .index = TABLE_BAR};
    void *mapped;

    if (!open_some(ONLY(EDU) | ONLY(CARD)))
        return false;
    open_events();
    ioctl(units[CARD].device, VFIO_DEVICE_GET_REGION_INFO, &region);
    mapped = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, units[CARD].device,
                  (off_t)region.offset);
    if (mapped == MAP_FAILED || bind_event(CARD, MSIX, 0, events[0]) ||
        bind_event(EDU, MSI, 0, events[1])) {
        CONFORM_FAIL("the vector table: %s", strerror(errno));
        return false;
    }
    entry = mapped;
    free_later(mapped, PAGE);
    *card_register(DISABLE) = ~0u;
    *card_register(VECTORS) = TO_VECTOR_0;
    return true;
}

static void raise_card(void)
{
    *card_register(ENABLE) = CAUSE;
    *card_register(SET) = CAUSE;
    *card_register(CAUSES) = CAUSE;
    let_arrive();
}

/* Neither the one nor the other has heard anything. Bound anew, the card's vector works. */
static void nobody_hears(void)
{
    take(events[0]);
    take(events[1]);
    raise_card();
    CHECK_EQUAL(take(events[0]), 0);
    CHECK_EQUAL(take(events[1]), 0);
    CHECK_OK(bind_event(CARD, MSIX, 0, events[2]));
    raise_card();
    CHECK(take(events[2]) > 0);
    CHECK_EQUAL(take(events[1]), 0);
}

static void spoil(uint32_t address, uint32_t high, uint32_t data)
{
    if (!table_ready())
        return;
    entry[0] = address;
    entry[1] = high;
    entry[2] = data;
    nobody_hears();
}

#define SPOILS(name, address, high, data)                                                          \
    static void name(void)                                                                         \
    {                                                                                              \
        spoil(address, high, data);                                                                \
    }

SPOILS(table_entry_to_the_kernel, (uint32_t)ask(KERNEL_TEXT), 0, 0xffffffff)
SPOILS(table_entry_to_page_tables, (uint32_t)ask(ROOT_TABLE), 0, 0)
SPOILS(table_entry_to_the_queue, (uint32_t)ask(QUEUE), 0, 0)
SPOILS(table_entry_to_another_bar, (uint32_t)ask(OTHER_BAR) + EDU_RAISE, 0, 1)
SPOILS(table_entry_above_4g, 0, 1, 0x41414141)
SPOILS(table_entry_that_nobody_has, HANDLE(0x7ff0), 0, 0)
SPOILS(table_entry_with_any_vector, WINDOW, 0, 0xc3)

/* Every entry there may be, but its own: others' among them. */
static void table_entry_of_everybody(void)
{
    uint32_t own;

    if (!table_ready())
        return;
    own = entry[0];
    for (uint32_t handle = 0; handle < 64; handle++) {
        if (HANDLE(handle) == own)
            continue;
        entry[0] = HANDLE(handle);
        raise_card();
        CHECK_EQUAL(take(events[1]), 0);
    }
    nobody_hears();
}

/* The entry as it was, put back when its vector is gone. */
static void table_entry_of_the_past(void)
{
    uint32_t old[3];

    if (!table_ready())
        return;
    for (int i = 0; i < 3; i++)
        old[i] = entry[i];
    CHECK_OK(bind_event(CARD, MSIX, 0, -1));
    for (int i = 0; i < 3; i++)
        entry[i] = old[i];
    entry[3] = 0;
    nobody_hears();
}

/* The same table by other ways: the file, DMA of another device, the alias in its address space. */
static void table_written_through_the_file(void)
{
    uint32_t value = 0, was;

    if (!table_ready())
        return;
    was = entry[0];
    CHECK_EQUAL(pwrite(units[CARD].device, &value, 4, BAR(TABLE_BAR)), 4);
    CHECK_EQUAL(entry[0], was);
    raise_card();
    CHECK(take(events[0]) > 0);
}

static void table_written_by_another_device(void)
{
    if (!table_ready())
        return;
    CHECK_OK(dma_map(IOVA, (void *)entry, PAGE, READ | WRITE));
    edu_write(EDU, IOVA, 12);
    nobody_hears();
}

static void table_rung_by_an_eventfd(void)
{
    struct vfio_device_ioeventfd call = {
        .argsz = sizeof(call), .flags = VFIO_DEVICE_IOEVENTFD_32, .offset = BAR(TABLE_BAR)};

    if (!table_ready())
        return;
    call.fd = events[3];
    CHECK_ERROR(ioctl(units[CARD].device, VFIO_DEVICE_IOEVENTFD, &call), EINVAL);
}

/* ---- the window, by DMA of an edu: a message like any other ---- */

/* A message of four bytes. In this window translation has no part: entries decide. */
static void send(uint32_t address, uint32_t data)
{
    uint8_t *memory = new_memory(PAGE, 0);

    memcpy(memory, &data, 4);
    CHECK_OK(dma_map(IOVA, memory, PAGE, READ | WRITE));
    edu_start(EDU, IOVA, EDU_BUFFER, 4, false);
    edu_wait(EDU);
    edu_start(EDU, EDU_BUFFER, address, 4, true);
    edu_wait(EDU);
    CHECK_OK(dma_unmap(IOVA, PAGE));
    let_arrive();
}

/*
 * The card's own message, as its table tells it, from edu. QEMU knows no sender of what is written
 * by DMA, and so lets it pass: the test reads that the entry demands the card's requester id.
 */
static void message_of_another_device(void)
{
    if (!table_ready())
        return;
    send(entry[0], entry[2]);
    take(events[0]);
    CHECK_EQUAL(take(events[1]), 0);
    CHECK_EQUAL(ask(CARD_ENTRY), 1);
    raise_card();
    CHECK(take(events[0]) > 0);
}

static void message_for_no_entry(void)
{
    if (!table_ready())
        return;
    send(HANDLE(0x7fff), 0);
    CHECK_EQUAL(take(events[0]), 0);
    CHECK_EQUAL(take(events[1]), 0);
}

/* QEMU lets the old format pass, which hardware blocks: the kernel counts it and says so. */
static void message_of_the_old_format(void)
{
    if (!table_ready())
        return;
    send(WINDOW, 0xc3);
    CHECK_EQUAL(take(events[0]), 0);
    CHECK_EQUAL(take(events[1]), 0);
}

const struct attack table_attacks[] = {
    ATTACK(table_entry_to_the_kernel, FAULT),
    ATTACK(table_entry_to_page_tables, FAULT),
    ATTACK(table_entry_to_the_queue, FAULT),
    ATTACK(table_entry_to_another_bar, FAULT),
    ATTACK(table_entry_above_4g, FAULT),
    ATTACK(table_entry_that_nobody_has, QUIET),
    ATTACK(table_entry_with_any_vector, STRAY),
    ATTACK(table_entry_of_everybody, QUIET),
    ATTACK(table_entry_of_the_past, QUIET),
    ATTACK(table_written_through_the_file, QUIET),
    ATTACK(table_written_by_another_device, QUIET),
    ATTACK(table_rung_by_an_eventfd, QUIET),
    ATTACK(message_of_another_device, QUIET),
    ATTACK(message_for_no_entry, QUIET),
    ATTACK(message_of_the_old_format, STRAY),
    LAST_ATTACK,
};
