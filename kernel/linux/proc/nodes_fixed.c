/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that say of every machine the same: one CPU, one node of memory, one user, these drivers.
 */
#include "kernel/file/tree.h"
#include "kernel/lib/string.h"
#include "kernel/linux/calls/identity.h"
#include "kernel/linux/proc/nodes.h"

#define CPU    "/sys/devices/system/cpu/"
#define NODE   "/sys/devices/system/node/"
#define MODULE "/sys/module/"

static const struct {
    const char *path;
    const char *text;
} rows[] = {
    {"/etc/group", "root:x:0:\n"},
    {"/etc/hostname", IDENTITY_NODE "\n"},
    {"/etc/passwd", "root:x:0:0:root:/:/bin/sh\n"},
    {"/proc/filesystems", "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\n"
                          "nodev\thugetlbfs\n"},
    {"/proc/sys/kernel/hostname", IDENTITY_NODE "\n"},
    {"/proc/sys/kernel/osrelease", IDENTITY_RELEASE "\n"},
    {"/proc/sys/kernel/ostype", IDENTITY_SYSTEM "\n"},
    {"/proc/sys/vm/overcommit_memory", "2\n"},
    {CPU "kernel_max", "0\n"},
    {CPU "isolated", "\n"},
    {CPU "offline", "\n"},
    {CPU "online", "0\n"},
    {CPU "possible", "0\n"},
    {CPU "present", "0\n"},
    {CPU "cpu0/topology/core_cpus", "1\n"},
    {CPU "cpu0/topology/core_cpus_list", "0\n"},
    {CPU "cpu0/topology/core_id", "0\n"},
    {CPU "cpu0/topology/core_siblings", "1\n"},
    {CPU "cpu0/topology/core_siblings_list", "0\n"},
    {CPU "cpu0/topology/die_cpus", "1\n"},
    {CPU "cpu0/topology/die_cpus_list", "0\n"},
    {CPU "cpu0/topology/die_id", "0\n"},
    {CPU "cpu0/topology/package_cpus", "1\n"},
    {CPU "cpu0/topology/package_cpus_list", "0\n"},
    {CPU "cpu0/topology/physical_package_id", "0\n"},
    {CPU "cpu0/topology/thread_siblings", "1\n"},
    {CPU "cpu0/topology/thread_siblings_list", "0\n"},
    {NODE "has_cpu", "0\n"},
    {NODE "has_memory", "0\n"},
    {NODE "has_normal_memory", "0\n"},
    {NODE "online", "0\n"},
    {NODE "possible", "0\n"},
    {NODE "node0/cpulist", "0\n"},
    {NODE "node0/cpumap", "1\n"},
    {NODE "node0/distance", "10\n"},
    {MODULE "vfio/parameters/enable_unsafe_noiommu_mode", "N\n"},
    {MODULE "vfio_iommu_type1/parameters/allow_unsafe_interrupts", "N\n"},
};

static const struct {
    const char *path;
    const char *target;
} links[] = {
    {CPU "cpu0/node0", "../../node/node0"}, {NODE "node0/cpu0", "../../cpu/cpu0"},
    {"/dev/fd", "/proc/self/fd"},           {"/dev/stdin", "/proc/self/fd/0"},
    {"/dev/stdout", "/proc/self/fd/1"},     {"/dev/stderr", "/proc/self/fd/2"},
    {"/proc/mounts", "self/mounts"},        {"/var/run", "/run"},
};

/* What Linux has as modules for the devices and interfaces that are here. */
static const struct {
    const char *name;
    const char *users;
} modules[] = {
    {"vfio_pci", "-"},           {"vfio_pci_core", "vfio_pci,"},
    {"vfio_iommu_type1", "-"},   {"vfio", "vfio_pci_core,vfio_iommu_type1,"},
    {"iommufd", "vfio,"},        {"uio_pci_generic", "-"},
    {"uio", "uio_pci_generic,"},
};

/* Two for each name that is followed by a comma: they are part of the kernel, so of no size. */
static void show_modules(void *context, struct text *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(modules); i++) {
        unsigned users = 0;
        for (const char *at = modules[i].users; (at = strchr(at, ',')); at++)
            users++;
        text_printf(out, "%s 0 %u %s Live 0x0000000000000000\n", modules[i].name, users,
                    modules[i].users);
    }
}

/* Linux names where each is mounted; here it is a part of the one tree. */
static const struct {
    const char *source, *path, *type, *options;
} mounts[] = {
    {"bulkhead", "/", "tmpfs", "ro,relatime"},
    {"devtmpfs", "/dev", "devtmpfs", "rw,relatime"},
    {"tmpfs", "/dev/shm", "tmpfs", "rw,relatime"},
    {"hugetlbfs", "/dev/hugepages", "hugetlbfs", "rw,relatime,pagesize=2M"},
    {"proc", "/proc", "proc", "rw,relatime"},
    {"sysfs", "/sys", "sysfs", "rw,relatime"},
    {"tmpfs", "/run", "tmpfs", "rw,relatime"},
    {"tmpfs", "/tmp", "tmpfs", "rw,relatime"},
};

static void show_mounts(void *context, struct text *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
        text_printf(out, "%s %s %s %s 0 0\n", mounts[i].source, mounts[i].path, mounts[i].type,
                    mounts[i].options);
}

/* Each but the first is mounted below the first. */
static void show_mountinfo(void *context, struct text *out)
{
    for (size_t i = 0; i < ARRAY_SIZE(mounts); i++)
        text_printf(out, "%zu %u 0:1 / %s %.2s,relatime - %s %s %s\n", i + 1, i ? 1u : 0u,
                    mounts[i].path, mounts[i].options, mounts[i].type, mounts[i].source,
                    mounts[i].options);
}

static void show_text(void *context, struct text *out)
{
    text_printf(out, "%s", (const char *)context);
}

static int add_modules(void)
{
    static const char live[] = "live\n";
    int error = tree_add_text("/proc/modules", show_modules, NULL);
    for (size_t i = 0; !error && i < ARRAY_SIZE(modules); i++)
        error = tree_add_text(format_short(MODULE "%s/initstate", modules[i].name), show_text,
                              (void *)(uintptr_t)live);
    return error;
}

int nodes_add_fixed(void)
{
    int error = add_modules();
    if (!error)
        error = tree_add_text("/proc/1/mounts", show_mounts, NULL);
    if (!error)
        error = tree_add_text("/proc/1/mountinfo", show_mountinfo, NULL);
    for (size_t i = 0; !error && i < ARRAY_SIZE(rows); i++)
        error = tree_add_text(rows[i].path, show_text, (void *)(uintptr_t)rows[i].text);
    for (size_t i = 0; !error && i < ARRAY_SIZE(links); i++)
        error = tree_add_link(links[i].path, links[i].target);
    return error;
}
