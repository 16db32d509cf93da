/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts that vendors' errata and public drivers tell. Left out are non-transparent bridges, which
 * send with ids of their far side: what they send is refused.
 */
#include "kernel/pci/quirks.h"

#define FIRST  "its DMA carries the id of function 0"
#define GHOST  "its DMA carries the id of function 1, which need not exist"
#define HIDDEN "it is a PCIe-to-PCI bridge that has no PCI Express capability"
#define HANGS  "it hangs after a function-level reset"
#define LOST   "its link does not come up again after a reset of the bus"
#define IDLE   "D3hot resets nothing in it, though it says so"
#define FAULTS "it makes errors of the platform of what VT-d blocks"
#define PORT   "it makes errors of the platform of requests that are not supported"
#define LINK   "its link makes errors of the platform of requests that are not supported"
#define WIDE   "its registers of access control are twice as wide (erratum)"
#define ALONE  "its vendor tells that its functions reach each other through the IOMMU alone"
#define PCH    "its access control is in registers of the chipset"
#define DRAIN  "interrupts in flight get lost when entries change (erratum)"
#define RWBF   "it needs a flush of write buffers and does not say so"
#define GFX    "the graphics of this chipset do not work behind it"

/* Sorted by kind, vendor, device. */
static const struct pci_quirk quirks[] = {
    {QUIRK_AS_FUNCTION, 0x1103, 0x0642, 0, 1, .why = GHOST}, /* HighPoint */
    {QUIRK_AS_FUNCTION, 0x1103, 0x0645, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1180, 0xe476, 0, 0, .why = FIRST}, /* Ricoh */
    {QUIRK_AS_FUNCTION, 0x1180, 0xe832, 0, 0, .why = FIRST},
    {QUIRK_AS_FUNCTION, 0x197b, 0x2392, 0, 1, .why = GHOST}, /* JMicron */
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x9120, 0, 1, .why = GHOST}, /* Marvell */
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x9123, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x9125, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x9128, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x9130, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x9170, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x9172, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x917a, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x9182, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x9183, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x91a0, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x9215, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x9220, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x9230, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1b4b, 0x9235, 0, 1, .why = GHOST},
    {QUIRK_AS_FUNCTION, 0x1c28, 0x0122, 0, 1, .why = GHOST},      /* Plextor */
    {QUIRK_AS_FUNCTION, 0x6766, 0x3d40, 0x3d41, 0, .why = FIRST}, /* Glenfly */
    {QUIRK_AS_SLOT, 0x9005, 0x0285, 0, 0x08, .why = "a hidden function of it at 01.0 does its DMA",
     .subsystem = 0x02bb}, /* Adaptec 3405 */
    {QUIRK_AS_SLOT, 0x9005, 0x0285, 0, 0x08, .why = "a hidden function of it at 01.0 does its DMA",
     .subsystem = 0x02bc},                                            /* Adaptec 3805 */
    {QUIRK_HIDDEN_EXPRESS, 0x10e3, 0x8113, 0, 0, .why = HIDDEN},      /* Tundra */
    {QUIRK_HIDDEN_EXPRESS, 0x1283, 0x8892, 0x8893, 0, .why = HIDDEN}, /* ITE */
    {QUIRK_HIDDEN_EXPRESS, 0x1b21, 0x1080, 0, 0, .why = HIDDEN},      /* ASMedia */
    {QUIRK_HIDDEN_EXPRESS, 0x8086, 0x244e, 0, 0, .why = HIDDEN},      /* Intel 82801 */
    {QUIRK_NO_FLR, 0x1022, 0x1487, 0, 0, .why = HANGS}, /* AMD audio, USB, NPU, SATA */
    {QUIRK_NO_FLR, 0x1022, 0x148c, 0, 0, .why = HANGS},
    {QUIRK_NO_FLR, 0x1022, 0x149c, 0, 0, .why = HANGS},
    {QUIRK_NO_FLR, 0x1022, 0x1502, 0, 0, .why = HANGS},
    {QUIRK_NO_FLR, 0x1022, 0x17f0, 0, 0, .why = HANGS},
    {QUIRK_NO_FLR, 0x1022, 0x7901, 0, 0, .why = HANGS},
    {QUIRK_NO_FLR, 0x14c3, 0x0616, 0, 0, .why = HANGS},      /* MediaTek MT7922 */
    {QUIRK_NO_FLR, 0x8086, 0x1502, 0x1503, 0, .why = HANGS}, /* Intel 82579 */
    {QUIRK_NO_FLR, 0xd063, 0x1000, 0, 0, .why = HANGS, .oldest = 1,
     .newest = 1},                                           /* SolidRun SNET */
    {QUIRK_NO_BUS_RESET, 0x104c, 0xb005, 0, 0, .why = LOST}, /* TI KeyStone */
    {QUIRK_NO_BUS_RESET, 0x10de, 0x22ce, 0, 0, .why = LOST}, /* NVIDIA GB10 ports */
    {QUIRK_NO_BUS_RESET, 0x10de, 0x22d0, 0, 0, .why = LOST},
    {QUIRK_NO_BUS_RESET, 0x10de, 0x2340, 0x237f, 0, .why = LOST}, /* NVIDIA GPUs */
    {QUIRK_NO_BUS_RESET, 0x168c, 0x0030, 0, 0, .why = LOST},      /* Atheros */
    {QUIRK_NO_BUS_RESET, 0x168c, 0x0032, 0, 0, .why = LOST},
    {QUIRK_NO_BUS_RESET, 0x168c, 0x0033, 0, 0, .why = LOST},
    {QUIRK_NO_BUS_RESET, 0x168c, 0x0034, 0, 0, .why = LOST},
    {QUIRK_NO_BUS_RESET, 0x168c, 0x003c, 0, 0, .why = LOST},
    {QUIRK_NO_BUS_RESET, 0x168c, 0x003e, 0, 0, .why = LOST},
    {QUIRK_NO_BUS_RESET, 0x177d, 0xa100, 0, 0, .why = LOST}, /* Cavium port */
    {QUIRK_NO_BUS_RESET, 0x17cb, 0x0308, 0, 0, .why = LOST}, /* Qualcomm */
    {QUIRK_NO_BUS_RESET, 0x17cb, 0x1103, 0, 0, .why = LOST},
    {QUIRK_NO_BUS_RESET, 0x17cb, 0x1107, 0, 0, .why = LOST},
    {QUIRK_NO_BUS_RESET, 0x1b21, 0x1164, 0, 0, .why = LOST},                      /* ASMedia SATA */
    {QUIRK_NO_PM_RESET, 0x1002, 0x0000, 0xffff, 0, .why = IDLE, .class = 0x0300}, /* AMD GPUs */
    {QUIRK_NO_PM_RESET, 0x15b3, 0xcb84, 0, 0, .why = IDLE}, /* Mellanox Spectrum */
    {QUIRK_NO_PM_RESET, 0x15b3, 0xcf6c, 0, 0, .why = IDLE},
    {QUIRK_NO_PM_RESET, 0x15b3, 0xcf70, 0, 0, .why = IDLE},
    {QUIRK_NO_PM_RESET, 0x15b3, 0xcf80, 0, 0, .why = IDLE},
    {QUIRK_WIDE_ACS, 0x8086, 0x9d10, 0x9d1b, 0, .why = WIDE}, /* 7th and 8th generation, mobile */
    {QUIRK_WIDE_ACS, 0x8086, 0xa110, 0xa11f, 0, .why = WIDE}, /* 100 series */
    {QUIRK_WIDE_ACS, 0x8086, 0xa167, 0xa16a, 0, .why = WIDE},
    {QUIRK_WIDE_ACS, 0x8086, 0xa290, 0xa29f, 0, .why = WIDE}, /* 200 series */
    {QUIRK_WIDE_ACS, 0x8086, 0xa2e7, 0xa2ee, 0, .why = WIDE},
    {QUIRK_ISOLATED, 0x10df, 0x0720, 0, 0, .why = ALONE}, /* Emulex */
    {QUIRK_ISOLATED, 0x14e4, 0x16d7, 0, 0, .why = ALONE}, /* Broadcom */
    {QUIRK_ISOLATED, 0x14e4, 0x1750, 0x1752, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x14e4, 0x1760, 0x1763, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x1924, 0x0903, 0, 0, .why = ALONE}, /* Solarflare */
    {QUIRK_ISOLATED, 0x1924, 0x0923, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x1924, 0x0a03, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x19a2, 0x0710, 0, 0, .why = ALONE},      /* Emulex */
    {QUIRK_ISOLATED, 0x8086, 0x105e, 0x1060, 0, .why = ALONE}, /* Intel */
    {QUIRK_ISOLATED, 0x8086, 0x10a7, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x10a9, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x10c6, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x10c9, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x10d6, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x10d9, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x10db, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x10dd, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x10e1, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x10e6, 0x10e8, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x10f1, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x10f7, 0x10fc, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x1507, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x1509, 0x150a, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x150d, 0x1511, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x1514, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x1516, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x1518, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x151c, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x1521, 0x1524, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x1526, 0x1527, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x1529, 0x152a, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x154d, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x154f, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x1551, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8086, 0x1558, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8088, 0x0100, 0x010f, 0, .why = ALONE}, /* Wangxun */
    {QUIRK_ISOLATED, 0x8088, 0x1001, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8088, 0x2001, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8088, 0x5010, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8088, 0x5025, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8088, 0x5040, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8088, 0x5110, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8088, 0x5125, 0, 0, .why = ALONE},
    {QUIRK_ISOLATED, 0x8088, 0x5140, 0, 0, .why = ALONE},
    {QUIRK_PCH_PORT, 0x8086, 0x1c10, 0x1c1f, 0, .why = PCH}, /* 6 series */
    {QUIRK_PCH_PORT, 0x8086, 0x1d10, 0x1d1e, 0, .why = PCH}, /* C600, X79 */
    {QUIRK_PCH_PORT, 0x8086, 0x1e10, 0x1e1f, 0, .why = PCH}, /* 7 series */
    {QUIRK_PCH_PORT, 0x8086, 0x3b42, 0x3b51, 0, .why = PCH}, /* 5 series */
    {QUIRK_PCH_PORT, 0x8086, 0x8c10, 0x8c1f, 0, .why = PCH}, /* 8 series */
    {QUIRK_PCH_PORT, 0x8086, 0x8c90, 0x8c9e, 0, .why = PCH}, /* 9 series */
    {QUIRK_PCH_PORT, 0x8086, 0x8d10, 0x8d1e, 0, .why = PCH}, /* C610, X99 */
    {QUIRK_PCH_PORT, 0x8086, 0x9c10, 0x9c1b, 0, .why = PCH}, /* 8 series, mobile */
    {QUIRK_PCH_PORT, 0x8086, 0x9c90, 0x9c9b, 0, .why = PCH}, /* 9 series, mobile */
    {QUIRK_NO_REMAPPING, 0x8086, 0x3403, 0, 0, .why = DRAIN, .class = 0x0600,
     .newest = 0x13}, /* 5500 */
    {QUIRK_NO_REMAPPING, 0x8086, 0x3405, 0, 0, .why = DRAIN, .class = 0x0600,
     .newest = 0x13}, /* 5520, X58 */
    {QUIRK_NO_REMAPPING, 0x8086, 0x3405, 0, 0, .why = DRAIN, .class = 0x0600, .oldest = 0x22,
     .newest = 0x22},
    {QUIRK_NO_REMAPPING, 0x8086, 0x3406, 0, 0, .why = DRAIN, .class = 0x0600, .newest = 0x13},
    {QUIRK_FLUSH_WRITES, 0x8086, 0x2a40, 0, 0, .why = RWBF}, /* GM45 */
    {QUIRK_FLUSH_WRITES, 0x8086, 0x2e00, 0, 0, .why = RWBF}, /* G4x */
    {QUIRK_FLUSH_WRITES, 0x8086, 0x2e10, 0, 0, .why = RWBF},
    {QUIRK_FLUSH_WRITES, 0x8086, 0x2e20, 0, 0, .why = RWBF},
    {QUIRK_FLUSH_WRITES, 0x8086, 0x2e30, 0, 0, .why = RWBF},
    {QUIRK_FLUSH_WRITES, 0x8086, 0x2e40, 0, 0, .why = RWBF},
    {QUIRK_FLUSH_WRITES, 0x8086, 0x2e90, 0, 0, .why = RWBF},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x0040, 0, 0x52,
     .why = GFX},                                               /* Ironlake without a shadow GTT */
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x0044, 0, 0, .why = GFX}, /* QM57 */
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x0062, 0, 0x52, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x006a, 0, 0x52, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x1602, 0, 0, .why = GFX}, /* Broadwell */
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x1606, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x160a, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x160b, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x160d, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x160e, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x1612, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x1616, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x161a, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x161b, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x161d, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x161e, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x1622, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x1626, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x162a, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x162b, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x162d, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x162e, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x1632, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x1636, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x163a, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x163b, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x163d, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x163e, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x2a40, 0, 0, .why = GFX}, /* GM45 */
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x2e00, 0, 0, .why = GFX}, /* G4x */
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x2e10, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x2e20, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x2e30, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x2e40, 0, 0, .why = GFX},
    {QUIRK_NO_GRAPHICS_UNIT, 0x8086, 0x2e90, 0, 0, .why = GFX},
    {QUIRK_FAULTS_ESCALATE, 0x8086, 0x0e28, 0, 0, .why = FAULTS}, /* Xeon E5 v2, */
    {QUIRK_FAULTS_ESCALATE, 0x8086, 0x342e, 0, 0, .why = FAULTS}, /* 5500, */
    {QUIRK_FAULTS_ESCALATE, 0x8086, 0x3728, 0, 0, .why = FAULTS}, /* C5500, */
    {QUIRK_FAULTS_ESCALATE, 0x8086, 0x3c28, 0, 0, .why = FAULTS}, /* E5 */
    {QUIRK_PORT_ESCALATES, 0x8086, 0x3400, 0x3411, 0, .why = PORT},
    {QUIRK_PORT_ESCALATES, 0x8086, 0x3420, 0x3421, 0, .why = PORT},
    {QUIRK_PORT_ESCALATES, 0x8086, 0x3700, 0x370f, 0, .why = PORT},
    {QUIRK_PORT_ESCALATES, 0x8086, 0x3720, 0x3724, 0, .why = PORT},
    {QUIRK_PORT_ESCALATES, 0x8086, 0x3c00, 0x3c0b, 0, .why = PORT},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0040, 0, 0, .why = LINK}, /* Nehalem */
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0044, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0048, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0100, 0, 0, .why = LINK}, /* Sandy Bridge */
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0104, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0108, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0150, 0, 0, .why = LINK}, /* Ivy Bridge */
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0154, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0158, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0a00, 0, 0, .why = LINK}, /* Haswell */
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0a04, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0a08, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0a0f, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0c00, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0c04, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0c08, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0c0f, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0d00, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0d04, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0d08, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x0d0f, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x1600, 0, 0, .why = LINK}, /* Broadwell */
    {QUIRK_LINK_ESCALATES, 0x8086, 0x1604, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x1608, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x160f, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x1610, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x1614, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x1618, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x1900, 0, 0, .why = LINK}, /* Skylake */
    {QUIRK_LINK_ESCALATES, 0x8086, 0x1904, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x1908, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x190c, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x190f, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x1910, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x1918, 0, 0, .why = LINK},
    {QUIRK_LINK_ESCALATES, 0x8086, 0x191f, 0, 0, .why = LINK},
};

static bool in_range(unsigned value, unsigned first, unsigned last)
{
    return value >= first && value <= (last ? last : UINT16_MAX);
}

const struct pci_quirk *pci_quirk(const struct pci_device *device, enum pci_quirk_kind kind)
{
    for (const struct pci_quirk *q = quirks; q < quirks + ARRAY_SIZE(quirks); q++)
        if (q->kind == kind && q->vendor == device->vendor &&
            in_range(device->device, q->first, q->last ? q->last : q->first) &&
            in_range(device->revision, q->oldest, q->newest) &&
            (!q->class || q->class == device->class_code >> 8) &&
            (!q->subsystem || q->subsystem == device->subsystem_device))
            return q;
    return NULL;
}

const struct pci_quirk *pci_machine_quirk(enum pci_quirk_kind kind)
{
    const struct pci_quirk *q;
    const struct pci_device *d;

    list_for_each_entry (d, pci_devices(), link) {
        q = pci_order(d) > UINT8_MAX ? NULL : pci_quirk(d, kind);
        if (q && !(q->value && pci_read16(d, q->value) & BIT(11)))
            return q;
    }
    return NULL;
}
