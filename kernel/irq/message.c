/* SPDX-License-Identifier: BSD-2-Clause */
/* What a device writes to raise one of its vectors (VT-d specification 5.1.2.2; Intel SDM 10.11).
 */
#include "kernel/cpu/trap.h"
#include "kernel/iommu/remap.h"
#include "kernel/irq/internal.h"

struct irq_message irq_message_for(const struct irq_set *set, unsigned index)
{
    if (set->remapped)
        return (struct irq_message){remap_message_address(set->vectors[index].entry), 0};
    return (struct irq_message){UINT64_C(0xfee00000) | (cpu_apic_id() & 0xff) << 12,
                                (uint32_t)set->vectors[index].cpu_vector};
}
