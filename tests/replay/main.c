/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel makes of a machine that ./bulkhead collect described: the steps `find`, `close`
 * and `group` of kernel/main.c, by the kernel's own code, without a device that is asked for. Shows
 * its log and its devices as they would be on the console, then which IOMMU serves each function,
 * and whether it could be assigned. Exit status 0; 1: refused; 2: the file is not as it should be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/iommu/iommu.h"
#include "kernel/iommu/requester.h"
#include "kernel/iommu/unit.h"
#include "kernel/irq/irq.h"
#include "kernel/irq/line.h"
#include "kernel/lib/log.h"
#include "kernel/pci/check.h"
#include "kernel/pci/group.h"
#include "kernel/pci/place.h"
#include "kernel/pci/quiet.h"
#include "kernel/pci/sriov.h"
#include "kernel/pcie/port.h"
#include "kernel/report/report.h"
#include "tests/replay/hardware.h"
#include "tests/replay/memory.h"

static struct replay_file file;
static struct acpi_info acpi;
static struct phys_run ram[REPLAY_RANGES_MAX], reserved[REPLAY_RANGES_MAX];
static struct pci_machine machine = {.acpi = &acpi, .ram = ram, .reserved = reserved};

static void sort_memory(void)
{
    for (size_t i = 0; i < file.range_count; i++) {
        const struct replay_range *range = &file.ranges[i];
        const struct phys_run run = {range->base, range->length};

        if (range->kind == REPLAY_RAM)
            ram[machine.ram_count++] = run;
        else
            reserved[machine.reserved_count++] = run;
    }
    memory_place(ram, machine.ram_count);
}

static int find_machine(struct refusal *why)
{
    int error = acpi_find(&replay_memory, REPLAY_RSDP, &acpi, why);

    if (error)
        return error;
    replay_place(&acpi);
    error = pci_check_ecam(&machine, why);
    return error ? error : pci_enumerate(acpi.ecams, acpi.ecam_count, why);
}

static int close_dma(struct refusal *why)
{
    const struct iommu_options options = {0};
    int error;

    pci_disable_all_bus_masters();
    pci_quiet_all(&machine);
    pci_virtual_disable_all();
    pci_size_bars();
    error = irq_lines_init(acpi.io_apics, acpi.io_apic_count, why);
    if (error)
        return error;
    irq_routes_init();
    return iommu_init(&acpi.dmar, &options, why);
}

static int group(struct refusal *why)
{
    if (pci_groups_build())
        return refuse(why, -1, "no memory for the isolation groups");
    port_errors_kept = acpi.errors_kept;
    show_devices();
    return 0;
}

/* ---- what could be assigned ---- */

/* Why a group cannot be handed out (kernel/device/vfio/group.c); *culprit: for whose sake. */
static const char *withheld(const struct pci_group *of, const struct pci_device **culprit)
{
    for (size_t i = 0; i < of->count; i++) {
        struct requester *const *ids = of->members[i]->requesters;

        *culprit = of->members[i];
        for (size_t j = 0; j < PCI_IDS_MAX && ids[j]; j++)
            if (iommu_withholds(ids[j]))
                return iommu_withholds(ids[j]);
    }
    return NULL;
}

/* As if one of it were assigned. */
static void take_from_firmware(const struct pci_group *of)
{
    for (size_t i = 0; i < of->count; i++)
        pci_set_bus_master(of->members[i], false);
    for (size_t i = 0; i < of->requester_count; i++)
        iommu_end_reservation(of->requesters[i]);
}

static int judge_group(const struct pci_group *of, struct refusal *why)
{
    const struct pci_device *culprit;
    const char *reason;

    take_from_firmware(of);
    reason = withheld(of, &culprit);
    return reason ? refuse(why, -1, "group %u cannot be handed out: %s %s", of->id, reason,
                           pci_name(culprit))
                  : 0;
}

static void judge(struct pci_device *device)
{
    const struct iommu_unit *unit = device->requesters[0]->unit;
    const char *verdict = "assignable", *sentence = "";
    struct refusal why;
    char served[16] = "none";

    if (pci_is_bridge(device))
        verdict = "bridge";
    else if (pci_place_bars(device, device->bars, 1, &machine, &why) ||
             pci_check_resources(device, &machine, &why) || judge_group(device->group, &why))
        verdict = "not assignable: ", sentence = why.sentence;
    if (unit)
        snprintf(served, sizeof(served), "iommu%u", unit->index);
    printf("verdict %s %s %s%s\n", pci_name(device), served, verdict, sentence);
}

static void judge_all(void)
{
    struct pci_device *device;

    list_for_each_entry (device, pci_devices(), link)
        judge(device);
}

/* ---- from the file to the verdict ---- */

static void write_out(const char *text, size_t length)
{
    fwrite(text, 1, length, stdout);
}

static bool has_table(const char *name)
{
    for (size_t i = 0; i < file.table_count; i++)
        if (strcmp(file.tables[i].name, name) == 0)
            return true;
    return false;
}

static void need(bool lacking, const char *what, const char *how)
{
    if (!lacking)
        return;
    fprintf(stderr, "the file lacks %s: collect it %s\n", what, how);
    exit(2);
}

typedef int (*step)(struct refusal *why);

int main(int argc, char **argv)
{
    static const step story[] = {find_machine, close_dma, group};
    static struct log_sink sink = {.write = write_out};
    struct refusal why = {.sentence = ""};
    int error = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: replay FILE\n");
        return 2;
    }
    replay_read(argv[1], &file);
    need(file.lacks_tables, "the firmware's tables", "as root");
    need(file.lacks_config, "configuration space", "as root");
    need(file.lacks_memory, "the memory map", "as root");
    need(!file.unit_count && has_table("DMAR"), "the IOMMUs", "in a Linux that uses them");
    log_add_sink(&sink);
    sort_memory();
    replay_hardware(&file);
    for (size_t i = 0; !error && i < ARRAY_SIZE(story); i++)
        error = story[i](&why);
    if (!error)
        judge_all();
    printf("verdict: %s%s\n", error ? "refused: " : "the kernel starts", why.sentence);
    return error != 0;
}
