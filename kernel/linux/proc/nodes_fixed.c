/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that say of every machine the same: one CPU, one node of memory, one user, these drivers.
 */
#include "kernel/file/tree.h"
#include "kernel/lib/string.h"
#include "kernel/linux/calls/identity.h"
#include "kernel/linux/proc/nodes.h"
#include "kernel/linux/program/load.h"

#define CPU  "/sys/devices/system/cpu/"
#define NODE "/sys/devices/system/node/"
/* A module's line after its name: it is a part of the kernel, of no size. */
#define USED(by) " 0 " by " Live 0x0000000000000000\n"

/* Files of a folder that have the same text; blanks between their names. */
/* clang-format off */
static const struct {
    const char *folder, *names, *text;
} rows[] = {
    {"/etc/", "group", "root:x:0:\n"},
    {"/etc/", "hostname", IDENTITY_NODE "\n"},
    {"/etc/", "passwd", "root:x:0:0:root:/:/bin/sh\n"},
    {"/proc/", "filesystems",
     "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\thugetlbfs\n"},
    {"/proc/", "modules",
     "vfio_pci" USED("0 -") "vfio_pci_core" USED("1 vfio_pci,") "vfio_iommu_type1" USED("0 -")
     "vfio" USED("2 vfio_pci_core,vfio_iommu_type1,") "iommufd" USED("1 vfio,")
     "uio_pci_generic" USED("0 -") "uio" USED("1 uio_pci_generic,")},
    {"/proc/1/", "mounts",
     "bulkhead / tmpfs ro,relatime 0 0\n"
     "devtmpfs /dev devtmpfs rw,relatime 0 0\n"
     "hugetlbfs /dev/hugepages hugetlbfs rw,relatime,pagesize=2M 0 0\n"
     "tmpfs /dev/shm tmpfs rw,relatime 0 0\n"
     "proc /proc proc rw,relatime 0 0\nsysfs /sys sysfs rw,relatime 0 0\n"
     "tmpfs /run tmpfs rw,relatime 0 0\ntmpfs /tmp tmpfs rw,relatime 0 0\n"},
    {"/proc/1/", "mountinfo",
     "1 0 0:1 / / ro,relatime - tmpfs bulkhead ro\n"
     "2 1 0:1 / /dev rw,relatime - devtmpfs devtmpfs rw\n"
     "3 2 0:1 / /dev/hugepages rw,relatime - hugetlbfs hugetlbfs rw,pagesize=2M\n"
     "4 2 0:1 / /dev/shm rw,relatime - tmpfs tmpfs rw\n"
     "5 1 0:1 / /proc rw,relatime - proc proc rw\n6 1 0:1 / /sys rw,relatime - sysfs sysfs rw\n"
     "7 1 0:1 / /run rw,relatime - tmpfs tmpfs rw\n8 1 0:1 / /tmp rw,relatime - tmpfs tmpfs rw\n"},
    {"/proc/sys/kernel/", "osrelease", IDENTITY_RELEASE "\n"},
    {"/proc/sys/vm/", "overcommit_memory", "2\n"},
    {CPU, "isolated offline", "\n"},
    {CPU, "kernel_max online possible present", "0\n"},
    {CPU "cpu0/topology/", "core_cpus core_siblings thread_siblings", "1\n"},
    {CPU "cpu0/topology/",
     "core_cpus_list core_id core_siblings_list physical_package_id thread_siblings_list", "0\n"},
    {NODE, "has_cpu has_memory has_normal_memory online possible node0/cpulist", "0\n"},
    {NODE, "node0/cpumap", "1\n"},
    {NODE, "node0/distance", "10\n"},
    {"/sys/module/", "vfio/initstate vfio_iommu_type1/initstate vfio_pci/initstate "
     "vfio_pci_core/initstate iommufd/initstate uio/initstate uio_pci_generic/initstate", "live\n"},
};
/* clang-format on */

static const struct {
    const char *path, *target;
} links[] = {
    {CPU "cpu0/node0", "../../node/node0"},
    {NODE "node0/cpu0", "../../cpu/cpu0"},
    {"/dev/fd", "/proc/self/fd"},
    {"/dev/stdin", "/proc/self/fd/0"},
    {"/dev/stdout", "/proc/self/fd/1"},
    {"/dev/stderr", "/proc/self/fd/2"},
    {"/proc/self", "1"},
    {"/proc/1/exe", PROGRAM_PATH},
    {"/proc/mounts", "self/mounts"},
    {"/var/run", "/run"},
};

static void show_text(void *context, struct text *out)
{
    text_printf(out, "%s", (const char *)context);
}

static int add_row(const char *folder, const char *names, const char *text)
{
    int error = 0;
    for (const char *end; !error && names; names = end ? end + 1 : NULL) {
        end = strchr(names, ' ');
        int length = (int)(end ? (size_t)(end - names) : strlen(names));
        error = tree_add_text(format_short("%s%.*s", folder, length, names), show_text,
                              (void *)(uintptr_t)text);
    }
    return error;
}

int nodes_add_fixed(void)
{
    int error = 0;
    for (size_t i = 0; !error && i < ARRAY_SIZE(rows); i++)
        error = add_row(rows[i].folder, rows[i].names, rows[i].text);
    for (size_t i = 0; !error && i < ARRAY_SIZE(links); i++)
        error = tree_add_link(links[i].path, links[i].target);
    return error;
}
