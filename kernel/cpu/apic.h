/* SPDX-License-Identifier: BSD-2-Clause */
/* The local APIC of the one CPU (Intel SDM volume 3, chapter 10) and its timer. */
#ifndef KERNEL_CPU_APIC_H
#define KERNEL_CPU_APIC_H

#include "kernel/cpu/trap.h"

#define APIC_SPURIOUS_VECTOR 255

/*
 * Has every other CPU wait until somebody starts it. The firmware may have left them running in
 * memory that counts as free: so this comes before any of it is written to, on the door's page
 * tables, which map the APIC. Needs cpu_init() and time. NULL, or a sentence saying what is wrong.
 */
const char *apic_stop_others(void);
/*
 * Silences the legacy interrupt controllers, enables the local APIC in the mode the firmware left
 * it in, has it hold back messages with the vectors of exceptions, and measures its timer. Needs
 * apic_stop_others(), mmio_map() and time. NULL, or a sentence saying what is wrong.
 */
const char *apic_init(void);
bool apic_is_x2apic(void);
void apic_end_of_interrupt(void);
/* Is an interrupt with this vector being served? If not, it was no message: nothing is to end. */
bool apic_in_service(unsigned vector);
/* From now on messages with vectors below 32 wait, or do not. */
void apic_hold(bool on);
/* Is one of them waiting? Not counting vector 0, which no APIC delivers. */
bool apic_holds(void);
/* From now on everything below VECTOR_TIMER waits as well, or does not any more. */
void apic_quiet(bool on);
/* The timer interrupt arrives once, at or shortly after the given time; TIME_NEVER: not at all. */
void apic_timer_set(uint64_t deadline_ns);
/* Who gets the timer interrupt. Called once. */
void apic_timer_start(vector_handler handler);

#endif
