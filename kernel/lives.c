/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lives.h"

#include "drivers/afu/afu.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/cpu/timer.h"
#include "kernel/device/iommufd/iommufd.h"
#include "kernel/device/sysfs/sysfs.h"
#include "kernel/device/uio/uio.h"
#include "kernel/device/vfio/container.h"
#include "kernel/device/vfio/vfio.h"
#include "kernel/file/tree.h"
#include "kernel/iommu/iommu.h"
#include "kernel/lib/error.h"
#include "kernel/lib/log.h"
#include "kernel/linux/program/payload.h"
#include "kernel/linux/signals/signal.h"
#include "kernel/machine/console/serial.h"
#include "kernel/mm/memory.h"
#include "kernel/pci/group.h"
#include "kernel/pci/reset.h"
#include "kernel/report/report.h"

/* A life this long was no failure to start: the restarts before it do not count any more. */
#define LONG_LIFE_NS (60 * NS_PER_S)
/* Delays are doubled no further. */
#define DELAY_MAX_NS (60 * NS_PER_S)
/* Longer than a recovery waits for a device. */
#define CLAIM_BOUND_NS (120 * NS_PER_S)
#define NAP            "restart of the payload"

static struct lives given;
static struct report_end ending;
static bool time_over;
static uint64_t restarts;

/* ---- load: the payload, and the files that stand for its devices ---- */

static int add_iommu_files(void)
{
    static const struct tree_text files[] = {
        TREE_READ("units", iommu_units_show), TREE_READ("domains", iommu_domains_show),
        TREE_READ("mappings", iommu_mappings_show), TREE_READ("faults", iommu_faults_show),
        TREE_READ("invalidations", iommu_invalidations_show)};

    return tree_add_texts("/sys/kernel/iommu", files, ARRAY_SIZE(files), NULL);
}

TREE_SHOW(show_restarts, void, "%lu", restarts)

/* What does not depend on the payload, and stays when it ends. */
static int add_machine_files(struct refusal *why)
{
    if (tree_add_text("/sys/kernel/payload_restarts", show_restarts, NULL) || add_iommu_files() ||
        sysfs_add_devices() || sysfs_add_drivers(given.config) || sysfs_add_units() ||
        vfio_container_add_file(payload_user()) || iommufd_add_file(payload_user()))
        return refuse(why, -ENOMEM, "not enough memory for the device files");
    return vfio_add_groups(why);
}

/* The families that a device's options ask for, beside VFIO, which every assigned device has. */
static int add_families(const struct config_device *wanted, struct pci_device *device,
                        struct refusal *why)
{
    const struct ioas_user *user = payload_user();
    int bar = wanted->dfl_bar == CONFIG_DFL_BAR_KNOWN ? AFU_BAR_KNOWN : (int)wanted->dfl_bar;
    int error = 0;

    if (wanted->uio)
        error = uio_add(device, wanted->dma_memory, user->account, why);
    if (!error && wanted->afu != CONFIG_AFU_NONE && !device->removed) /* nothing to look at */
        error = afu_add(device, wanted->afu == CONFIG_AFU_EDU ? AFU_EDU : AFU_DFL, bar, user, why);
    return error;
}

static int load(struct refusal *why)
{
    const struct config *config = given.config;
    int error = payload_load(given.archive, given.archive_size, config, why);

    for (size_t i = 0; !error && i < config->device_count; i++)
        error = add_families(&config->devices[i], given.devices[i], why);
    return error;
}

int lives_begin(const struct lives *lives, struct refusal *why)
{
    int error;

    given = *lives;
    error = add_machine_files(why);
    if (!error)
        error = load(why);
    if (given.config->on_exit != CONFIG_EXIT_RESTART_PAYLOAD)
        memory_release_boot_data();
    cpu_syscall_init();
    return error;
}

/* ---- run: until the payload ends, whatever ends it ---- */

/* What other devices than the payload's do is no reason to end it. */
void lives_dma_faults(void *context, uint16_t segment, uint16_t rid)
{
    if (given.config && given.config->on_dma_fault == CONFIG_FAULT_KILL_PAYLOAD &&
        pci_group_assigned(segment, rid) &&
        payload_kill(SIG_KILL, "its device reached for memory it was not given (on-dma-fault)"))
        ending.reason = END_DMA_FAULT;
}

void lives_device_kept(void)
{
    (void)payload_kill(SIG_KILL, "it did not give back a device that was asked for");
}

static void time_is_over(struct timer *timer)
{
    time_over = true;
    waitq_wake(serial_changed());
    if (payload_kill(SIG_KILL, "its time is over (payload-timeout)"))
        ending.reason = END_TIMEOUT;
}

/* The devices are silent when the payload is apart. */
static void take_apart(void)
{
    iommu_snapshot();
    payload_take_apart();
    uio_remove_all();
    afu_remove_all();
}

/* Returns how long it ran, in ns: the time that its end takes says nothing of how it started. */
static uint64_t live(void)
{
    static struct timer limit;
    uint64_t began = time_ns(), lasted;

    ending = (struct report_end){.reason = END_PAYLOAD};
    time_over = false;
    timer_init(&limit, time_is_over);
    if (given.config->payload_timeout)
        timer_set(&limit, time_ns() + given.config->payload_timeout * NS_PER_S);
    struct payload_exit end = payload_run();
    lasted = time_ns() - began;
    take_apart();
    /* A payload that came to its end has said everything only when everything was read. */
    if (!end.signal)
        serial_drain(&time_over);
    timer_cancel(&limit);
    if (end.signal && ending.reason == END_PAYLOAD)
        ending.reason = END_KILLED;
    ending.status = end.signal ? end.signal : end.status;
    ending.sentence = end.cause;
    ending.located = end.inside;
    ending.rip = end.rip;
    report_life(&ending);
    return lasted;
}

/* ---- again: in the same machine, from the same archive ---- */

int lives_forgive(const struct pci_device *device, struct refusal *why)
{
    int error = 0;

    for (size_t i = 0; !error && i < PCI_IDS_MAX && device->requesters[i]; i++)
        error = iommu_forgive(device->requesters[i]);
    if (error)
        return refuse(why, error, "the IOMMU of %s stopped answering", pci_name(device));
    pci_pardon(device);
    return 0;
}

/* A port that recovers what is below it has it claimed meanwhile. */
static int claim(struct pci_device *device)
{
    uint64_t deadline = time_ns() + CLAIM_BOUND_NS;
    int error;

    while ((error = pci_claim(device, NAP)) == -EBUSY && !time_expired(deadline))
        thread_nap(NAP, NS_PER_MS);
    return error;
}

/*
 * Whatever the last life did to the device, and whatever was done about it. One that is out of its
 * slot is no reason to wait: whoever opens it is told.
 */
static int renew(struct pci_device *device, struct refusal *why)
{
    const char *name = pci_name(device);
    int error = claim(device);

    if (error == -EBUSY)
        return refuse(why, error, "%s is still being recovered", name);
    if (!error) {
        error = pci_reset(device);
        pci_unclaim(device);
    }
    if (error == -ENODEV)
        return 0;
    if (error == -ENOTTY)
        return refuse(why, error, "%s has no reset", name);
    if (error)
        return refuse(why, error, "%s did not come back from its reset", name);
    return lives_forgive(device, why);
}

/* Without a word to the payload, which is gone. */
static void wait_before(uint32_t restart)
{
    const struct config *config = given.config;
    uint64_t delay = config->restart_delay * NS_PER_S;

    for (uint32_t i = 1; delay && i < restart && delay < DELAY_MAX_NS; i++)
        delay = MIN(2 * delay, DELAY_MAX_NS);
    log_info("the payload ended with %s %d and starts again in %lu s, restart %u in a row",
             ending.reason == END_PAYLOAD ? "status" : "signal", ending.status, delay / NS_PER_S,
             restart);
    if (delay)
        thread_nap(NAP, delay);
}

static int restart(uint32_t number, struct refusal *why)
{
    const struct config *config = given.config;
    struct pci_device *d;
    int error = 0;

    if (config->restart_limit != UINT32_MAX && number > config->restart_limit)
        return refuse(why, -EPERM, "it was, %u times in a row (restart-limit)", number - 1);
    list_for_each_entry (d, pci_devices(), link)
        if (!error && d->assigned)
            error = renew(d, why);
    if (error)
        return error;
    wait_before(number);
    restarts++;
    return load(why);
}

void lives_run(struct report_end *out)
{
    static struct refusal why;
    bool again = given.config->on_exit == CONFIG_EXIT_RESTART_PAYLOAD;
    uint32_t in_row = 0;

    log_set_patient(false);
    for (;;) {
        uint64_t lasted = live();

        if (!again)
            break;
        in_row = lasted < LONG_LIFE_NS ? in_row + 1 : 1;
        if (restart(in_row, &why)) {
            log_error("the payload is not started again: %s", why.sentence);
            report_no_restart(why.sentence);
            break;
        }
    }
    *out = ending;
}
