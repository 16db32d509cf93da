/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The IOMMU as the rest of the kernel, or a hypervisor core, uses it: create a domain, map runs of
 * physical memory, attach a requester id, replace, detach, destroy. Legacy-mode Intel VT-d
 * (Virtualization Technology for Directed I/O specification, chapters 3, 6, 9 and 11) below.
 *
 * Not reentrant: one CPU, no call sleeps. Each wait on hardware is bounded.
 */
#ifndef KERNEL_IOMMU_IOMMU_H
#define KERNEL_IOMMU_IOMMU_H

#include "kernel/lib/refusal.h"
#include "kernel/lib/types.h"
#include "kernel/table/gather.h"

struct dmar_info;
struct iommu_unit;
struct iommu_domain;
struct json;
struct text;

struct iommu_options {
    bool unsafe_interrupts;   /* go on where interrupts cannot be remapped */
    bool ats;                 /* let devices cache translations, where all parts allow it */
    bool x2apic;              /* the CPU's local APIC is in x2APIC mode */
    unsigned queue_entries;   /* invalidation queue, 256 to 32768, a power of two; 0: 256 */
    unsigned remap_entries;   /* interrupt entries, 256 to 65536, a power of two; 0: 4096 */
    uint64_t fault_threshold; /* faults of one requester before anything is done; 0: never */
    bool stop_device;         /* at the threshold, take its bus mastering away */
    /* Called at the threshold, once per requester, in an interrupt handler. May be NULL. */
    void (*on_faults)(void *context, uint16_t segment, uint16_t rid);
    void *context;
};

/* Puts presets where there is a 0. 0, or -EINVAL with the reason: what iommu_init() would say. */
int iommu_check_options(struct iommu_options *options, struct refusal *why);

/*
 * Takes every unit of the machine over from whatever state firmware left it in and switches it on,
 * in the order that never lets a request through: queue, empty root table, interrupt-remapping
 * table, global invalidations, remapping, translation, and only then the protected-memory registers
 * go. Bus mastering must be off everywhere; devices with reserved memory get it back at the end.
 * `dmar` must stay valid.
 *
 * -ENODEV (no unit), -EOPNOTSUPP (a capability is missing), -EIO, -ENOMEM, -EINVAL (options), with
 * a sentence in *why. Units already started keep blocking.
 */
int iommu_init(const struct dmar_info *dmar, const struct iommu_options *options,
               struct refusal *why);
/* Do interrupts of devices behind this unit go through its remapping table? */
bool iommu_remaps_interrupts(const struct iommu_unit *unit);
/* The unit's capability registers as it reports them. */
void iommu_unit_registers(const struct iommu_unit *unit, uint64_t *cap, uint64_t *ecap);

enum iommu_permission {
    IOMMU_READ = 1,  /* the device may read memory */
    IOMMU_WRITE = 2, /* the device may write memory */
};

enum iommu_map_flags {
    IOMMU_SMALL_LEAVES = 1, /* 4 KiB leaves only */
};

/*
 * The handle of a requester id. From iommu_init() on every function has those of its own id and of
 * its aliases (struct pci_device), and every group those of its members (struct pci_group). They
 * stay for good.
 */
struct pci_device;
struct requester;
/* The unit that translates for it, or NULL if none does. */
struct iommu_unit *iommu_unit_of(const struct requester *requester);
/*
 * Can it be made to look into the CPU's caches for all of them, which a device asks not to be done
 * for some requests (no-snoop)? Every mapping then does.
 */
bool iommu_controls_snooping(struct requester *const *requesters, size_t count);
/* "0000:00:02.0" */
#define REQUESTER_NAME_SIZE 13
const char *iommu_requester_name(const struct requester *requester,
                                 char buffer[REQUESTER_NAME_SIZE]);

/*
 * An empty domain on a unit. -ENOMEM; -ENOSPC when the unit has no domain id left; -EIO when the
 * unit is fenced.
 */
int iommu_domain_create(struct iommu_unit *unit, struct iommu_domain **out);
/* The domain must have no requester attached. Invalidates, waits, then frees its tables. */
void iommu_domain_destroy(struct iommu_domain *domain);

/*
 * For reports: how the owner of a domain divides what it maps. Finds the first area that has a byte
 * at `iova` or above and stores its ends (inclusive); false: there is none.
 */
typedef bool (*iommu_find_area)(const void *owner, uint64_t iova, uint64_t *first, uint64_t *last);
/* `owner` must stay valid until another call; NULL takes it back. */
void iommu_domain_set_areas(struct iommu_domain *domain, iommu_find_area find, const void *owner);

struct iommu_geometry {
    unsigned address_bits; /* IOVAs are below 2^address_bits */
    uint64_t page_sizes;   /* bit n: leaves of 2^n bytes */
    bool snoop_control;
};
void iommu_domain_geometry(const struct iommu_domain *domain, struct iommu_geometry *out);

/*
 * Maps `count` runs one after the other from `iova` on, with the fewest leaves that alignment,
 * length and capability allow. Nothing may be mapped there. Page aligned throughout.
 * Either everything is mapped, or nothing: -ENOMEM (no table page), -EINVAL (alignment, wrap,
 * beyond the address width, no permission, physical address beyond the host width),
 * -EEXIST (something is mapped), -EIO (the unit is fenced).
 */
int iommu_map(struct iommu_domain *domain, uint64_t iova, const struct phys_run *runs, size_t count,
              unsigned permissions, unsigned flags);

/* What a series of unmaps changed, to be invalidated in one go. */
struct iommu_gather {
    struct iommu_domain *domain;
    bool open;                   /* counted in the domain as not invalidated yet */
    struct table_gather removed; /* emptied table pages are released by iommu_sync() */
};
void iommu_gather_init(struct iommu_gather *gather, struct iommu_domain *domain);

/*
 * Removes every leaf in the range. Leaves are whole or untouched: a leaf that crosses the range is
 * a caller's error (panics). Never allocates, never fails. The device may go on using the old
 * translation until iommu_sync() has returned 0.
 */
void iommu_unmap(struct iommu_domain *domain, uint64_t iova, uint64_t length,
                 struct iommu_gather *gather);
/*
 * Submits the invalidations, waits, releases emptied table pages. -EIO: the unit did not answer; it
 * is fenced from now on and the memory that was mapped must not be used again.
 */
int iommu_sync(struct iommu_gather *gather);
/* iommu_unmap() and iommu_sync() of one range: the short way for a single leaf. */
int iommu_unmap_now(struct iommu_domain *domain, uint64_t iova, uint64_t length);

/*
 * Makes DMA of a requester id go through the domain. -EBUSY: it has a domain already; -ENODEV: the
 * domain's unit does not translate for it; -EADDRINUSE: its reserved memory is in the way; -ENOMEM;
 * -EIO: the unit is fenced, and if it was by this call, the id is in no domain. Invalidated on
 * return.
 */
int iommu_attach(struct iommu_domain *domain, struct requester *requester);
/*
 * As detach and attach without a moment in which DMA is refused. Errors as iommu_attach(), but for
 * -EBUSY; after any but -EIO the requester is where it was.
 */
int iommu_replace(struct iommu_domain *domain, struct requester *requester);
/*
 * From the return on, DMA of the id is refused (or reaches only its reserved memory, if it has
 * any). -EIO: the unit is fenced and the memory behind the domain must not be used again, also if
 * the id had fallen out of the domain by that. -ENODEV: it is not in this domain.
 */
int iommu_detach(struct iommu_domain *domain, struct requester *requester);

/*
 * Its device was removed: from the return on, DMA of the id is refused, whatever domain it is in or
 * comes into, until that is taken back. -EIO: the unit is fenced, and the id in no domain.
 */
int iommu_cut(struct requester *requester, bool cut);

/*
 * Has the function handles for all ids that it sends with? They are given at the start; something
 * else may be in its slot since.
 */
bool iommu_knows(const struct pci_device *device);
/* Why nobody may be given what sends with the id, for a device's name to follow; or NULL. */
const char *iommu_withholds(const struct requester *requester);
/*
 * The next region that firmware reserved (RMRR) for one of several requester ids; *at is 0 before
 * the first. False: there is none left.
 */
bool iommu_reserved_next(struct requester *const *requesters, size_t count, size_t *at,
                         struct phys_run *out);
/*
 * The device that sends with the id is the payload's, its bus mastering off: if firmware used it
 * only until then (USB controllers and displays), what was reserved for that is out of reach from
 * now on. -EIO: the unit is fenced.
 */
int iommu_end_reservation(struct requester *requester);

/* How many requests were refused since boot. */
uint64_t iommu_fault_count(void);

/* What users of all units hold: page tables and interrupts. */
struct iommu_usage {
    uint64_t domain_ids;
    uint64_t interrupt_entries;
    uint64_t table_pages;
};
struct iommu_usage iommu_usage(void);
/*
 * Forgets what the requester's faults led to, when its device was stopped and reset: they are
 * recorded and counted towards the threshold from 0 again. -EIO: its unit is fenced, and it can do
 * no DMA any more.
 */
int iommu_forgive(struct requester *requester);

/*
 * Keeps for the report what the domains map now: to be called when the payload has ended and
 * nothing of it was taken apart yet. Never fails; what it can keep is limited, and what it had to
 * leave out is counted.
 */
void iommu_snapshot(void);
/*
 * The "iommu" member of the report: units, domains, mappings, faults, invalidations. Without a
 * snapshot it tells of the domains as they are.
 */
void iommu_report(struct json *json);
/* Texts under /sys/kernel/iommu; `context` is not used. */
void iommu_units_show(void *context, struct text *out);
void iommu_domains_show(void *context, struct text *out);
void iommu_mappings_show(void *context, struct text *out);
void iommu_faults_show(void *context, struct text *out);
void iommu_invalidations_show(void *context, struct text *out);

#endif
