/* SPDX-License-Identifier: BSD-2-Clause */
/* How a run ends, and what the machine does then. */
#ifndef KERNEL_MACHINE_EXIT_H
#define KERNEL_MACHINE_EXIT_H

#include "kernel/machine/acpi/acpi.h"
#include "kernel/machine/config/config.h"

/* Why the run ended. The numbers are part of the exit code below. */
enum end_reason {
    END_PAYLOAD = 0,   /* the payload called exit */
    END_KILLED = 1,    /* a signal ended it */
    END_TIMEOUT = 2,   /* payload-timeout passed */
    END_DMA_FAULT = 3, /* on-dma-fault = kill-payload */
    END_REFUSED = 4,   /* something the operator or the firmware gave was refused */
    END_PANIC = 5,     /* the kernel found itself broken */
    END_SHOWN = 6,     /* what `show` asked for was shown, and no payload started */
};
/* As in the report: "payload", "killed", "timeout", "dma-fault", "refused", "panic", "shown". */
const char *end_reason_name(enum end_reason reason);

/*
 * What is written to QEMU's isa-debug-exit device (16 bits wide): EXIT_CODE_BASE + the reason. QEMU
 * then ends with status (code << 1) | 1: 33 when the payload exited by itself, with whatever
 * status, 35 killed, 37 timeout, 39 DMA fault, 41 refused, 43 panic, 45 shown. Never 0, which is
 * what QEMU says when the machine resets. The payload's own status is in the report
 * (docs/report.md).
 */
#define EXIT_CODE_BASE 0x10

/*
 * Ends the run: through the exit port if the configuration names one, then as `on-exit` says, or
 * `on-restart-limit` where that is to start the payload again. A refusal, a panic and what was
 * shown are never followed by switching off: they have to be read on the screen.
 * `acpi` may be empty.
 */
_Noreturn void machine_end(const struct config *config, const struct acpi_info *acpi,
                           enum end_reason reason);

#endif
