/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kernel's life, from top to bottom: find the machine, close DMA, group the devices and pick
 * the assigned ones, load the payload, run it, and whatever happened, stop. A step that cannot go
 * on says why in one sentence; what the earlier steps did is undone by the one way out.
 */
#include "kernel/lives.h"
#include "kernel/machine/boot.h"
#include "kernel/machine/config/config.h"
#include "kernel/machine/console/console.h"
#include "kernel/machine/console/serial.h"
#include "kernel/machine/console/stream.h"
#include "kernel/machine/console/trace.h"
#include "kernel/cpu/apic.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/fpu.h"
#include "kernel/cpu/frequency.h"
#include "kernel/cpu/machine_check.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/cpu/timer.h"
#include "kernel/device/vfio/vfio.h"
#include "kernel/machine/exit.h"
#include "kernel/machine/quiet.h"
#include "kernel/iommu/iommu.h"
#include "kernel/irq/line.h"
#include "kernel/lib/error.h"
#include "kernel/lib/image.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"
#include "kernel/mm/memory.h"
#include "kernel/mm/zero.h"
#include "kernel/linux/program/cpio.h"
#include "kernel/lib/string.h"
#include "kernel/pci/check.h"
#include "kernel/pci/group.h"
#include "kernel/pci/leave.h"
#include "kernel/pci/place.h"
#include "kernel/pci/quiet.h"
#include "kernel/pci/registers.h"
#include "kernel/pci/reset.h"
#include "kernel/pci/select.h"
#include "kernel/pci/sriov.h"
#include "kernel/pci/usb.h"
#include "kernel/pcie/port.h"
#include "kernel/report/report.h"
#include "kernel/mm/direct.h"

paddr_t image_physical;

static struct boot_info boot;
static struct config config;
/* The functions that config.devices select, in the same order. */
static struct pci_device *assigned[CONFIG_DEVICES_MAX];
static struct acpi_info acpi;
static struct report_end ending = {.reason = END_REFUSED};

/* What a step returns when there is nothing more to tell: not an error, but the last step. */
#define STORY_OVER 1

_Noreturn void kernel_main(paddr_t boot_info);

/* A function of a lower layer that says what is wrong as a sentence, or NULL. */
static int demand(const char *problem, struct refusal *why)
{
    return problem ? refuse(why, -EIO, "%s", problem) : 0;
}

/* ---- start: what were we given, what are we asked to do, and can this CPU do it? ---- */

/* Boot data is where the door left it until memory_init(), and in the direct map afterwards. */
static const char *boot_bytes(uint64_t address)
{
    return (const char *)(uintptr_t)address;
}

/* The file in a boot archive whose door has no other way to give us one. */
static bool find_in_archive(const char *name, struct cpio_entry *entry)
{
    struct cpio_reader reader;
    const char *reason;

    if (!boot.archive_size || !cpio_detect(boot_bytes(boot.archive), boot.archive_size))
        return false;
    cpio_open(&reader, boot_bytes(boot.archive), boot.archive_size);
    while (cpio_next(&reader, entry, &reason) == 1) {
        if (strcmp(entry->name, name) == 0)
            return true;
    }
    return false;
}

#define CONFIG_FILE "bulkhead.conf"

/* bulkhead.conf, from the door or from the archive. Its size is 0 if there is none. */
static struct cpio_entry find_config_file(void)
{
    struct cpio_entry entry = {.data = (const uint8_t *)boot_bytes(boot.config),
                               .size = (uint32_t)boot.config_size};

    return boot.config_size || find_in_archive(CONFIG_FILE, &entry) ? entry
                                                                    : (struct cpio_entry){0};
}

static int read_config_file(const struct cpio_entry *file, struct refusal *why)
{
    struct config_error error;

    if (file->size > BOOT_CONFIG_MAX)
        return refuse(why, -EINVAL, "%s is larger than %lu bytes", CONFIG_FILE, BOOT_CONFIG_MAX);
    if (file->size &&
        config_parse_file(&config, CONFIG_FILE, (const char *)file->data, file->size, &error))
        return refuse(why, -EINVAL, "%s", error.message);
    return 0;
}

/* Both sources are read to the end, so that a refusal of one can use what the other said. */
static int read_config(struct refusal *why)
{
    struct config_error error;

    config_defaults(&config);
    const struct cpio_entry found = find_config_file();
    int file = read_config_file(&found, why);
    int words = config_parse_words(&config, "command line", boot_bytes(boot.command_line),
                                   boot.command_line_size, &error);
    log_set_level((enum log_level)config.log_level);
    console_select(config.console_port, &acpi.console);
    stream_open(config.stream_port, config.output == CONFIG_OUTPUT_STREAM);
    trace_classes = config.trace;
    if (found.size <= BOOT_CONFIG_MAX)
        log_lines(LOG_DEBUG, CONFIG_FILE, (const char *)found.data, found.size);
    log_lines(LOG_DEBUG, "command line", boot_bytes(boot.command_line), boot.command_line_size);
    if (!file && words)
        return refuse(why, words, "%s", error.message);
    if (!file && config.trace && !config.stream_port)
        return refuse(why, -EINVAL, "trace needs a stream-port, which is where it is written to");
    if (!file && stream_has_output() && !stream_is_open())
        return refuse(why, -EINVAL, "output = stream needs a stream-port");
    return file;
}

static int start(struct refusal *why)
{
    int error = boot_check(&boot, why);

    if (!error)
        error =
            boot_check_placement(&boot, (const struct boot_memory *)(uintptr_t)boot.memory, why);
    if (!error)
        error = read_config(why);
    if (!error)
        error = demand(cpu_init(), why);
    if (!error)
        error = demand(time_init(boot.entry_tsc), why);
    if (error)
        return error;
    log_set_clock(time_ns);
    log_info("Bulkhead %s, booted by %s", report_version(), report_door(boot.door));
    machine_check_start();
    return demand(apic_stop_others(), why);
}

/* ---- find: what is this machine? ---- */

/* RAM that the operator keeps out of all use: by itself, or for a device that is left. */
static struct phys_run keep_out[CONFIG_KEEP_OUT_MAX + CONFIG_LEAVES_MAX * CONFIG_REACH_MAX];
static size_t keep_out_count;

static void collect_keep_out(const struct phys_run *ranges, size_t count)
{
    for (size_t i = 0; i < count; i++)
        keep_out[keep_out_count++] = ranges[i];
}

/* What addresses of devices are checked against. */
static struct pci_machine machine(void)
{
    struct pci_machine m = {.acpi = &acpi, .keep_out = keep_out, .keep_out_count = keep_out_count};

    m.ram_count = memory_ram(&m.ram);
    m.reserved_count = memory_reserved(&m.reserved);
    return m;
}

static int start_memory(struct refusal *why)
{
    collect_keep_out(config.keep_out, config.keep_out_count);
    for (size_t i = 0; i < config.leave_count; i++)
        collect_keep_out(config.leaves[i].reach, config.leaves[i].reach_count);
    const struct memory_policy policy = {keep_out, keep_out_count, config.memory_limit,
                                         config.memory};
    int error = boot_check_keep_out(&boot, keep_out, keep_out_count, why);

    if (error)
        return error;
    console_suspend();
    error = demand(memory_init(&boot, &policy), why);
    if (!error)
        console_resume();
    return error;
}

static int start_cpu(struct refusal *why)
{
    int error = demand(apic_init(), why);

    if (error)
        return error;
    timer_start();
    frequency_refine();
    fpu_init();
    if (cpu_stacks_init() || threads_init())
        return refuse(why, -ENOMEM, "no memory for the kernel's stacks");
    return 0;
}

/* As far as the firmware names a second clock. */
static void check_time(void)
{
    if (acpi.pm_timer.space == ACPI_SPACE_IO)
        time_check((uint16_t)acpi.pm_timer.address, acpi.pm_timer_32bit ? UINT32_MAX : 0xffffff);
}

static bool for_vfio_alone(const struct config_device *wanted)
{
    return !wanted->uio && wanted->afu == CONFIG_AFU_NONE;
}

static int expect_unprotected(const struct pci_selector *selector, struct refusal *why)
{
    struct pci_device *device;
    int error = pci_select(selector, &device, why);

    if (!error)
        device->unprotected = true;
    return error;
}

static int find(struct refusal *why)
{
    int error = start_memory(why);

    if (!error) {
        error = acpi_find(&acpi_physical_memory, boot.rsdp, &acpi, why);
        console_select(config.console_port, &acpi.console);
    }
    if (!error)
        check_time();
    if (!error)
        error = start_cpu(why);
    const struct pci_machine m = machine();
    if (!error)
        error = pci_check_ecam(&m, why);
    if (!error)
        error = pci_enumerate(acpi.ecams, acpi.ecam_count, why);
    for (size_t i = 0; !error && i < config.device_count; i++)
        if (for_vfio_alone(&config.devices[i]) && !config.devices[i].vfs)
            pci_expect(&config.devices[i].selector);
    for (size_t i = 0; !error && i < config.leave_count; i++)
        error = pci_leave(&config.leaves[i].selector, config.leaves[i].reach,
                          config.leaves[i].reach_count, &m, &acpi.dmar, why);
    for (size_t i = 0; !error && i < config.unprotected_count; i++)
        error = expect_unprotected(&config.unprotected[i], why);
    return error;
}

/* ---- close: from the end of this step on, no DMA happens that was not granted ---- */

/* Of what options ask for and cannot be had: told when all that is there has been shown. */
static int option_error;

/* Before virtual functions are enabled: none of them may have such an id. */
static int add_alias(const struct config_device *wanted, struct refusal *why)
{
    struct pci_device *device;
    int error = wanted->alias ? pci_select(&wanted->selector, &device, why) : 0;

    if (error || !wanted->alias)
        return error;
    if (wanted->alias == (CONFIG_GIVEN | (uint8_t)device->rid))
        return refuse(why, -EINVAL, "the alias of device %s is its own id", pci_name(device));
    pci_set_alias(device, 1, (uint8_t)wanted->alias, "its option alias says so");
    return 0;
}

static int enable_virtual(const struct config_device *wanted, struct refusal *why)
{
    const struct pci_machine m = machine();
    struct pci_device *device;
    int error = wanted->vfs ? pci_select(&wanted->selector, &device, why) : 0;

    if (error || !wanted->vfs)
        return error;
    if (!for_vfio_alone(wanted) || device->left)
        return refuse(why, -EINVAL, "a device with vfs is for VFIO alone: no uio, afu or leave");
    return pci_virtual_enable(device, wanted->vfs, &m, why);
}

static int close_dma(struct refusal *why)
{
    const struct iommu_options options = {
        .unsafe_interrupts = config.unsafe_interrupts,
        .ats = config.ats,
        .x2apic = apic_is_x2apic(),
        .queue_entries = config.invalidation_queue,
        .remap_entries = config.interrupt_entries,
        .fault_threshold = config.fault_threshold,
        .stop_device = config.on_dma_fault != CONFIG_FAULT_LOG,
        .on_faults = lives_dma_faults,
    };
    const struct pci_machine m = machine();

    pci_disable_all_bus_masters();
    pci_quiet_all(&m);
    pci_virtual_disable_all();
    pci_size_bars();
    for (size_t i = 0; !option_error && i < config.device_count; i++)
        option_error = add_alias(&config.devices[i], why);
    for (size_t i = 0; !option_error && i < config.device_count; i++)
        option_error = enable_virtual(&config.devices[i], why);
    /* Interrupts of the platform, lines and functions are quiet before they are remapped. */
    int error = irq_lines_init(acpi.io_apics, acpi.io_apic_count, why);
    machine_quiet(&acpi, m.ram, m.ram_count);
    if (error)
        return error;
    irq_routes_init();
    return iommu_init(&acpi.dmar, &options, why);
}

/* ---- group: which devices can be kept apart, and which ones are the payload's? ---- */

/* What the payload is to reach of it: BARs and its line. */
static int check(struct pci_device *device, const struct config_device *wanted, struct refusal *why)
{
    const struct pci_machine m = machine();
    int error = pci_place_bars(device, device->bars, 1, &m, why);

    if (!error)
        error = pci_check_resources(device, &m, why);
    return error ? error : irq_route(device, wanted->intx, why);
}

static int assign(const struct config_device *wanted, struct refusal *why)
{
    struct pci_device *device, *d;
    int error = pci_select(&wanted->selector, &device, why);

    /* A virtual function alone would be at the mercy of whoever has the physical one. */
    if (!error && (device->assigned || device->physical))
        error = refuse(why, -EEXIST, "device %s is assigned twice", pci_name(device));
    if (!error && !device->removed)
        error = check(device, wanted, why);
    if (error)
        return error;
    device->assigned = true;
    device->driver = wanted->uio ? "uio_pci_generic" : "vfio-pci";
    assigned[wanted - config.devices] = device;
    if (!iommu_controls_snooping(device->group->requesters, device->group->requester_count))
        memory_zero_past_caches();
    if (device->removed)
        log_info("assigned %s, an empty slot, group %u", pci_name(device), device->group->id);
    else
        log_info("assigned %s (%04x:%04x), group %u", pci_name(device), device->vendor,
                 device->device, device->group->id);
    device->raw_config = wanted->raw_config;
    if (device->raw_config)
        log_warn("%s: raw-config: the payload may write its vendor-specific registers, vital "
                 "product data and all configuration space that no table names",
                 pci_name(device));
    pci_for_each_below (d, device) {
        d->assigned = true;
        d->driver = "vfio-pci";
        d->raw_config = wanted->raw_config;
    }
    return 0;
}

static void tell_devices(const struct pci_group *of)
{
    for (size_t i = 0; i < of->count; i++) {
        const struct pci_device *device = of->members[i];

        log_debug("pci: %s (%04x:%04x), class %06x, group %u", pci_name(device), device->vendor,
                  device->device, device->class_code, of->id);
    }
}

/* What is there is shown even if a device that is wanted is not, or cannot be had. */
static int group(struct refusal *why)
{
    struct pci_group *each;
    int error = option_error;

    if (pci_groups_build())
        return refuse(why, -ENOMEM, "no memory for the isolation groups");
    list_for_each_entry (each, pci_groups(), link)
        tell_devices(each);
    port_errors_kept = acpi.errors_kept;
    pci_show_retry_status();
    pci_save_all();
    pci_clear_errors();
    trap_set_nmi_teller(pci_tell_errors);
    for (size_t i = 0; !error && i < config.device_count; i++)
        error = assign(&config.devices[i], why);
    if (!error)
        error = pci_leave_check(why);
    if (config.show != CONFIG_SHOW_DEVICES)
        return error;
    show_devices();
    if (error)
        return error;
    ending.reason = END_SHOWN;
    return STORY_OVER;
}

/* Of VFIO alone: other families have looked at the BARs that were there when the payload began. */
static int offer(struct pci_device *device)
{
    const struct config_device *wanted = config.devices;
    struct refusal why;
    int error;

    while (assigned[wanted - config.devices] != device)
        wanted++;
    if (pci_read8(device, PCI_HEADER_TYPE) & PCI_HEADER_MULTIFUNCTION)
        error = refuse(&why, -EINVAL, "it has several functions");
    else if (wanted->selector.by != PCI_BY_ADDRESS && !pci_selects(&wanted->selector, device))
        error = refuse(&why, -EINVAL, "it is not what %s names", wanted->selector.words);
    else if (!iommu_knows(device))
        error = refuse(&why, -EINVAL, "it has an alias that only the option alias could announce");
    else if (!for_vfio_alone(wanted))
        error = refuse(&why, -EINVAL, "only VFIO takes what is plugged in, not uio or afu");
    else
        error = check(device, wanted, &why);
    if (!error)
        error = lives_forgive(device, &why);
    log_info("%s (%04x:%04x) was plugged in%s%s", pci_name(device), device->vendor, device->device,
             error ? ", and is not offered: " : ", and is offered", error ? why.sentence : "");
    return error;
}

/* ---- load and run: the payload, with its devices, until it ends for good ---- */

static int load(struct refusal *why)
{
    const struct lives lives = {
        .config = &config,
        .devices = assigned,
        .archive = phys_to_virt(boot.archive),
        .archive_size = boot.archive_size,
    };

    static const struct port_users users = {
        .error = vfio_error,
        .recover = vfio_recover_below,
        .request = vfio_request,
        .removed = vfio_removed,
        .plugged = offer,
        .refused = lives_device_kept,
    };
    int error = ports_start(&users, why);
    struct pci_device *d;

    /* Also one that the payload never opens, or that only shares a group. */
    list_for_each_entry (d, pci_devices(), link)
        if (!error && pci_group_has_assigned(d->group))
            pci_usb_take(d);
    return error ? error : lives_begin(&lives, why);
}

static int run(struct refusal *why)
{
    lives_run(&ending);
    return 0;
}

/* ---- the story ---- */

static const struct {
    const char *name;
    int (*tell)(struct refusal *why);
} story[] = {
    {"start", start}, {"find", find}, {"close", close_dma},
    {"group", group}, {"load", load}, {"run", run},
};

/* Every run ends here, however far it came. */
static _Noreturn void stop(void)
{
    serial_finish();
    report_step("stop");
    if (config.report_port)
        report_write(config.report_port, boot.door, &ending);
    machine_end(&config, &acpi, ending.reason);
}

/* Called for a panic; a second one, on the way through here, goes straight to the exit. */
static void stop_after_panic(void)
{
    static bool tried;

    ending = (struct report_end){.reason = END_PANIC};
    if (!tried) {
        tried = true;
        pci_disable_all_bus_masters();
        stop();
    }
    machine_end(&config, &acpi, END_PANIC);
}

/* Without these nothing can be refused politely. */
static void wake_up(paddr_t boot_info)
{
    const struct boot_info *given = (const struct boot_info *)(uintptr_t)boot_info;

    image_physical = given->kernel_base;
    boot = *given;
    cpu_tables_init();
    console_start(&boot.framebuffer);
    panic_set_end(stop_after_panic);
}

_Noreturn void kernel_main(paddr_t boot_info)
{
    static struct refusal why;
    int error = 0;

    wake_up(boot_info);
    for (size_t i = 0; !error && i < ARRAY_SIZE(story); i++) {
        error = story[i].tell(&why);
        report_step(story[i].name);
    }
    if (error < 0) {
        log_error("refused: %s", why.sentence);
        ending.sentence = why.sentence;
    }
    stop();
}
