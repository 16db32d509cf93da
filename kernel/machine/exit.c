/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/exit.h"
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

/* PM1 control registers (ACPI 4.8.3.2). */
#define PM1_SLEEP_TYPE      (7U << 10)
#define PM1_SLEEP_ENABLE    BIT(13)
#define POWER_OFF_WAIT_NS   (100 * NS_PER_MS)
#define ACPI_ENABLE_WAIT_NS (300 * NS_PER_MS)

const char *end_reason_name(enum end_reason reason)
{
    static const char *const names[] = {
        [END_PAYLOAD] = "payload",     [END_KILLED] = "killed",   [END_TIMEOUT] = "timeout",
        [END_DMA_FAULT] = "dma-fault", [END_REFUSED] = "refused", [END_PANIC] = "panic",
        [END_SHOWN] = "shown",
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

/* The PM1 registers obey only in ACPI mode, which firmware may leave to the system to enter. */
static void enter_acpi_mode(const struct acpi_info *acpi)
{
    uint16_t control = (uint16_t)acpi->pm_control[0].address;
    uint64_t deadline = time_ns() + ACPI_ENABLE_WAIT_NS;

    if (!acpi->smi_command || !acpi->smi_enable_acpi || port_read16(control) & ACPI_PM1_SCI_ENABLE)
        return;
    port_write8(acpi->smi_command, acpi->smi_enable_acpi);
    while (!(port_read16(control) & ACPI_PM1_SCI_ENABLE) && !time_expired(deadline))
        ;
}

/* Returns only if the machine cannot be switched off. */
static void power_off(const struct acpi_info *acpi)
{
    if (!acpi->soft_off || acpi->pm_control[0].space != ACPI_SPACE_IO)
        return;
    enter_acpi_mode(acpi);
    for (size_t i = 0; i < ARRAY_SIZE(acpi->pm_control); i++) {
        uint16_t port = (uint16_t)acpi->pm_control[i].address;
        uint32_t value;

        if (acpi->pm_control[i].space != ACPI_SPACE_IO)
            continue;
        value = port_read16(port) & ~(PM1_SLEEP_TYPE | (uint32_t)PM1_SLEEP_ENABLE);
        value |= (uint32_t)acpi->sleep_types[i] << 10;
        port_write16(port, (uint16_t)value);
        port_write16(port, (uint16_t)(value | PM1_SLEEP_ENABLE));
    }
    time_delay_ns(POWER_OFF_WAIT_NS);
}

void machine_end(const struct config *config, const struct acpi_info *acpi, enum end_reason reason)
{
    bool over = config->on_exit == CONFIG_EXIT_RESTART_PAYLOAD; /* nothing is started any more */
    enum config_exit then = over ? config->on_restart_limit : config->on_exit;

    if (config->exit_port)
        port_write16(config->exit_port, (uint16_t)(EXIT_CODE_BASE + reason));
    if (then == CONFIG_EXIT_RESTART)
        restart(acpi);
    if (then == CONFIG_EXIT_POWEROFF && reason < END_REFUSED)
        power_off(acpi);
    log_info("halted");
    cpu_halt_forever();
}
