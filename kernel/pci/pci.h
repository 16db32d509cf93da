/* SPDX-License-Identifier: BSD-2-Clause */
/* PCI functions: enumeration over ECAM, configuration space, BARs, capabilities. */
#ifndef KERNEL_PCI_PCI_H
#define KERNEL_PCI_PCI_H

#include "kernel/lib/list.h"
#include "kernel/lib/refusal.h"
#include "kernel/lib/types.h"

struct acpi_ecam;
struct lease;
struct requester;

/* A requester id on the wire: bus 15:8, device 7:3, function 2:0. */
typedef uint16_t pci_rid_t;
#define PCI_RID(bus, device, function) ((pci_rid_t)(((bus) << 8) | ((device) << 3) | (function)))
#define PCI_BUS(rid)                   ((uint8_t)((rid) >> 8))
#define PCI_DEVICE(rid)                ((uint8_t)(((rid) >> 3) & 31))
#define PCI_FUNCTION(rid)              ((uint8_t)(7 & (rid)))
#define PCI_BARS                       6
#define PCI_IDS_MAX                    5        /* requester ids of one function */
#define PCI_ALIAS                      0x10000u /* beside an id: there is one */

enum pci_bar_flags {
    PCI_BAR_IO = 1,
    PCI_BAR_64 = 2,
    PCI_BAR_PREFETCH = 4,
    PCI_BAR_OWN_PAGE = 8, /* less than a page, and nothing else lies on it */
};

struct pci_bar {
    paddr_t base;  /* 0: not assigned by the firmware */
    uint64_t size; /* bytes, a power of two; 0: the BAR does not exist */
    unsigned flags;
};

/* A register that a reset clears: kernel/pci/save.c has the table. */
struct pci_saved {
    uint16_t at;
    uint32_t value;
};
#define PCI_SAVED_MAX 80

struct pci_group;

/* Which of the rules of kernel/pci/group.c joins two functions; each has a culprit. */
enum pci_join_rule {
    PCI_JOIN_BUS,       /* both are below the culprit, or one is it: a bridge to conventional PCI */
    PCI_JOIN_FUNCTIONS, /* of one device, and the culprit is one without access control */
    PCI_JOIN_SWITCH,    /* at ports of one switch, and the culprit is one without access control */
    PCI_JOIN_PORT,      /* below the culprit, a port without access control */
    PCI_JOIN_ALIAS,     /* of one device or id, and the culprit also sends with another's id */
};

struct pci_device {
    struct list link; /* in the list of all functions, sorted by segment and requester id */
    uint16_t segment;
    pci_rid_t rid;
    uint16_t vendor, device, subsystem_vendor, subsystem_device;
    uint32_t class_code; /* base class 23:16, subclass 15:8, interface 7:0 */
    uint8_t revision;
    uint8_t header_type;            /* without the multifunction bit */
    uint8_t secondary, subordinate; /* bridges only */
    struct pci_device *bridge;      /* the bridge above; NULL on a root bus */
    struct pci_device *physical;    /* whose virtual function it is; NULL: it is none */
    uint16_t virtuals;              /* how many virtual functions of it there are */
    struct pci_bar bars[PCI_BARS];
    struct pci_bar rom;
    /* Offsets of capabilities in configuration space; 0: absent. */
    uint16_t cap_pm, cap_msi, cap_msix, cap_pcie, cap_acs, cap_ats, cap_sriov, cap_af;
    uint16_t acs_control;   /* offset of that register; 0: absent */
    uint32_t msix_location; /* of the vector table: offset 31:3, BAR 2:0 */
    uint16_t msix_entries;  /* 0: there is none */
    uint8_t ats_depth;      /* invalidations that its device TLB queues; 0: 32 */
    uint16_t config_size;   /* 256 or 4096 */
    uint8_t intx_pin;       /* 1 to 4: INTA to INTD; 0: it has none */
    uint16_t intx_gsi;      /* the interrupt that its pin reaches; 0: not known, or no pin */
    /* What it sends with beside its own id: by its quirk, by the operator's word; PCI_ALIAS. */
    uint32_t aliases[2];
    bool hides_express; /* a bridge with QUIRK_HIDDEN_EXPRESS */
    bool isolated;      /* has access control without the capability, by the table of quirks */
    void *config;       /* ECAM mapping */
    struct pci_group *group;
    /* Handles of pci_requester_ids() for the IOMMU, which sets them; the first is its own id. */
    struct requester *requesters[PCI_IDS_MAX];
    struct pci_device *joined;        /* leads to the first member of the group, which has NULL */
    enum pci_join_rule join_rule;     /* why it is with `joined` */
    const struct pci_device *culprit; /* of that rule */
    const char *claimed_by;           /* the device-file family that has it open, or NULL */
    struct lease *lease;              /* of that family, which sets it; or NULL */
    bool assigned;
    const char *driver; /* the one of Linux that its files name; NULL: it is not assigned */
    bool left; /* `leave` named it, or something below it: it is written to as little as can be */
    bool unserved;    /* no IOMMU translates for it: its bus mastering is off and stays off */
    bool unprotected; /* the operator knows that, and wants to start (`unprotected`) */
    bool raw_config;  /* the payload may write what no table of configuration space names */
    bool stopped;     /* by pci_stop() */
    bool ats;         /* its device TLB is on */
    bool intx_on;     /* it may raise its line: pci_command_bits() */
    bool errors_told; /* the port above hears of its errors: kernel/pcie/aer.c */
    bool in_reset;    /* or did not come back from one: asked nothing, it holds nothing */
    bool lost;    /* did not come back from its last reset: it is not waited for as long again */
    bool leaving; /* its user is asked to give it back, and nobody gets it any more */
    bool removed; /* taken out of its slot: reads as ones whatever is there now, and in_reset */
    /* Called when it is back from a reset, for who drives it in the kernel; or NULL. */
    void (*came_back)(struct pci_device *device);
    struct pci_saved saved[PCI_SAVED_MAX]; /* by pci_save() */
    unsigned saved_count;
};

/* Its place in the order of all functions. */
static inline uint32_t pci_order(const struct pci_device *device)
{
    return (uint32_t)device->segment << 16 | device->rid;
}

/* Configuration space, naturally aligned offsets below config_size. Out of range reads as ones. */
uint8_t pci_read8(const struct pci_device *device, unsigned offset);
uint16_t pci_read16(const struct pci_device *device, unsigned offset);
uint32_t pci_read32(const struct pci_device *device, unsigned offset);
void pci_write8(const struct pci_device *device, unsigned offset, uint8_t value);
void pci_write16(const struct pci_device *device, unsigned offset, uint16_t value);
void pci_write32(const struct pci_device *device, unsigned offset, uint32_t value);

/* Clears bits and sets others, if it answers: it might begin to just now. */
void pci_change16(const struct pci_device *device, unsigned offset, uint16_t clear, uint16_t set);

/* Clears what bridges have noted of errors: to find what is there, one asks also where nothing is.
 */
void pci_clear_errors(void);
/* Tells in the log what they have noted since, and clears it. */
void pci_tell_errors(void);

/* What the command register must say of INTx, whoever writes it; of errors it says nothing. */
uint16_t pci_command_bits(const struct pci_device *device);

/*
 * Maps configuration space and finds every function (once per boot). Writes nothing to any device,
 * but to bridges at low power, which are woken, as they were but silent: nothing is seen below.
 * A bridge whose bus numbers make no sense is kept, what is below it is not looked for. -ENOMEM,
 * -ENODEV (none), with a sentence.
 */
int pci_enumerate(const struct acpi_ecam *ecams, size_t count, struct refusal *why);
/*
 * Learns address and size of every BAR but of devices that are left. Address decoding of a function
 * is off while its BARs hold test values, so call it when no device is in use and none is a bus
 * master. One that is removed has none.
 */
void pci_size_bars(void);
void pci_size_bars_of(struct pci_device *device);

/*
 * Something is where a removed function was: waits a minute at most until it is ready, and learns
 * it anew, BARs too, which may lack addresses, into the same record. From then on it is not removed
 * any more. False: nothing answers, and nothing changed. Nothing in use may hold on to the record.
 */
bool pci_learn_new(struct pci_device *removed);
/*
 * Adds a virtual function that has such an id as soon as it is enabled; NULL: no memory.
 * pci_learn() then reads from configuration space what it is.
 */
struct pci_device *pci_add_virtual(struct pci_device *physical, pci_rid_t rid);
/* Takes all of them out of the list again, before anybody else knows of them. */
void pci_forget_virtuals(struct pci_device *physical);
void pci_learn(struct pci_device *device);
/*
 * Adds the function that is to be in the empty slot with such an id, as if it had been removed;
 * nothing, if there is no such slot, or no memory.
 */
void pci_add_empty(uint16_t segment, pci_rid_t rid);
/* Learns the BARs at `count` registers from an offset on. Nothing may decode them. */
void pci_size_bars_at(const struct pci_device *device, unsigned offset, unsigned count,
                      struct pci_bar *bars);

/* All functions found, in order. */
struct list *pci_devices(void);
struct pci_device *pci_find(uint16_t segment, pci_rid_t rid);
/* Offset of the capability, or 0. Loops in the list are survived. */
unsigned pci_find_capability(const struct pci_device *device, uint8_t id);
unsigned pci_find_extended_capability(const struct pci_device *device, uint16_t id);
/* The next one of several behind that offset. */
unsigned pci_next_extended_capability(const struct pci_device *device, uint16_t id, unsigned after);
/* The type of a PCI Express function (enum pcie_type), or -1 for a conventional one. */
int pci_express_type(const struct pci_device *device);
bool pci_is_bridge(const struct pci_device *device);
/* Is it a root port or the downstream port of a switch, with a PCI Express link below it? */
bool pci_is_link_head(const struct pci_device *device);
/* Can devices come and go below the port? It then has a bus of its own. */
bool pci_has_slot(const struct pci_device *port);
/* Does it answer? Virtual functions show no ids. */
bool pci_answers(const struct pci_device *device);
/* Is the function somewhere below the bridge, or one of the physical function's virtual ones? */
bool pci_is_below(const struct pci_device *device, const struct pci_device *bridge);
#define pci_for_each_below(device, bridge)                                                         \
    list_for_each_entry (device, pci_devices(), link)                                              \
        if (!pci_is_below(device, bridge)) {                                                       \
        } else

/* Sets or clears the bus-master bit of the command register. One stopped or unserved stays off. */
void pci_set_bus_master(const struct pci_device *device, bool on);
/*
 * Takes bus mastering away until pci_pardon(): the device or its IOMMU misbehaved. One that is left
 * keeps it: what it reaches is nobody else's. Returns whether it was taken.
 */
bool pci_stop(struct pci_device *device);
/* Allows it again, to a device that was reset and to what was stopped for its requests. */
void pci_pardon(const struct pci_device *device);
/* Bus mastering off everywhere but where it is left: endpoints first, bridges last. */
void pci_disable_all_bus_masters(void);
/*
 * Lets requests of the device, and accesses to its BARs, through the bridges above it; its own bits
 * stay as they are.
 */
void pci_enable_path(const struct pci_device *device);

/*
 * Lets translated requests (of device TLBs) through a port with access control if a function below
 * has its device TLB on, and else blocks them. Call when that, or the port's control, changed.
 */
void pci_update_translated(const struct pci_device *port);

/*
 * The requester ids that DMA of this device may carry: its own, those it is known to use besides,
 * and what the bridge that takes its requests over puts on the wire. Returns how many.
 */
size_t pci_requester_ids(const struct pci_device *device, pci_rid_t out[PCI_IDS_MAX]);
/*
 * What it also sends with on its bus, device 7:3 and function 2:0: told with the reason. Of the
 * two, 0 is for the quirk, 1 for the operator. Call before the IOMMU gives handles.
 */
void pci_set_alias(struct pci_device *device, unsigned number, uint8_t function, const char *why);
/*
 * The bridge whose id, or that of its secondary bus, requests of the device have in the end, and
 * that id; NULL: they keep the device's own.
 */
const struct pci_device *pci_taker(const struct pci_device *device, pci_rid_t *alias);
/* Is the id one of those? */
bool pci_may_send_as(const struct pci_device *device, uint16_t segment, pci_rid_t rid);
/* pci_stop() for all functions whose requests may carry the id. Returns how many were stopped. */
unsigned pci_stop_senders(uint16_t segment, pci_rid_t rid);

/*
 * A device is open through one device-file family at a time. -EBUSY when another (or the same) has
 * claimed it; -ENODEV: it was removed. `owner` is a constant such as "vfio".
 */
int pci_claim(struct pci_device *device, const char *owner);
void pci_unclaim(struct pci_device *device);

#define PCI_NAME_SIZE 13
/* Writes "0000:00:02.0". */
const char *pci_write_rid_name(uint16_t segment, pci_rid_t rid, char buffer[PCI_NAME_SIZE]);
/* The same, into a buffer that lasts until the end of the enclosing block. */
#define pci_rid_name(segment, rid) pci_write_rid_name(segment, rid, (char[PCI_NAME_SIZE]){0})
#define pci_name(device)           pci_rid_name((device)->segment, (device)->rid)

#endif
