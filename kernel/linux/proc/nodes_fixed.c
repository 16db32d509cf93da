/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that say of every machine the same: one CPU, one node of memory, one user, these drivers.
 */
#include "kernel/file/tree.h"
#include "kernel/linux/calls/identity.h"
#include "kernel/linux/proc/nodes.h"
#include "kernel/linux/program/load.h"

#define CPU          "sys/devices/system/cpu/"
#define NODE         "sys/devices/system/node/"
#define TOPOLOGY     CPU "cpu0/topology/"
#define LIVE(module) "sys/module/" module "/initstate"
/* A module's line after its name: it is a part of the kernel, of no size. */
#define USED(by) " 0 " by " Live 0x0000000000000000\n"

static void show_text(void *context, struct text *out)
{
    text_printf(out, "%s", (const char *)context);
}

/* clang-format off */
#define TEXT(is, text)   {.names = (is), .show = show_text, .data = (text)}
#define LINK(is, target) {.names = (is), .data = (target)}

static const struct tree_text rows[] = {
    TEXT("etc/group", "root:x:0:\n"),
    TEXT("etc/hostname", IDENTITY_NODE "\n"),
    TEXT("etc/passwd", "root:x:0:0:root:/:/bin/sh\n"),
    TEXT("proc/filesystems",
         "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\thugetlbfs\n"),
    TEXT("proc/modules",
         "vfio_pci" USED("0 -") "vfio_pci_core" USED("1 vfio_pci,") "vfio_iommu_type1" USED("0 -")
         "vfio" USED("2 vfio_pci_core,vfio_iommu_type1,") "iommufd" USED("1 vfio,")
         "uio_pci_generic" USED("0 -") "uio" USED("1 uio_pci_generic,")),
    TEXT("proc/1/mounts",
         "bulkhead / tmpfs ro,relatime 0 0\ndevtmpfs /dev devtmpfs rw,relatime 0 0\n"
         "hugetlbfs /dev/hugepages hugetlbfs rw,relatime,pagesize=2M 0 0\n"
         "tmpfs /dev/shm tmpfs rw,relatime 0 0\n"
         "proc /proc proc rw,relatime 0 0\nsysfs /sys sysfs rw,relatime 0 0\n"
         "tmpfs /run tmpfs rw,relatime 0 0\ntmpfs /tmp tmpfs rw,relatime 0 0\n"),
    TEXT("proc/1/mountinfo",
         "1 0 0:1 / / ro,relatime - tmpfs bulkhead ro\n"
         "2 1 0:1 / /dev rw,relatime - devtmpfs devtmpfs rw\n"
         "3 2 0:1 / /dev/hugepages rw,relatime - hugetlbfs hugetlbfs rw,pagesize=2M\n"
         "4 2 0:1 / /dev/shm rw,relatime - tmpfs tmpfs rw\n"
         "5 1 0:1 / /proc rw,relatime - proc proc rw\n"
         "6 1 0:1 / /sys rw,relatime - sysfs sysfs rw\n"
         "7 1 0:1 / /run rw,relatime - tmpfs tmpfs rw\n"
         "8 1 0:1 / /tmp rw,relatime - tmpfs tmpfs rw\n"),
    TEXT("proc/sys/kernel/osrelease", IDENTITY_RELEASE "\n"),
    TEXT("proc/sys/vm/overcommit_memory", "2\n"),
    TEXT(CPU "isolated " CPU "offline", "\n"),
    TEXT(CPU "kernel_max " CPU "online " CPU "possible " CPU "present " TOPOLOGY "core_cpus_list "
         TOPOLOGY "core_id " TOPOLOGY "core_siblings_list " TOPOLOGY "physical_package_id "
         TOPOLOGY "thread_siblings_list " NODE "has_cpu " NODE "has_memory "
         NODE "has_normal_memory " NODE "online " NODE "possible " NODE "node0/cpulist", "0\n"),
    TEXT(TOPOLOGY "core_cpus " TOPOLOGY "core_siblings " TOPOLOGY "thread_siblings "
         NODE "node0/cpumap", "1\n"),
    TEXT(NODE "node0/distance", "10\n"),
    TEXT(LIVE("vfio") " " LIVE("vfio_iommu_type1") " " LIVE("vfio_pci") " " LIVE("vfio_pci_core")
         " " LIVE("iommufd") " " LIVE("uio") " " LIVE("uio_pci_generic"), "live\n"),
    LINK(CPU "cpu0/node0", "../../node/node0"), LINK(NODE "node0/cpu0", "../../cpu/cpu0"),
    LINK("dev/fd", "/proc/self/fd"), LINK("dev/stdin", "/proc/self/fd/0"),
    LINK("dev/stdout", "/proc/self/fd/1"), LINK("dev/stderr", "/proc/self/fd/2"),
    LINK("proc/self", "1"), LINK("proc/1/exe", PROGRAM_PATH), LINK("proc/mounts", "self/mounts"),
    LINK("var/run", "/run"),
};
/* clang-format on */

int nodes_add_fixed(void)
{
    return tree_add_texts("", rows, ARRAY_SIZE(rows), NULL);
}
