/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stopping and resetting a function. Its waits sleep, bounded and deaf to signals and the end; the
 * caller keeps everybody else from the device meanwhile.
 */
#ifndef KERNEL_PCI_RESET_H
#define KERNEL_PCI_RESET_H

#include "kernel/pci/pci.h"

struct pci_quirk;

/* How long virtual functions that are enabled may not be asked (PCI Express Base 9.3.3.3.1). */
#define PCI_AFTER_ENABLE_NS (100 * NS_PER_MS)

enum pci_reset_method {
    PCI_RESET_NONE,
    PCI_RESET_FLR,
    PCI_RESET_AF_FLR,
    PCI_RESET_PM,
    PCI_RESET_SECONDARY_BUS,
};

/*
 * What would be used; PCI_RESET_SECONDARY_BUS only when nothing else is on that bus, and none that
 * does harm by the table of quirks.
 */
enum pci_reset_method pci_reset_method(const struct pci_device *device);
/* The same, and which one was passed over last, and why; NULL: none was. */
struct pci_reset_spared {
    const char *name, *why;
};
enum pci_reset_method pci_reset_choose(const struct pci_device *device,
                                       struct pci_reset_spared *out);
/* Why the bus below the bridge must not be reset, for its sake or for what is there; or NULL. */
const struct pci_quirk *pci_bus_reset_quirk(const struct pci_device *bridge);
/* "function-level" and so on. */
const char *pci_reset_name(enum pci_reset_method method);
/*
 * Takes bus mastering away and waits, one second at most, for pending transactions; resets with the
 * method above, waits as the specification asks and then, a minute at most, until the function
 * answers, restores configuration space from the record, whatever the device says by now: BARs,
 * control registers, not bus mastering, not MSI and MSI-X (their owner sets them up again).
 * Its virtual functions go with it and come back, all that is said here being true of them.
 * -ENOTTY: no method; it is silent all the same, and its configuration as recorded, unless it has
 * virtual functions. -ENODEV: it was removed, maybe on the way. -ETIMEDOUT, told: the function did
 * not come back; a reset tried again waits for it one second only. Meanwhile, and then until
 * another reset succeeds, it is marked as in reset.
 */
int pci_reset(struct pci_device *device);
/* The end of it, for a function that has reset itself. */
int pci_recover(struct pci_device *device);

/* Takes bus mastering away and waits, one second at most, for pending transactions. */
void pci_silence(const struct pci_device *device);
/*
 * Brings the function to a power state (PCI_PM_D3HOT; 0: full power) and waits as long as that
 * takes. False: it is in that state, has no power management, or does not answer.
 */
bool pci_set_power(const struct pci_device *device, uint16_t state);

/*
 * The same for all functions below a bridge at once, by its secondary bus. The caller keeps
 * everybody from all of them. -ETIMEDOUT, told: the link, or functions that stay marked as in
 * reset, did not come back.
 */
int pci_reset_below(const struct pci_device *bridge);
/* The end of it, where the link was down for another reason, and comes back by itself. */
int pci_recover_below(const struct pci_device *bridge);
/* The same, of all functions below the bridge or physical function, where the link is up again. */
int pci_come_back_below(const struct pci_device *above);
/* Does the port say that its link is up? Not all do. */
bool pci_link_active(const struct pci_device *bridge);
/*
 * Waits until what is below a bridge may be asked after a reset: where the bridge tells of its link
 * (`told`) until that is up, a second at most. -ETIMEDOUT, told in the log: it did not come up.
 */
int pci_wait_for_link(const struct pci_device *bridge, bool told);

/*
 * Lets root ports tell that a function below is not ready, where they can (PCI Express Base 2.3.2):
 * else they ask again by themselves, and the CPU stands still for as long. Call once.
 */
void pci_show_retry_status(void);
/*
 * Records what a reset clears and software had set. pci_save_all() once, before any device is used;
 * pci_save() when the kernel itself has changed such a register since.
 */
void pci_save(struct pci_device *device);
void pci_save_all(void);
/* Writes back what was recorded. Bus mastering and INTx stay off. */
void pci_config_restore(const struct pci_device *device);
/*
 * Does a function that answers have other BARs than the ones recorded, or its virtual functions
 * off? Then it reset itself, or was in D3hot and does not keep its state there.
 */
bool pci_bars_lost(const struct pci_device *device);

#endif
