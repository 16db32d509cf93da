/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/report/report.h"
#include <bulkhead/boot_info.h>
#include <version.h>
#include "kernel/machine/console/serial.h"
#include "kernel/cpu/port.h"
#include "kernel/cpu/thread.h"
#include "kernel/cpu/time.h"
#include "kernel/cpu/trap.h"
#include "kernel/iommu/iommu.h"
#include "kernel/irq/irq.h"
#include "kernel/lib/json.h"
#include "kernel/mm/frames/frames.h"
#include "kernel/mm/heap.h"

#define REPORT_FORMAT 2
#define STEPS_MAX     16

static struct {
    const char *name;
    uint64_t at_ns;
} steps[STEPS_MAX];
static size_t step_count;

const char *report_version(void)
{
    return BUILD_VERSION;
}

const char *report_door(uint32_t door)
{
    return door == BOOT_DOOR_UEFI ? "uefi" : "pvh";
}

void report_step(const char *step)
{
    if (step_count == STEPS_MAX)
        return;
    steps[step_count].name = step;
    steps[step_count++].at_ns = time_ns();
}

static void write_port(void *context, const char *text, size_t length)
{
    const uint16_t *port = context;

    for (size_t i = 0; i < length; i++)
        port_write8(*port, (uint8_t)text[i]);
}

static void write_time(struct json *j)
{
    json_object(j, "time");
    json_uint(j, "tsc_hz", time_known()->hz);
    json_string(j, "tsc_source", time_known()->source);
    json_array(j, "steps");
    for (size_t i = 0; i < step_count; i++) {
        json_object(j, NULL);
        json_string(j, "step", steps[i].name);
        json_uint(j, "end_ns", steps[i].at_ns);
        json_end_object(j);
    }
    json_end_array(j);
    json_end_object(j);
}

static void write_memory(struct json *j)
{
    struct frames_stats stats;

    frames_stats(&stats);
    json_object(j, "memory");
    json_uint(j, "frames_total", stats.total);
    json_uint(j, "frames_free", stats.free);
    json_uint(j, "orphans", stats.orphans);
    json_uint(j, "pins", stats.pins);
    json_uint(j, "heap_bytes", heap_used());
    json_end_object(j);
}

static void write_console(struct json *j)
{
    const struct serial_stats stats = serial_stats();

    json_object(j, "console");
    json_uint(j, "stalls", stats.stalls);
    json_uint(j, "lost_bytes", stats.lost_bytes);
    json_end_object(j);
}

static void write_interrupts(struct json *j)
{
    json_object(j, "interrupts");
    json_uint(j, "devices", irq_arrived());
    json_uint(j, "stray", vector_strays());
    json_uint(j, "nmi", trap_nmis());
    json_uint(j, "thread_switches", thread_switches());
    json_end_object(j);
}

static void write_end(struct json *j, const struct report_end *end)
{
    json_object(j, "exit");
    json_string(j, "reason", end_reason_name(end->reason));
    if (end->reason == END_PAYLOAD || end->reason == END_KILLED)
        json_int(j, end->reason == END_PAYLOAD ? "status" : "signal", end->status);
    if (end->sentence && *end->sentence)
        json_string(j, "sentence", end->sentence);
    if (end->located)
        json_hex(j, "rip", end->rip);
    json_end_object(j);
}

void report_write(uint16_t port, uint32_t door, const struct report_end *end)
{
    struct json j;

    json_init(&j, write_port, &port);
    json_object(&j, NULL);
    json_uint(&j, "format", REPORT_FORMAT);
    json_string(&j, "version", report_version());
    json_string(&j, "door", report_door(door));
    write_time(&j);
    write_memory(&j);
    iommu_report(&j);
    report_groups(&j);
    write_interrupts(&j);
    write_console(&j);
    report_lives(&j);
    write_end(&j, end);
    json_end_object(&j);
}
