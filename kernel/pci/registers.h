/* SPDX-License-Identifier: BSD-2-Clause */
/* Offsets and bits of configuration space (PCI Express Base specification, chapter 7). */
#ifndef KERNEL_PCI_REGISTERS_H
#define KERNEL_PCI_REGISTERS_H

/* Header, common part */
#define PCI_VENDOR         0x00 /* 16 bits */
#define PCI_VENDOR_RETRY   0x0001
#define PCI_DEVICE_ID      0x02 /* 16 */
#define PCI_COMMAND        0x04 /* 16 */
#define PCI_STATUS         0x06 /* 16 */
#define PCI_REVISION       0x08 /* 8 */
#define PCI_CLASS          0x09 /* 24 */
#define PCI_CACHE_LINE     0x0c /* 8 */
#define PCI_HEADER_TYPE    0x0e /* 8 */
#define PCI_BAR0           0x10 /* 32 each */
#define PCI_CAPABILITIES   0x34 /* 8 */
#define PCI_INTERRUPT_LINE 0x3c /* 8 */
#define PCI_INTERRUPT_PIN  0x3d /* 8 */
#define PCI_HEADER_END     0x40

#define PCI_COMMAND_IO           0x0001
#define PCI_COMMAND_MEMORY       0x0002
#define PCI_COMMAND_MASTER       0x0004
#define PCI_COMMAND_PARITY       0x0040
#define PCI_COMMAND_SERR         0x0100
#define PCI_COMMAND_INTX_DISABLE 0x0400

#define PCI_STATUS_INTX         0x0008 /* it would raise its line, but for INTX_DISABLE */
#define PCI_STATUS_CAPABILITIES 0x0010

#define PCI_HEADER_MULTIFUNCTION 0x80
#define PCI_HEADER_DEVICE        0
#define PCI_HEADER_BRIDGE        1

/* Header type 0 */
#define PCI_SUBSYSTEM_VENDOR 0x2c /* 16 */
#define PCI_ROM_DEVICE       0x30 /* 32 */
#define PCI_ROM_ENABLE       0x1
#define PCI_ROM_ADDRESS      0xfffff800

/* Header type 1 */
#define PCI_PRIMARY_BUS      0x18 /* 8 */
#define PCI_SECONDARY_BUS    0x19 /* 8 */
#define PCI_SUBORDINATE_BUS  0x1a /* 8 */
#define PCI_IO_BASE          0x1c /* 8 */
#define PCI_IO_LIMIT         0x1d /* 8 */
#define PCI_STATUS_BELOW     0x1e /* 16; as PCI_STATUS, of the bus below */
#define PCI_MEMORY_BASE      0x20 /* 16; and behind it limit */
#define PCI_PREFETCH_BASE    0x24 /* 16; the same */
#define PCI_WINDOW_WIDE      0x1  /* of a base: there are upper halves */
#define PCI_PREFETCH_UPPER   0x28 /* 32; base, and behind it limit */
#define PCI_IO_UPPER         0x30 /* 16; base, and behind it limit */
#define PCI_ROM_BRIDGE       0x38 /* 32 */
#define PCI_BRIDGE_CONTROL   0x3e /* 16 */
#define PCI_BRIDGE_SERR      0x0002
#define PCI_BRIDGE_BUS_RESET 0x0040

/* BARs */
#define PCI_BAR_SPACE_IO   0x1
#define PCI_BAR_TYPE_64    0x4
#define PCI_BAR_TYPE_MASK  0x6
#define PCI_BAR_PREFETCHED 0x8
#define PCI_BAR_IO_MASK    0xfffffffc
#define PCI_BAR_MEM_MASK   0xfffffff0

#define PCI_CLASS_HOST_BRIDGE 0x0600 /* base class and subclass */

/* Capabilities */
#define PCI_CAP_PM   0x01
#define PCI_CAP_VPD  0x03
#define PCI_CAP_MSI  0x05
#define PCI_CAP_SSID 0x0d
#define PCI_CAP_PCIE 0x10
#define PCI_CAP_MSIX 0x11
#define PCI_CAP_AF   0x13

#define PCI_EXT_CAP_START     0x100
#define PCI_EXT_CAP_AER       0x0001
#define PCI_EXT_CAP_VC        0x0002
#define PCI_EXT_CAP_MFVC      0x0008 /* virtual channels of all functions, */
#define PCI_EXT_CAP_VC_BESIDE 0x0009 /* and of one beside those */
#define PCI_EXT_CAP_VENDOR    0x000b
#define PCI_EXT_CAP_ACS       0x000d
#define PCI_EXT_CAP_ARI       0x000e
#define PCI_EXT_CAP_ATS       0x000f
#define PCI_EXT_CAP_SRIOV     0x0010
#define PCI_EXT_CAP_REBAR     0x0015
#define PCI_EXT_CAP_LTR       0x0018
#define PCI_EXT_CAP_DPC       0x001d
#define PCI_EXT_CAP_L1SS      0x001e
#define PCI_EXT_CAP_PTM       0x001f

/* Power management capability */
#define PCI_PM_CONTROL       4 /* 16 */
#define PCI_PM_STATE         0x0003
#define PCI_PM_D3HOT         0x0003
#define PCI_PM_NO_SOFT_RESET 0x0008

/* Vital product data capability */
#define PCI_VPD_ADDRESS 2 /* 16 */
#define PCI_VPD_FLAG    0x8000
#define PCI_VPD_DATA    4 /* 32 */

/* Power budgeting */
#define PCI_PWR_SELECT 4 /* 8 */

/* MSI and MSI-X capability */
#define PCI_MSI_CONTROL       2 /* 16 */
#define PCI_MSI_ENABLE        0x0001
#define PCI_MSIX_CONTROL      2 /* 16 */
#define PCI_MSIX_ENABLE       0x8000
#define PCI_MSIX_CONTROL_SIZE 0x07ff /* entries - 1 */
#define PCI_MSIX_TABLE        4      /* 32; offset 31:3, BAR 2:0 */

/* PCI Express capability */
#define PCIE_FLAGS          0x02 /* 16; device type in 7:4 */
#define PCIE_DEVICE_CAP     0x04 /* 32 */
#define PCIE_DEVICE_CONTROL 0x08 /* 16 */
#define PCIE_DEVICE_STATUS  0x0a /* 16 */
#define PCIE_LINK_CAP       0x0c /* 32 */
#define PCIE_LINK_CONTROL   0x10 /* 16 */
#define PCIE_LINK_STATUS    0x12 /* 16 */
#define PCIE_SLOT_CAP       0x14 /* 32 */
#define PCIE_SLOT_CONTROL   0x18 /* 16 */
#define PCIE_SLOT_STATUS    0x1a /* 16 */
#define PCIE_ROOT_CONTROL   0x1c /* 16 */
#define PCIE_ROOT_CAP       0x1e /* 16 */
#define PCIE_DEVICE_CAP2    0x24 /* 32 */
#define PCIE_DEVICE_CTL2    0x28 /* 16 */
#define PCIE_LINK_CTL2      0x30 /* 16 */

#define PCIE_FLAGS_VERSION          0x000f
#define PCIE_FLAGS_SLOT             0x0100
#define PCIE_DEVICE_CAP_FLR         0x10000000
#define PCIE_DEVICE_CAP_PAYLOAD     0x00000007
#define PCIE_DEVICE_CONTROL_ERRORS  0x000f /* messages of each kind; unsupported requests */
#define PCIE_DEVICE_CONTROL_SPEAKS  0x0007 /* without the latter */
#define PCIE_DEVICE_CONTROL_PAYLOAD 0x00e0 /* the largest; as a capability in bits 2:0 */
#define PCIE_DEVICE_CONTROL_FLR     0x8000
#define PCIE_DEVICE_STATUS_ERRORS   0x000f
#define PCIE_DEVICE_STATUS_PENDS    0x0020
#define PCIE_ROOT_CONTROL_ERRORS    0x0007 /* are system errors, of each kind */
#define PCIE_ROOT_CONTROL_RETRY     0x0010 /* retry status reaches software, as vendor id 1 */
#define PCIE_ROOT_CAP_RETRY         0x0001
#define PCIE_DEVICE_CAP2_ARI        0x0020
#define PCIE_DEVICE_CTL2_ARI        0x0020
#define PCIE_LINK_SPEED             0x000f /* of both; 1: 2.5 GT/s, and so on */
#define PCIE_LINK_WIDTH             0x03f0
#define PCIE_LINK_CAP_TELLS         0x00100000 /* by LINK_STATUS_ACTIVE */
#define PCIE_LINK_CONTROL_DISABLE   0x0010
#define PCIE_LINK_STATUS_ACTIVE     0x2000

#define PCIE_SLOT_CAP_HOT_PLUG 0x00000040
#define PCIE_SLOT_EVENTS       0x1029 /* of the control register: button, presence, link; all */
#define PCIE_SLOT_LIGHT_ON     0x0100
#define PCIE_SLOT_LIGHT_BLINKS 0x0200
#define PCIE_SLOT_LIGHT_OFF    0x0300 /* all bits of it */
#define PCIE_SLOT_POWER_OFF    0x0400
#define PCIE_SLOT_PRESSED      0x0001 /* of the status register */
#define PCIE_SLOT_EXCHANGED    0x0008
#define PCIE_SLOT_COMPLETED    0x0010
#define PCIE_SLOT_PRESENT      0x0040
#define PCIE_SLOT_LINK_CHANGED 0x0100

enum pcie_type {
    PCIE_ENDPOINT = 0,
    PCIE_LEGACY_ENDPOINT = 1,
    PCIE_ROOT_PORT = 4,
    PCIE_UPSTREAM_PORT = 5,
    PCIE_DOWNSTREAM_PORT = 6,
    PCIE_TO_PCI_BRIDGE = 7,
    PCI_TO_PCIE_BRIDGE = 8,
    PCIE_ROOT_ENDPOINT = 9,
    PCIE_EVENT_COLLECTOR = 10,
};

/* Advanced features capability (conventional PCI) */
#define PCI_AF_CAP          3 /* 8 */
#define PCI_AF_CONTROL      4 /* 8 */
#define PCI_AF_STATUS       5 /* 8 */
#define PCI_AF_CAP_PENDING  0x01
#define PCI_AF_CAP_FLR      0x02
#define PCI_AF_FLR          0x01
#define PCI_AF_STATUS_PENDS 0x01

/* Access control services */
#define PCI_ACS_CAP               4 /* 16 */
#define PCI_ACS_CONTROL           6 /* 16 */
#define PCI_ACS_CONTROL_WIDE      8 /* 32; of ports with QUIRK_WIDE_ACS */
#define PCI_ACS_SOURCE_VALIDATION 0x01
#define PCI_ACS_BLOCK_TRANSLATED  0x02 /* and translation requests */
#define PCI_ACS_REQUEST_REDIRECT  0x04
#define PCI_ACS_COMPLETE_REDIRECT 0x08
#define PCI_ACS_UPSTREAM_FORWARD  0x10
#define PCI_ACS_EGRESS_CONTROL    0x20
#define PCI_ACS_DIRECT_TRANSLATED 0x40

/* Advanced error reporting */
#define PCI_AER_FATAL_STATUS   0x04 /* 32 each; of uncorrectable errors */
#define PCI_AER_FATAL_MASK     0x08
#define PCI_AER_UNSUPPORTED    0x00100000 /* a request */
#define PCI_AER_ACCESS_CONTROL 0x00200000 /* violated */
#define PCI_AER_FATAL_SEVERITY 0x0c
#define PCI_AER_STATUS         0x10 /* of correctable ones */
#define PCI_AER_MASK           0x14
#define PCI_AER_ADVISORY       0x00002000 /* not corrected, but for somebody else to tell */
#define PCI_AER_CONTROL        0x18
#define PCI_AER_CONTROL_ECRC   0x00000140 /* generate, check */
#define PCI_AER_ROOT_COMMAND   0x2c       /* of root ports */
#define PCI_AER_ROOT_STATUS    0x30
#define PCI_AER_ROOT_SOURCES   0x34 /* ids: corrected in 15:0, not corrected in 31:16 */

#define PCI_AER_ROOT_COMMAND_ALL 0x7 /* an interrupt for each kind */
#define PCI_AER_ROOT_CORRECTED   0x01
#define PCI_AER_ROOT_UNCORRECTED 0x04
#define PCI_AER_ROOT_MORE        0x08 /* of those, from others perhaps */
#define PCI_AER_ROOT_FATAL       0x40
#define PCI_AER_ROOT_STATUS_ALL  0x7f

/* Downstream port containment */
#define PCI_DPC_CAP           4  /* 16 */
#define PCI_DPC_CONTROL       6  /* 16 */
#define PCI_DPC_STATUS        8  /* 16; reason in 2:1 */
#define PCI_DPC_SOURCE        10 /* 16 */
#define PCI_DPC_PIO_STATUS    12 /* 32; of root ports, as the next: of what the CPU asked */
#define PCI_DPC_PIO_SYSTEM    24 /* 32; what is a system error */
#define PCI_DPC_PIO_EXCEPTION 28 /* 32; what the CPU takes as an exception */

#define PCI_DPC_CAP_ROOT          0x0020 /* it has what root ports have */
#define PCI_DPC_CONTROL_FATAL     0x0001
#define PCI_DPC_CONTROL_TRIGGERS  0x0003
#define PCI_DPC_CONTROL_INTERRUPT 0x0008
#define PCI_DPC_TRIGGERED         0x0001
#define PCI_DPC_INTERRUPT         0x0008
#define PCI_DPC_BUSY              0x0010

/* Virtual channels: the port's registers, and three of 32 bits for each channel */
#define PCI_VC_CAP            0x04 /* 32; channels beside the first in 2:0 */
#define PCI_VC_CONTROL        0x0c /* 16 */
#define PCI_VC_CONTROL_SELECT 0x000e
#define PCI_VC_RESOURCE(n)    (0x14 + 12 * (n)) /* 32; its control register */
#define PCI_VC_RESOURCE_LOAD  0x00010000

/* Resizable BARs: capability and control, of 32 bits, for each */
#define PCI_REBAR_CONTROL(n)    (0x08 + 8 * (n))
#define PCI_REBAR_CONTROL_COUNT 5 /* of the first: how many there are, in 7:5 */
#define PCI_REBAR_CONTROL_SIZE  0x00003f00

#define PCI_LTR_LATENCY   4 /* 32; snoop and no-snoop */
#define PCI_L1SS_CONTROL1 8 /* 32 each */
#define PCI_L1SS_CONTROL2 12
#define PCI_PTM_CONTROL   8 /* 32 */

/* Single-root I/O virtualization (chapter 9) */
#define PCI_SRIOV_CONTROL        0x08 /* 16 */
#define PCI_SRIOV_CONTROL_ENABLE 0x0001
#define PCI_SRIOV_CONTROL_MEMORY 0x0008
#define PCI_SRIOV_CONTROL_ARI    0x0010 /* of the lowest physical function of a device, for all */
#define PCI_SRIOV_TOTAL          0x0e   /* 16 each */
#define PCI_SRIOV_COUNT          0x10
#define PCI_SRIOV_FIRST          0x14 /* from the physical function to the first virtual one, */
#define PCI_SRIOV_STRIDE         0x16 /* and between these */
#define PCI_SRIOV_DEVICE_ID      0x1a
#define PCI_SRIOV_PAGE           0x20 /* 32; the size of pages in use */
#define PCI_SRIOV_PAGE_4K        0x1
#define PCI_SRIOV_BAR0           0x24 /* 32 each */

/* Address translation services */
#define PCI_ATS_CAP       4 /* 16 */
#define PCI_ATS_CAP_DEPTH 0x001f
#define PCI_ATS_CONTROL   6 /* 16; bits 4:0: smallest unit, 0 meaning 4 KiB */
#define PCI_ATS_ENABLE    0x8000

#endif
