/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/machine/console/console.h"

#include "kernel/machine/console/framebuffer.h"
#include "kernel/machine/console/serial.h"
#include "kernel/lib/log.h"
#include "kernel/mm/paging/paging.h"

static struct boot_framebuffer screen; /* base 0: not used */

/* The last port asked for. Asking again for the same is nothing: starting a port anew would drop
 * what it has not sent yet. */
static uint16_t asked;

/* If there is no serial port, the one in use until now stays, so that somebody can read of it. */
static void use_port(uint16_t wanted, const char *who)
{
    if (wanted != asked && !serial_init(wanted) && who)
        log_warn("no serial port answers at I/O port 0x%x, which %s names: it is not used", wanted,
                 who);
    asked = wanted;
}

void console_start(const struct boot_framebuffer *framebuffer)
{
    use_port(SERIAL_PORT_DEFAULT, NULL);
    if (framebuffer_init(framebuffer, (void *)(uintptr_t)framebuffer->base))
        screen = *framebuffer;
}

void console_suspend(void)
{
    framebuffer_move(NULL);
}

void console_resume(void)
{
    if (screen.base)
        framebuffer_move(mmio_map(screen.base, screen.size));
}

void console_select(uint16_t configured, const struct acpi_register *spcr)
{
    if (configured)
        use_port(configured, "the key 'console'");
    else if (spcr->space == ACPI_SPACE_IO && spcr->address <= SERIAL_PORT_MAX)
        use_port((uint16_t)spcr->address, "the SPCR table");
    else if (spcr->space != ACPI_SPACE_NONE)
        log_warn("the SPCR table's console is not at an I/O port and is not used");
}
