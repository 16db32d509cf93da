/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of keys. docs/configuration.md shows it; a test compares the two. */
#include "kernel/machine/config/internal.h"

#include "kernel/lib/log.h"
#include "kernel/machine/console/input.h"

#define FIELD(type, member) .offset = offsetof(type, member), .size = sizeof(((type *)0)->member)
#define SCALAR(member)      FIELD(struct config, member)
#define LIST_OF(type, member, number)                                                              \
    .offset = offsetof(type, member), .size = sizeof(((type *)0)->member[0]),                      \
    .count = offsetof(type, number), .most = ARRAY_SIZE(((type *)0)->member), .repeatable = true
#define LIST(member, number) LIST_OF(struct config, member, number)

static const struct config_choice afus[] = {
    {"no", CONFIG_AFU_NONE}, {"dfl", CONFIG_AFU_DFL}, {"edu", CONFIG_AFU_EDU}, {NULL, 0}};
static const struct config_choice dfl_bars[] = {{"known", CONFIG_DFL_BAR_KNOWN}, {NULL, 0}};
static const struct config_choice chipset[] = {{"chipset", 0}, {NULL, 0}};
static const struct config_choice yes_no[] = {{"no", 0}, {"yes", 1}, {NULL, 0}};
static const struct config_choice none[] = {{"none", 0}, {NULL, 0}};
static const struct config_choice all[] = {{"all", 0}, {NULL, 0}};
static const struct config_choice unlimited[] = {{"unlimited", CONFIG_UNLIMITED}, {NULL, 0}};
static const struct config_choice unlimited_number[] = {{"unlimited", UINT32_MAX}, {NULL, 0}};
static const struct config_choice automatic[] = {{"auto", 0}, {NULL, 0}};
static const struct config_choice inputs[] = {
    {"none", INPUT_NONE}, {"console", INPUT_CONSOLE}, {"host", INPUT_HOST}, {NULL, 0}};
static const struct config_choice terminals[] = {
    {"no", CONSOLE_NO_TERMINAL}, {"output", CONSOLE_OUTPUT}, {"yes", CONSOLE_TERMINAL}, {NULL, 0}};
static const struct config_choice levels[] = {
    {"error", LOG_ERROR}, {"warn", LOG_WARN}, {"info", LOG_INFO}, {"debug", LOG_DEBUG}, {NULL, 0}};
static const struct config_choice exits[] = {{"restart-payload", CONFIG_EXIT_RESTART_PAYLOAD},
                                             {"halt", CONFIG_EXIT_HALT},
                                             {"restart", CONFIG_EXIT_RESTART},
                                             {"poweroff", CONFIG_EXIT_POWEROFF},
                                             {NULL, 0}};
static const struct config_choice outputs[] = {
    {"console", CONFIG_OUTPUT_CONSOLE}, {"stream", CONFIG_OUTPUT_STREAM}, {NULL, 0}};
static const struct config_choice shows[] = {
    {"none", CONFIG_SHOW_NOTHING}, {"devices", CONFIG_SHOW_DEVICES}, {NULL, 0}};
static const struct config_choice faults[] = {{"log", CONFIG_FAULT_LOG},
                                              {"stop-device", CONFIG_FAULT_STOP_DEVICE},
                                              {"kill-payload", CONFIG_FAULT_KILL_PAYLOAD},
                                              {NULL, 0}};
static const struct config_key keys[] = {
    {"device", CONFIG_DEVICE, LIST(devices, device_count), .options = &config_device_options,
     .help = "A device to hand to the payload, and its options"},
    {"leave", CONFIG_DEVICE, LIST(leaves, leave_count), .options = &config_leave_options,
     .help = "A device to leave as the firmware left it, and the memory that it may reach"},
    {"unprotected", CONFIG_DEVICE, LIST(unprotected, unprotected_count),
     .options = &config_no_options,
     .help = "A device that no IOMMU translates for, to start all the same"},
    {"payload-name", CONFIG_STRING, SCALAR(payload_name),
     .help = "What the payload is called, its argv[0]; /payload.elf if not given"},
    {"arg", CONFIG_TEXT, LIST(args, arg_count), .help = "One argument of the payload"},
    {"args", CONFIG_WORDS, LIST(args, arg_count),
     .help = "Several arguments, separated by blanks; double quotes keep blanks"},
    {"env", CONFIG_ENV, LIST(env, env_count), .help = "One environment variable, NAME=value"},
    {"memlock", CONFIG_SIZE, SCALAR(memlock), .max = 1024 * 1024 * GIB, .choices = unlimited,
     .preset = "unlimited",
     .help = "How much memory the payload may pin for devices and lock, for user 0 too"},
    {"memory-limit", CONFIG_SIZE, SCALAR(memory_limit), .min = 32 * MIB, .max = 1024 * 1024 * GIB,
     .choices = all, .preset = "all", .help = "How much of the machine's RAM to use"},
    {"memory", CONFIG_RANGE, SCALAR(memory), .min = PAGE_SIZE,
     .help = "Where the RAM to use is, in whole pages; anywhere if not given"},
    {"keep-out", CONFIG_RANGE, LIST(keep_out, keep_out_count),
     .help = "Physical memory to leave alone, base+size"},
    {"log-level", CONFIG_CHOICE, SCALAR(log_level), .choices = levels, .preset = "info",
     .help = "The least important messages to show; debug: also the settings, all PCI devices, "
             "refused calls and faults"},
    {"console", CONFIG_NUMBER, SCALAR(console_port), .min = 1, .max = 0xfff8, .choices = automatic,
     .preset = "auto",
     .help = "I/O port of the serial console; auto: as the SPCR table says, else 0x3f8"},
    {"report-port", CONFIG_NUMBER, SCALAR(report_port), .min = 1, .max = 0xffff, .choices = none,
     .preset = "none", .help = "I/O port that the JSON report is written to, byte by byte"},
    {"stream-port", CONFIG_NUMBER, SCALAR(stream_port), .min = 1, .max = 0xffff, .choices = none,
     .preset = "none", .help = "I/O port that records for the host are written to, byte by byte"},
    {"trace", CONFIG_NUMBER, SCALAR(trace), .max = 15, .preset = "0",
     .help = "What to tell the stream, a sum: 1 calls, 2 maps, 4 faults, 8 interrupts"},
    {"output", CONFIG_CHOICE, SCALAR(output), .choices = outputs, .preset = "console",
     .help = "Where the payload's output goes; stream: records of `stream-port`, without the log"},
    {"out-limit", CONFIG_SIZE, SCALAR(out_limit), .min = 1, .max = 1024 * 1024 * GIB,
     .choices = none, .preset = "none",
     .help = "How much of what the payload leaves under `/out` goes to the stream at its end"},
    {"crash-limit", CONFIG_SIZE, SCALAR(crash_limit), .min = PAGE_SIZE, .max = 1024 * 1024 * GIB,
     .choices = none, .preset = "none",
     .help = "How much memory of a payload that a signal ended goes to the stream"},
    {"input", CONFIG_CHOICE, SCALAR(input), .choices = inputs, .preset = "console",
     .help = "Where the payload's input comes from; host: from memory that the stream tells of"},
    {"terminal", CONFIG_CHOICE, SCALAR(terminal), .choices = terminals, .preset = "yes",
     .help = "Is the console a terminal to the payload, or only what it writes?"},
    {"terminal-rows", CONFIG_NUMBER, SCALAR(terminal_rows), .min = 1, .max = 0xffff, .preset = "24",
     .help = "Lines of that terminal, to begin with"},
    {"terminal-columns", CONFIG_NUMBER, SCALAR(terminal_columns), .min = 1, .max = 0xffff,
     .preset = "80", .help = "And its columns"},
    {"exit-port", CONFIG_NUMBER, SCALAR(exit_port), .min = 1, .max = 0xfffe, .choices = none,
     .preset = "none", .help = "I/O port of QEMU's isa-debug-exit device"},
    {"unsafe-interrupts", CONFIG_CHOICE, SCALAR(unsafe_interrupts), .choices = yes_no,
     .preset = "no", .help = "Start even if device interrupts cannot be remapped"},
    {"ats", CONFIG_CHOICE, SCALAR(ats), .choices = yes_no, .preset = "no",
     .help = "Let devices cache translations, which trusts them with translated addresses"},
    {"invalidation-queue", CONFIG_NUMBER, SCALAR(invalidation_queue), .min = 256, .max = 32768,
     .preset = "256", .help = "Entries of each IOMMU's invalidation queue, a power of two"},
    {"interrupt-entries", CONFIG_NUMBER, SCALAR(interrupt_entries), .min = 256, .max = 65536,
     .preset = "4096", .help = "Entries of each interrupt-remapping table, a power of two"},
    {"show", CONFIG_CHOICE, SCALAR(show), .choices = shows, .preset = "none",
     .help = "What to show instead of starting the payload"},
    {"on-exit", CONFIG_CHOICE, SCALAR(on_exit), .choices = exits, .preset = "poweroff",
     .help = "What to do at the end; after a refusal, a panic or `show`, poweroff halts"},
    {"restart-limit", CONFIG_NUMBER, SCALAR(restart_limit), .min = 1, .max = UINT32_MAX - 1,
     .choices = unlimited_number, .preset = "10",
     .help = "How often in a row `restart-payload` starts the payload again"},
    {"restart-delay", CONFIG_NUMBER, SCALAR(restart_delay), .max = 3600, .preset = "1",
     .help = "Seconds before it starts again; doubled each time in a row, up to a minute"},
    {"on-restart-limit", CONFIG_CHOICE, SCALAR(on_restart_limit), .choices = exits + 1,
     .preset = "poweroff",
     .help = "What `restart-payload` does when the payload is not started again, as `on-exit`"},
    {"on-dma-fault", CONFIG_CHOICE, SCALAR(on_dma_fault), .choices = faults,
     .preset = "stop-device", .help = "What to do when a device passes the fault threshold"},
    {"fault-threshold", CONFIG_NUMBER, SCALAR(fault_threshold), .min = 1, .max = UINT32_MAX,
     .preset = "1000", .help = "DMA faults of one device until on-dma-fault acts"},
    {"payload-timeout", CONFIG_NUMBER, SCALAR(payload_timeout), .min = 1, .max = 31536000,
     .choices = none, .preset = "none",
     .help = "Seconds after which the payload is ended, each time it was started"},
};

static const struct config_key leave_options[] = {
    {"keep-out", CONFIG_RANGE, LIST_OF(struct config_leave, reach, reach_count), .min = PAGE_SIZE,
     .help = "Memory that the device may reach and nobody else, in whole pages; repeatable"},
};

static const struct config_key options[] = {
    {"alias", CONFIG_FUNCTION, FIELD(struct config_device, alias), .max = UINT16_MAX,
     .choices = none, .preset = "none",
     .help = "An id on its bus that it also sends with: device and function"},
    {"uio", CONFIG_CHOICE, FIELD(struct config_device, uio), .choices = yes_no, .preset = "no",
     .help = "Make `/dev/uioN` for the device"},
    {"dma-memory", CONFIG_CHOICE, FIELD(struct config_device, dma_memory), .choices = yes_no,
     .preset = "no", .help = "Let mmap of `/dev/uioN` create buffers for DMA"},
    {"afu", CONFIG_CHOICE, FIELD(struct config_device, afu), .choices = afus, .preset = "no",
     .help = "Make `/dev/dfl-port.N`: for a card with a feature list, or for QEMU's edu"},
    {"dfl-bar", CONFIG_NUMBER, FIELD(struct config_device, dfl_bar), .min = 0, .max = 5,
     .choices = dfl_bars, .preset = "known",
     .help = "BAR where the feature list starts, if no capability tells"},
    {"raw-config", CONFIG_CHOICE, FIELD(struct config_device, raw_config), .choices = yes_no,
     .preset = "no", .help = "Let the payload write configuration space that no table names"},
    {"vfs", CONFIG_NUMBER, FIELD(struct config_device, vfs), .max = 256, .preset = "0",
     .help = "How many virtual functions (SR-IOV) to enable and assign with the device"},
    {"intx", CONFIG_NUMBER, FIELD(struct config_device, intx), .min = 16, .max = UINT16_MAX,
     .choices = chipset, .preset = "chipset",
     .help = "Interrupt (GSI) that its INTx pin reaches; chipset: as QEMU's q35 wires it"},
};

const struct config_keys config_keys = {keys, ARRAY_SIZE(keys), "key"};
const struct config_keys config_device_options = {options, ARRAY_SIZE(options), "option"};
const struct config_keys config_no_options = {options, 0, "option"};
const struct config_keys config_leave_options = {leave_options, ARRAY_SIZE(leave_options),
                                                 "option"};

/* What a selector selects begins with it. */
_Static_assert(offsetof(struct config_device, selector) == 0 &&
                   offsetof(struct config_leave, selector) == 0,
               "the selector is not first");

/* A parser notes which keys it has seen in 64 bits. */
_Static_assert(ARRAY_SIZE(keys) <= 64 && ARRAY_SIZE(options) <= 64, "too many keys");
