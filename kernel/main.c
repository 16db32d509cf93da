// SPDX-License-Identifier: BSD-2-Clause
#include <bulkhead/boot_info.h>
#include "kernel/console/serial.h"
#include "kernel/cpu/cpu.h"
#include "kernel/cpu/port.h"
#include "kernel/cpu/time.h"
#include "kernel/lib/image.h"
#include "kernel/lib/log.h"
#include "kernel/lib/panic.h"

paddr_t image_physical;

_Noreturn void kernel_main(paddr_t boot_info);

_Noreturn void kernel_main(paddr_t boot_info)
{
    const struct boot_info *info = (const struct boot_info *)(uintptr_t)boot_info;

    image_physical = info->kernel_base;
    cpu_tables_init();
    serial_init(SERIAL_PORT_DEFAULT);
    log_info("Bulkhead");
    const char *problem = cpu_init();
    if (problem)
        panic("%s", problem);
    problem = time_init(info->entry_tsc);
    if (problem)
        panic("%s", problem);
    log_set_clock(time_ns);
    log_info("%u memory regions, %lu MHz", info->memory_count, time_frequency() / 1000000);
    port_write8(0x501, 0x10);
    panic("end");
}
