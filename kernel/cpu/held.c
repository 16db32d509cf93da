/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages with the vectors of exceptions, 0 to 31. Nobody asks for one, but a device can send it
 * where messages are not remapped (with unsafe-interrupts, or where the old format passes). Taken
 * at any time it would pass for an exception, without the error code that some of them push; and
 * one with vector 2 would stand on the very stack that an NMI, a moment later, starts on again. So
 * the local APIC holds them back, and they are let in only here: in the kernel, on a stack that has
 * room, by a kernel that expects them.
 */
#include "kernel/cpu/apic.h"
#include "kernel/cpu/tables.h"
#include "kernel/cpu/internal.h"

bool held_let_in;

void held_take(void)
{
    if (!apic_holds())
        return;
    tables_nmi_stack(false);
    held_let_in = true;
    apic_hold(false);
    __asm__ volatile("sti; nop; cli" : : : "memory");
    apic_hold(true);
    held_let_in = false;
    tables_nmi_stack(true);
}
