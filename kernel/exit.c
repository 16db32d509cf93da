// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/exit.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/port.h"
#include "kernel/cpu/tables.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/log.h"

#define RESET_CONTROL    0xcf9 /* of PC chipsets: bit 1 system reset, bit 2 do it */
#define RESET_PREPARE    0x02
#define RESET_NOW        0x06
#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET   0xfe
#define RESET_WAIT_NS    (50 * NS_PER_MS)

const char *end_reason_name(enum end_reason reason)
{
    static const char *const names[] = {
        [END_PAYLOAD] = "payload",     [END_KILLED] = "killed",   [END_TIMEOUT] = "timeout",
        [END_DMA_FAULT] = "dma-fault", [END_REFUSED] = "refused", [END_PANIC] = "panic",
    };

    return names[reason];
}

/* Each way in turn, the politest first; the last one cannot fail: no trap has a handler. */
static void restart(const struct acpi_info *acpi)
{
    const struct table_pointer nothing = {0};

    if (acpi->reset.space == ACPI_SPACE_IO)
        port_write8((uint16_t)acpi->reset.address, acpi->reset_value);
    time_delay_ns(RESET_WAIT_NS);
    port_write8(RESET_CONTROL, RESET_PREPARE);
    port_write8(RESET_CONTROL, RESET_NOW);
    time_delay_ns(RESET_WAIT_NS);
    port_write8(KEYBOARD_COMMAND, KEYBOARD_RESET);
    time_delay_ns(RESET_WAIT_NS);
    __asm__ volatile("lidt %0; ud2" : : "m"(nothing) : "memory");
}

void machine_end(const struct config *config, const struct acpi_info *acpi, enum end_reason reason)
{
    if (config->exit_port)
        port_write16(config->exit_port, (uint16_t)(EXIT_CODE_BASE + reason));
    if (config->on_exit == CONFIG_EXIT_RESTART)
        restart(acpi);
    log_info("halted");
    cpu_halt_forever();
}
