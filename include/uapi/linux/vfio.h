/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The VFIO interface: containers (/dev/vfio/vfio), groups (/dev/vfio/N) and devices. Numbers,
 * names and layouts are Linux's, so that one source compiles for both; what does not exist here
 * (platform devices, mediated graphics, sPAPR, migration data) is left out.
 *
 * `argsz` is the size of the caller's structure. The same command number means different things on
 * different kinds of files.
 */
#ifndef UAPI_LINUX_VFIO_H
#define UAPI_LINUX_VFIO_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VFIO_API_VERSION 0

#define VFIO_TYPE (';')
#define VFIO_BASE 100

/* Arguments of VFIO_CHECK_EXTENSION; those named _IOMMU also of VFIO_SET_IOMMU. */
#define VFIO_TYPE1_IOMMU         1
#define VFIO_SPAPR_TCE_IOMMU     2
#define VFIO_TYPE1v2_IOMMU       3
#define VFIO_DMA_CC_IOMMU        4
#define VFIO_EEH                 5
#define VFIO_TYPE1_NESTING_IOMMU 6
#define VFIO_SPAPR_TCE_v2_IOMMU  7
#define VFIO_NOIOMMU_IOMMU       8
#define VFIO_UNMAP_ALL           9
#define VFIO_UPDATE_VADDR        10

/* Capabilities follow an info structure as a chain; `next` counts from the structure's start. */
struct vfio_info_cap_header {
    __u16 id;
    __u16 version;
    __u32 next; /* 0: the last one */
};

/* ---- every file ---- */

#define VFIO_GET_API_VERSION _IO(VFIO_TYPE, VFIO_BASE + 0)
#define VFIO_CHECK_EXTENSION _IO(VFIO_TYPE, VFIO_BASE + 1) /* by value; 1 or 0 */
#define VFIO_SET_IOMMU       _IO(VFIO_TYPE, VFIO_BASE + 2) /* by value */

/* ---- group ---- */

struct vfio_group_status {
    __u32 argsz;
    __u32 flags;
#define VFIO_GROUP_FLAGS_VIABLE        (1 << 0)
#define VFIO_GROUP_FLAGS_CONTAINER_SET (1 << 1)
};
#define VFIO_GROUP_GET_STATUS      _IO(VFIO_TYPE, VFIO_BASE + 3)
#define VFIO_GROUP_SET_CONTAINER   _IO(VFIO_TYPE, VFIO_BASE + 4) /* __s32 *: container or iommufd */
#define VFIO_GROUP_UNSET_CONTAINER _IO(VFIO_TYPE, VFIO_BASE + 5)
#define VFIO_GROUP_GET_DEVICE_FD   _IO(VFIO_TYPE, VFIO_BASE + 6) /* char *: "0000:00:02.0" */

/* ---- device ---- */

struct vfio_device_info {
    __u32 argsz;
    __u32 flags;
#define VFIO_DEVICE_FLAGS_RESET (1 << 0)
#define VFIO_DEVICE_FLAGS_PCI   (1 << 1)
#define VFIO_DEVICE_FLAGS_CAPS  (1 << 7)
    __u32 num_regions;
    __u32 num_irqs;
    __u32 cap_offset;
    __u32 pad;
};
#define VFIO_DEVICE_GET_INFO _IO(VFIO_TYPE, VFIO_BASE + 7)

#define VFIO_DEVICE_API_PCI_STRING "vfio-pci"

struct vfio_region_info {
    __u32 argsz;
    __u32 flags;
#define VFIO_REGION_INFO_FLAG_READ  (1 << 0)
#define VFIO_REGION_INFO_FLAG_WRITE (1 << 1)
#define VFIO_REGION_INFO_FLAG_MMAP  (1 << 2)
#define VFIO_REGION_INFO_FLAG_CAPS  (1 << 3)
    __u32 index;
    __u32 cap_offset;
    __aligned_u64 size;
    __aligned_u64 offset; /* in the device file */
};
#define VFIO_DEVICE_GET_REGION_INFO _IO(VFIO_TYPE, VFIO_BASE + 8)

#define VFIO_REGION_INFO_CAP_SPARSE_MMAP 1
struct vfio_region_sparse_mmap_area {
    __aligned_u64 offset; /* in the region */
    __aligned_u64 size;
};
struct vfio_region_info_cap_sparse_mmap {
    struct vfio_info_cap_header header;
    __u32 nr_areas;
    __u32 reserved;
    struct vfio_region_sparse_mmap_area areas[];
};

#define VFIO_REGION_INFO_CAP_TYPE 2
struct vfio_region_info_cap_type {
    struct vfio_info_cap_header header;
    __u32 type;
    __u32 subtype;
};

/* A header alone: the BAR with the MSI-X table may be mapped whole. */
#define VFIO_REGION_INFO_CAP_MSIX_MAPPABLE 3

struct vfio_irq_info {
    __u32 argsz;
    __u32 flags;
#define VFIO_IRQ_INFO_EVENTFD    (1 << 0)
#define VFIO_IRQ_INFO_MASKABLE   (1 << 1)
#define VFIO_IRQ_INFO_AUTOMASKED (1 << 2)
#define VFIO_IRQ_INFO_NORESIZE   (1 << 3)
    __u32 index;
    __u32 count;
};
#define VFIO_DEVICE_GET_IRQ_INFO _IO(VFIO_TYPE, VFIO_BASE + 9)

struct vfio_irq_set {
    __u32 argsz;
    __u32 flags;
#define VFIO_IRQ_SET_DATA_NONE      (1 << 0)
#define VFIO_IRQ_SET_DATA_BOOL      (1 << 1) /* __u8 each */
#define VFIO_IRQ_SET_DATA_EVENTFD   (1 << 2) /* __s32 each */
#define VFIO_IRQ_SET_ACTION_MASK    (1 << 3)
#define VFIO_IRQ_SET_ACTION_UNMASK  (1 << 4)
#define VFIO_IRQ_SET_ACTION_TRIGGER (1 << 5)
    __u32 index;
    __u32 start;
    __u32 count;
    __u8 data[];
};
#define VFIO_DEVICE_SET_IRQS _IO(VFIO_TYPE, VFIO_BASE + 10)

#define VFIO_IRQ_SET_DATA_TYPE_MASK                                                                \
    (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_DATA_EVENTFD)
#define VFIO_IRQ_SET_ACTION_TYPE_MASK                                                              \
    (VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_ACTION_UNMASK | VFIO_IRQ_SET_ACTION_TRIGGER)

#define VFIO_DEVICE_RESET _IO(VFIO_TYPE, VFIO_BASE + 11)

/* Region and interrupt indexes of a PCI device. */
enum {
    VFIO_PCI_BAR0_REGION_INDEX,
    VFIO_PCI_BAR1_REGION_INDEX,
    VFIO_PCI_BAR2_REGION_INDEX,
    VFIO_PCI_BAR3_REGION_INDEX,
    VFIO_PCI_BAR4_REGION_INDEX,
    VFIO_PCI_BAR5_REGION_INDEX,
    VFIO_PCI_ROM_REGION_INDEX,
    VFIO_PCI_CONFIG_REGION_INDEX,
    VFIO_PCI_VGA_REGION_INDEX,
    VFIO_PCI_NUM_REGIONS,
};
enum {
    VFIO_PCI_INTX_IRQ_INDEX,
    VFIO_PCI_MSI_IRQ_INDEX,
    VFIO_PCI_MSIX_IRQ_INDEX,
    VFIO_PCI_ERR_IRQ_INDEX,
    VFIO_PCI_REQ_IRQ_INDEX,
    VFIO_PCI_NUM_IRQS,
};

#define VFIO_PCI_DEVID_OWNED     0
#define VFIO_PCI_DEVID_NOT_OWNED (-1)

struct vfio_pci_dependent_device {
    union {
        __u32 group_id;
        __u32 devid;
    };
    __u16 segment;
    __u8 bus;
    __u8 devfn;
};
struct vfio_pci_hot_reset_info {
    __u32 argsz;
    __u32 flags;
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID       (1 << 0)
#define VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED (1 << 1)
    __u32 count;
    struct vfio_pci_dependent_device devices[];
};
#define VFIO_DEVICE_GET_PCI_HOT_RESET_INFO _IO(VFIO_TYPE, VFIO_BASE + 12)

struct vfio_pci_hot_reset {
    __u32 argsz;
    __u32 flags;
    __u32 count;
    __s32 group_fds[];
};
#define VFIO_DEVICE_PCI_HOT_RESET _IO(VFIO_TYPE, VFIO_BASE + 13)

struct vfio_device_ioeventfd {
    __u32 argsz;
    __u32 flags;
#define VFIO_DEVICE_IOEVENTFD_8         (1 << 0)
#define VFIO_DEVICE_IOEVENTFD_16        (1 << 1)
#define VFIO_DEVICE_IOEVENTFD_32        (1 << 2)
#define VFIO_DEVICE_IOEVENTFD_64        (1 << 3)
#define VFIO_DEVICE_IOEVENTFD_SIZE_MASK (0xf)
    __aligned_u64 offset;
    __aligned_u64 data;
    __s32 fd; /* -1 takes the trigger away */
    __u32 reserved;
};
#define VFIO_DEVICE_IOEVENTFD _IO(VFIO_TYPE, VFIO_BASE + 16)

struct vfio_device_feature {
    __u32 argsz;
    __u32 flags;
#define VFIO_DEVICE_FEATURE_MASK  (0xffff)
#define VFIO_DEVICE_FEATURE_GET   (1 << 16)
#define VFIO_DEVICE_FEATURE_SET   (1 << 17)
#define VFIO_DEVICE_FEATURE_PROBE (1 << 18)
    __u8 data[];
};
#define VFIO_DEVICE_FEATURE _IO(VFIO_TYPE, VFIO_BASE + 17)

#define VFIO_DEVICE_FEATURE_PCI_VF_TOKEN                (0)
#define VFIO_DEVICE_FEATURE_MIGRATION                   1
#define VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE            2
#define VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY             3
#define VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP 4
#define VFIO_DEVICE_FEATURE_LOW_POWER_EXIT              5
#define VFIO_DEVICE_FEATURE_DMA_LOGGING_START           6
#define VFIO_DEVICE_FEATURE_DMA_LOGGING_STOP            7
#define VFIO_DEVICE_FEATURE_DMA_LOGGING_REPORT          8
#define VFIO_DEVICE_FEATURE_MIG_DATA_SIZE               9
#define VFIO_DEVICE_FEATURE_BUS_MASTER                  10

struct vfio_device_low_power_entry_with_wakeup {
    __s32 wakeup_eventfd;
    __u32 reserved;
};

struct vfio_device_feature_bus_master {
    __u32 op;
#define VFIO_DEVICE_FEATURE_CLEAR_MASTER 0
#define VFIO_DEVICE_FEATURE_SET_MASTER   1
};

/* ---- device file in a directory of its own (cdev), bound to an iommufd ---- */

struct vfio_device_bind_iommufd {
    __u32 argsz;
    __u32 flags;
#define VFIO_DEVICE_BIND_FLAG_TOKEN (1 << 0)
    __s32 iommufd;
    __u32 out_devid;
    __aligned_u64 token_uuid_ptr;
};
#define VFIO_DEVICE_BIND_IOMMUFD _IO(VFIO_TYPE, VFIO_BASE + 18)

struct vfio_device_attach_iommufd_pt {
    __u32 argsz;
    __u32 flags;
#define VFIO_DEVICE_ATTACH_PASID (1 << 0)
    __u32 pt_id; /* IOAS or HWPT; the HWPT in use on return */
    __u32 pasid;
};
#define VFIO_DEVICE_ATTACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 19)

struct vfio_device_detach_iommufd_pt {
    __u32 argsz;
    __u32 flags;
#define VFIO_DEVICE_DETACH_PASID (1 << 0)
    __u32 pasid;
};
#define VFIO_DEVICE_DETACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 20)

/* ---- container with a type1 IOMMU ---- */

struct vfio_iommu_type1_info {
    __u32 argsz;
    __u32 flags;
#define VFIO_IOMMU_INFO_PGSIZES (1 << 0)
#define VFIO_IOMMU_INFO_CAPS    (1 << 1)
    __aligned_u64 iova_pgsizes; /* bit n: pages of 2^n bytes */
    __u32 cap_offset;
    __u32 pad;
};
#define VFIO_IOMMU_GET_INFO _IO(VFIO_TYPE, VFIO_BASE + 12)

#define VFIO_IOMMU_TYPE1_INFO_CAP_IOVA_RANGE 1
struct vfio_iova_range {
    __u64 start;
    __u64 end; /* inclusive */
};
struct vfio_iommu_type1_info_cap_iova_range {
    struct vfio_info_cap_header header;
    __u32 nr_iovas;
    __u32 reserved;
    struct vfio_iova_range iova_ranges[];
};

#define VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION 2
struct vfio_iommu_type1_info_cap_migration {
    struct vfio_info_cap_header header;
    __u32 flags;
    __u64 pgsize_bitmap;
    __u64 max_dirty_bitmap_size; /* bytes */
};

#define VFIO_IOMMU_TYPE1_INFO_DMA_AVAIL 3
struct vfio_iommu_type1_info_dma_avail {
    struct vfio_info_cap_header header;
    __u32 avail;
};

struct vfio_iommu_type1_dma_map {
    __u32 argsz;
    __u32 flags;
#define VFIO_DMA_MAP_FLAG_READ  (1 << 0) /* by the device */
#define VFIO_DMA_MAP_FLAG_WRITE (1 << 1)
#define VFIO_DMA_MAP_FLAG_VADDR (1 << 2)
    __u64 vaddr;
    __u64 iova;
    __u64 size;
};
#define VFIO_IOMMU_MAP_DMA _IO(VFIO_TYPE, VFIO_BASE + 13)

struct vfio_bitmap {
    __u64 pgsize;
    __u64 size; /* bytes */
    __u64 *data;
};

struct vfio_iommu_type1_dma_unmap {
    __u32 argsz;
    __u32 flags;
#define VFIO_DMA_UNMAP_FLAG_GET_DIRTY_BITMAP (1 << 0)
#define VFIO_DMA_UNMAP_FLAG_ALL              (1 << 1)
#define VFIO_DMA_UNMAP_FLAG_VADDR            (1 << 2)
    __u64 iova;
    __u64 size; /* bytes unmapped on return */
    __u8 data[];
};
#define VFIO_IOMMU_UNMAP_DMA _IO(VFIO_TYPE, VFIO_BASE + 14)

#define VFIO_IOMMU_ENABLE  _IO(VFIO_TYPE, VFIO_BASE + 15)
#define VFIO_IOMMU_DISABLE _IO(VFIO_TYPE, VFIO_BASE + 16)

struct vfio_iommu_type1_dirty_bitmap {
    __u32 argsz;
    __u32 flags;
#define VFIO_IOMMU_DIRTY_PAGES_FLAG_START      (1 << 0)
#define VFIO_IOMMU_DIRTY_PAGES_FLAG_STOP       (1 << 1)
#define VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP (1 << 2)
    __u8 data[];
};
struct vfio_iommu_type1_dirty_bitmap_get {
    __u64 iova;
    __u64 size;
    struct vfio_bitmap bitmap;
};
#define VFIO_IOMMU_DIRTY_PAGES _IO(VFIO_TYPE, VFIO_BASE + 17)

#endif
