/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/report/report.h"
#include "kernel/lib/format.h"
#include "kernel/lib/json.h"
#include "kernel/pci/group.h"
#include "kernel/pci/reset.h"

static void write_device(struct json *json, const struct pci_device *device)
{
    char id[10];

    format(id, sizeof(id), "%04x:%04x", device->vendor, device->device);
    json_object(json, NULL);
    json_string(json, "address", pci_name(device));
    json_string(json, "id", id);
    json_hex(json, "class", device->class_code);
    json_bool(json, "assigned", device->assigned);
    if (device->assigned && !device->removed)
        json_string(json, "reset", pci_reset_name(pci_reset_method(device)));
    json_end_object(json);
}

static void write_group(struct json *json, const struct pci_group *group)
{
    json_object(json, NULL);
    json_uint(json, "id", group->id);
    json_array(json, "devices");
    for (size_t i = 0; i < group->count; i++)
        write_device(json, group->members[i]);
    json_end_array(json);
    json_end_object(json);
}

void report_groups(struct json *json)
{
    struct pci_device *device;
    struct pci_group *group;

    json_array(json, "groups");
    list_for_each_entry (group, pci_groups(), link)
        write_group(json, group);
    json_end_array(json);
    json_array(json, "assigned");
    list_for_each_entry (device, pci_devices(), link) {
        if (device->assigned)
            json_string(json, NULL, pci_name(device));
    }
    json_end_array(json);
}
