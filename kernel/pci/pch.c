/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Root ports of Intel's 5 to 9 series and C600 chipsets, which have what access control is for, but
 * not the capability: whether requests go from port to port is decided in registers of the chipset
 * for all ports, and whether the bus number of a requester is checked in each port (data sheets of
 * the chipsets: UPDCR and BSPR behind RCBA of the LPC bridge; MPC of the port).
 */
#include "kernel/cpu/mmio.h"
#include "kernel/mm/paging/paging.h"
#include "kernel/pci/pch.h"

#define LPC          PCI_RID(0, 31, 0)
#define LPC_RCBA     0xf0 /* 32; enabled: bit 0 */
#define RCBA_BASE    0xffffc000u
#define RCBA_LOWEST  0xfec00000u /* below are no registers of the chipset */
#define RCBA_PAGE    0x1000u     /* of the two registers */
#define UPDCR        0x14
#define UPDCR_PEERS  0x3fu
#define BSPR         0x104
#define BSPR_NO_PEER 0x300u /* neither posted requests nor others: set by a strap */
#define PORT_MPC     0xd8   /* 32 */
#define MPC_CHECK    BIT(26)

static bool keep_apart(volatile uint8_t *registers)
{
    if ((mmio_read32(registers + BSPR) & BSPR_NO_PEER) == BSPR_NO_PEER)
        return true;
    mmio_write32(registers + UPDCR, mmio_read32(registers + UPDCR) & ~UPDCR_PEERS);
    return !(mmio_read32(registers + UPDCR) & UPDCR_PEERS);
}

static bool chipset_keeps_apart(const struct pci_device *lpc)
{
    uint32_t rcba = lpc ? pci_read32(lpc, LPC_RCBA) : 0;
    paddr_t at = (rcba & RCBA_BASE) + RCBA_PAGE;
    void *registers = NULL;
    bool apart;

    if ((rcba & 1) && at >= RCBA_LOWEST)
        registers = mmio_map(at, PAGE_SIZE);
    if (!registers)
        return false;
    apart = keep_apart(registers);
    mmio_unmap(registers, PAGE_SIZE);
    return apart;
}

bool pci_isolate_port(const struct pci_device *port)
{
    if (port->segment || PCI_BUS(port->rid) || !chipset_keeps_apart(pci_find(0, LPC)))
        return false;
    pci_write32(port, PORT_MPC, pci_read32(port, PORT_MPC) | MPC_CHECK);
    return pci_read32(port, PORT_MPC) & MPC_CHECK;
}
