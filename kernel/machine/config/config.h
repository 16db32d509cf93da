/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: one table of keys (kernel/machine/config/keys.c) for the text of bulkhead.conf
 * and for the command line. Deny by default: what is not in the table is an error.
 */
#ifndef KERNEL_MACHINE_CONFIG_CONFIG_H
#define KERNEL_MACHINE_CONFIG_CONFIG_H

#include "kernel/lib/types.h"
#include "kernel/pci/selector.h"

#define CONFIG_DEVICES_MAX     64
#define CONFIG_LEAVES_MAX      8
#define CONFIG_REACH_MAX       8
#define CONFIG_UNPROTECTED_MAX 32
#define CONFIG_ARGS_MAX        64
#define CONFIG_KEEP_OUT_MAX    16
#define CONFIG_TEXT_MAX        8192
#define CONFIG_UNLIMITED       UINT64_MAX
#define CONFIG_GIVEN           0x100u /* beside 8 bits: they were given */

/* Who serves the FPGA port interface for a device. */
enum config_afu {
    CONFIG_AFU_NONE,
    CONFIG_AFU_DFL,
    CONFIG_AFU_EDU,
};

#define CONFIG_DFL_BAR_KNOWN 6

/* One assigned device. */
struct config_device {
    struct pci_selector selector;
    bool uio;        /* make /dev/uioN for it */
    bool dma_memory; /* mmap of /dev/uioN may create buffers for DMA */
    enum config_afu afu;
    bool raw_config;  /* the payload may write configuration space that no table names */
    unsigned intx;    /* interrupt that its INTx pin reaches; 0: as the chipset wires it */
    uint16_t alias;   /* 7:0 of an id that it also sends with, and CONFIG_GIVEN; 0: none */
    unsigned vfs;     /* virtual functions to enable, which are assigned, too */
    unsigned dfl_bar; /* where its feature list starts; CONFIG_DFL_BAR_KNOWN: as usual for it */
};

/* A device that stays as the firmware left it. */
struct config_leave {
    struct pci_selector selector;
    struct phys_run reach[CONFIG_REACH_MAX]; /* all that its DMA may reach; kept out of all else */
    size_t reach_count;
};

enum config_exit {
    CONFIG_EXIT_HALT,
    CONFIG_EXIT_RESTART,
    CONFIG_EXIT_POWEROFF,
    CONFIG_EXIT_RESTART_PAYLOAD,
};

enum config_output {
    CONFIG_OUTPUT_CONSOLE,
    CONFIG_OUTPUT_STREAM,
};

enum config_show {
    CONFIG_SHOW_NOTHING,
    CONFIG_SHOW_DEVICES,
};

enum config_fault {
    CONFIG_FAULT_LOG,
    CONFIG_FAULT_STOP_DEVICE,
    CONFIG_FAULT_KILL_PAYLOAD,
};

struct config {
    struct config_device devices[CONFIG_DEVICES_MAX];
    size_t device_count;
    struct config_leave leaves[CONFIG_LEAVES_MAX];
    size_t leave_count;
    struct pci_selector unprotected[CONFIG_UNPROTECTED_MAX]; /* no IOMMU serves them */
    size_t unprotected_count;
    const char *payload_name;          /* argv[0] of the payload; NULL: not given */
    const char *args[CONFIG_ARGS_MAX]; /* argv[1]... of the payload */
    size_t arg_count;
    const char *env[CONFIG_ARGS_MAX]; /* "NAME=value" */
    size_t env_count;
    struct phys_run keep_out[CONFIG_KEEP_OUT_MAX]; /* RAM the kernel leaves alone */
    size_t keep_out_count;
    uint64_t memlock;       /* bytes the payload may pin; CONFIG_UNLIMITED */
    uint64_t memory_limit;  /* bytes of RAM to use; 0: all */
    struct phys_run memory; /* where that RAM is; length 0: anywhere */
    unsigned log_level;     /* enum log_level */
    uint16_t console_port;  /* I/O port of the serial console; 0: as SPCR says, else 0x3f8 */
    uint16_t report_port;   /* I/O port the JSON report is written to bytewise; 0: none */
    uint16_t stream_port;   /* I/O port of the stream for the host; 0: none */
    uint8_t trace;          /* enum trace_class */
    uint64_t out_limit;     /* bytes of files under /out that are sent to it; 0: none */
    uint64_t crash_limit;   /* bytes of a crashed payload's memory that are; 0: nothing of it */
    enum config_output output;
    unsigned input;    /* enum input_source */
    unsigned terminal; /* enum console_terminal */
    uint16_t terminal_rows, terminal_columns;
    uint16_t exit_port; /* QEMU's isa-debug-exit; 0: none */
    bool unsafe_interrupts;
    bool ats;                    /* devices may cache translations */
    uint32_t invalidation_queue; /* entries of each; whether a power of two, kernel/iommu checks */
    uint32_t interrupt_entries;
    enum config_show show; /* what to show in place of starting a payload */
    enum config_exit on_exit;
    uint32_t restart_limit;            /* restarts of the payload in a row; UINT32_MAX: no limit */
    uint32_t restart_delay;            /* seconds before the first of them */
    enum config_exit on_restart_limit; /* what follows the last one; not RESTART_PAYLOAD */
    enum config_fault on_dma_fault;
    uint64_t fault_threshold;   /* faults of one device before on_dma_fault acts */
    uint64_t payload_timeout;   /* seconds; 0: none */
    char text[CONFIG_TEXT_MAX]; /* storage behind the strings above */
    size_t text_used;
};

struct config_error {
    char message[200]; /* "bulkhead.conf:3: unknown key 'devise', did you mean 'device'?" */
};

/* Every key at the default that the table gives it; nothing selected. */
void config_defaults(struct config *config);
/*
 * Adds the settings of a text: `key = value` lines with # comments (a file, where `name` is its
 * name), or blank-separated key=value words with double quotes (the command line). A value given
 * later replaces an earlier source's, repeatable keys add to it; the same key twice in one source
 * is an error unless the key is repeatable. Syntax: docs/configuration.md. The text may hold any
 * bytes and need not be terminated.
 *
 * 0, or -EINVAL with *error telling the first mistake. All other settings of the text are still
 * taken, so that a caller who refuses to start knows the console and the exit port to say it on.
 */
int config_parse_file(struct config *config, const char *name, const char *text, size_t length,
                      struct config_error *error);
int config_parse_words(struct config *config, const char *name, const char *text, size_t length,
                       struct config_error *error);

#endif
