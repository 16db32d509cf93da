// SPDX-License-Identifier: BSD-2-Clause
#include "kernel/console/console.h"

#include "kernel/console/framebuffer.h"
#include "kernel/console/serial.h"
#include "kernel/lib/log.h"
#include "kernel/mm/paging.h"

static struct boot_framebuffer screen; /* base 0: not used */

static uint16_t port;

/* Starting a port anew would drop what it has not sent yet. */
static void use_port(uint16_t wanted)
{
    if (wanted != port)
        serial_init(wanted);
    port = wanted;
}

void console_start(const struct boot_framebuffer *framebuffer)
{
    use_port(SERIAL_PORT_DEFAULT);
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
        use_port(configured);
    else if (spcr->space == ACPI_SPACE_IO)
        use_port((uint16_t)spcr->address);
    else if (spcr->space != ACPI_SPACE_NONE)
        log_warn("the SPCR table's console is not at an I/O port and is not used");
}
