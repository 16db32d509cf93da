/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: one table of keys (kernel/config/keys.c) for the text of bulkhead.conf and for
 * the command line. Deny by default: what is not in the table is an error.
 */
#ifndef KERNEL_CONFIG_CONFIG_H
#define KERNEL_CONFIG_CONFIG_H

#include "kernel/lib/types.h"

#define CONFIG_DEVICES_MAX  8
#define CONFIG_ARGS_MAX     64
#define CONFIG_KEEP_OUT_MAX 16
#define CONFIG_TEXT_MAX     8192

/* One assigned device: selected by address ("0000:00:02.0") or by id ("1234:11e8"). */
struct config_device {
    bool by_address;
    uint16_t segment;
    uint16_t rid;
    uint16_t vendor;
    uint16_t device;
};

enum config_exit {
    CONFIG_EXIT_HALT,
    CONFIG_EXIT_RESTART,
    CONFIG_EXIT_POWEROFF,
};

enum config_fault {
    CONFIG_FAULT_LOG,
    CONFIG_FAULT_STOP_DEVICE,
    CONFIG_FAULT_KILL_PAYLOAD,
};

struct config {
    struct config_device devices[CONFIG_DEVICES_MAX];
    size_t device_count;
    const char *args[CONFIG_ARGS_MAX]; /* argv[1]... of the payload */
    size_t arg_count;
    const char *env[CONFIG_ARGS_MAX]; /* "NAME=value" */
    size_t env_count;
    struct phys_run keep_out[CONFIG_KEEP_OUT_MAX]; /* RAM the kernel leaves alone */
    size_t keep_out_count;
    uint64_t memlock;      /* bytes the payload may pin; default 64 MiB */
    uint64_t memory_limit; /* bytes of RAM to use; 0: all */
    int log_level;         /* enum log_level */
    uint16_t console_port; /* I/O port of the serial console; 0: as SPCR says, else 0x3f8 */
    uint16_t report_port;  /* I/O port the JSON report is written to bytewise; 0: none */
    uint16_t exit_port;    /* QEMU's isa-debug-exit; 0: none */
    bool unsafe_interrupts;
    enum config_exit on_exit;
    enum config_fault on_dma_fault;
    uint64_t fault_threshold;   /* faults of one device before on_dma_fault acts */
    uint64_t payload_timeout;   /* seconds; 0: none */
    char selftest[16];          /* "iommu": run that test before the payload */
    char text[CONFIG_TEXT_MAX]; /* storage behind the strings above */
    size_t text_used;
};

struct config_error {
    char message[200]; /* "bulkhead.conf:3: unknown key 'devise', did you mean 'device'?" */
};

void config_defaults(struct config *config);
/*
 * Adds the settings of a text: `key = value` lines with # comments (a file, where `name` is its
 * name), or blank-separated key=value words with double quotes (the command line). A value given
 * later replaces an earlier source's; the same key twice in one source is an error unless the key
 * is repeatable. 0, or -EINVAL with *error filled.
 */
int config_parse_file(struct config *config, const char *name, const char *text, size_t length,
                      struct config_error *error);
int config_parse_words(struct config *config, const char *name, const char *text, size_t length,
                       struct config_error *error);

#endif
