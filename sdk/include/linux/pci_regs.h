/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space of PCI and PCI Express, by the names that programs for Linux have for it. */
#ifndef _LINUX_PCI_REGS_H
#define _LINUX_PCI_REGS_H

/* The header of a function */
#define PCI_VENDOR_ID            0
#define PCI_DEVICE_ID            2
#define PCI_COMMAND              4
#define PCI_COMMAND_IO           1
#define PCI_COMMAND_MEMORY       2
#define PCI_COMMAND_MASTER       4
#define PCI_COMMAND_PARITY       0x40
#define PCI_COMMAND_SERR         0x100
#define PCI_COMMAND_INTX_DISABLE 0x400
#define PCI_STATUS               6
#define PCI_STATUS_INTERRUPT     8
#define PCI_STATUS_CAP_LIST      0x10
#define PCI_CLASS_REVISION       8
#define PCI_REVISION_ID          8
#define PCI_CLASS_PROG           9
#define PCI_CLASS_DEVICE         0xa
#define PCI_CACHE_LINE_SIZE      0xc
#define PCI_LATENCY_TIMER        0xd
#define PCI_HEADER_TYPE          0xe
#define PCI_HEADER_TYPE_NORMAL   0
#define PCI_HEADER_TYPE_BRIDGE   1

/* Its BARs, and their low bits */
#define PCI_BASE_ADDRESS_0             0x10
#define PCI_BASE_ADDRESS_1             0x14
#define PCI_BASE_ADDRESS_2             0x18
#define PCI_BASE_ADDRESS_3             0x1c
#define PCI_BASE_ADDRESS_4             0x20
#define PCI_BASE_ADDRESS_5             0x24
#define PCI_BASE_ADDRESS_SPACE         1
#define PCI_BASE_ADDRESS_SPACE_IO      1
#define PCI_BASE_ADDRESS_SPACE_MEMORY  0
#define PCI_BASE_ADDRESS_MEM_TYPE_MASK 6
#define PCI_BASE_ADDRESS_MEM_TYPE_64   4
#define PCI_BASE_ADDRESS_MEM_PREFETCH  8

/* What follows them */
#define PCI_SUBSYSTEM_VENDOR_ID 0x2c
#define PCI_SUBSYSTEM_ID        0x2e
#define PCI_ROM_ADDRESS         0x30
#define PCI_CAPABILITY_LIST     0x34
#define PCI_INTERRUPT_LINE      0x3c
#define PCI_INTERRUPT_PIN       0x3d

/* Capabilities */
#define PCI_CAP_LIST_ID   0
#define PCI_CAP_LIST_NEXT 1
#define PCI_CAP_FLAGS     2
#define PCI_CAP_ID_PM     1
#define PCI_CAP_ID_VPD    3
#define PCI_CAP_ID_MSI    5
#define PCI_CAP_ID_VNDR   9
#define PCI_CAP_ID_EXP    0x10
#define PCI_CAP_ID_MSIX   0x11
#define PCI_CAP_ID_AF     0x13

/* Power management */
#define PCI_PM_CTRL               4
#define PCI_PM_CTRL_STATE_MASK    3
#define PCI_PM_CTRL_NO_SOFT_RESET 8

/* MSI */
#define PCI_MSI_FLAGS         2
#define PCI_MSI_FLAGS_ENABLE  1
#define PCI_MSI_FLAGS_QMASK   0xe
#define PCI_MSI_FLAGS_QSIZE   0x70
#define PCI_MSI_FLAGS_64BIT   0x80
#define PCI_MSI_FLAGS_MASKBIT 0x100
#define PCI_MSI_ADDRESS_LO    4
#define PCI_MSI_ADDRESS_HI    8
#define PCI_MSI_DATA_32       8
#define PCI_MSI_DATA_64       0xc

/* MSI-X */
#define PCI_MSIX_FLAGS         2
#define PCI_MSIX_FLAGS_QSIZE   0x7ff
#define PCI_MSIX_FLAGS_MASKALL 0x4000
#define PCI_MSIX_FLAGS_ENABLE  0x8000
#define PCI_MSIX_TABLE         4
#define PCI_MSIX_TABLE_BIR     7
#define PCI_MSIX_TABLE_OFFSET  0xfffffff8
#define PCI_MSIX_PBA           8
#define PCI_MSIX_PBA_BIR       7
#define PCI_MSIX_PBA_OFFSET    0xfffffff8
#define PCI_MSIX_ENTRY_SIZE    0x10

/* PCI Express */
#define PCI_EXP_FLAGS          2
#define PCI_EXP_FLAGS_TYPE     0xf0
#define PCI_EXP_DEVCAP         4
#define PCI_EXP_DEVCAP_FLR     0x10000000
#define PCI_EXP_DEVCTL         8
#define PCI_EXP_DEVCTL_PAYLOAD 0xe0
#define PCI_EXP_DEVCTL_READRQ  0x7000
#define PCI_EXP_DEVCTL_BCR_FLR 0x8000
#define PCI_EXP_DEVSTA         0xa
#define PCI_EXP_DEVSTA_TRPND   0x20
#define PCI_EXP_LNKCAP         0xc
#define PCI_EXP_LNKCTL         0x10
#define PCI_EXP_LNKSTA         0x12
#define PCI_EXP_LNKSTA_CLS     0xf
#define PCI_EXP_LNKSTA_NLW     0x3f0
#define PCI_EXP_DEVCAP2        0x24
#define PCI_EXP_DEVCTL2        0x28
#define PCI_EXP_LNKCAP2        0x2c
#define PCI_EXP_LNKCTL2        0x30

/* Extended capabilities */
#define PCI_EXT_CAP_ID_ERR   1
#define PCI_EXT_CAP_ID_DSN   3
#define PCI_EXT_CAP_ID_VNDR  0xb
#define PCI_EXT_CAP_ID_ACS   0xd
#define PCI_EXT_CAP_ID_ARI   0xe
#define PCI_EXT_CAP_ID_ATS   0xf
#define PCI_EXT_CAP_ID_SRIOV 0x10
#define PCI_EXT_CAP_ID_PASID 0x1b
#define PCI_EXT_CAP_ID_DVSEC 0x23

/* Virtual functions */
#define PCI_SRIOV_CTRL      8
#define PCI_SRIOV_TOTAL_VF  0xe
#define PCI_SRIOV_NUM_VF    0x10
#define PCI_SRIOV_VF_OFFSET 0x14
#define PCI_SRIOV_VF_STRIDE 0x16
#define PCI_SRIOV_VF_DID    0x1a

/* A word of an extended capability's header. */
#define PCI_EXT_CAP_ID(header)   (0x0000ffff & (header))
#define PCI_EXT_CAP_VER(header)  (0xf & ((header) >> 16))
#define PCI_EXT_CAP_NEXT(header) (0xffc & ((header) >> 20))

#endif
