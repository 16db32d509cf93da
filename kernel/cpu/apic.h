/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of the one CPU (Intel SDM volume 3, chapter 10) and its timer. */
#ifndef KERNEL_CPU_APIC_H
#define KERNEL_CPU_APIC_H

#include "kernel/lib/types.h"

#define APIC_SPURIOUS_VECTOR 255

/*
 * Masks the legacy interrupt controllers, enables the local APIC in the mode the firmware left it
 * in, and measures its timer. Needs mmio_map() and time. NULL, or a sentence saying what is wrong.
 */
const char *apic_init(void);
bool apic_is_x2apic(void);
void apic_end_of_interrupt(void);
/* Is an interrupt with this vector being served? Tells an injected vector from an exception. */
bool apic_in_service(unsigned vector);
/* The timer interrupt arrives once, at or shortly after the given time; TIME_NEVER: not at all. */
void apic_timer_set(uint64_t deadline_ns);
/* Who gets the timer interrupt. Called once. */
void apic_timer_start(void (*handler)(void));

#endif
