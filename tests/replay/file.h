/* SPDX-License-Identifier: BSD-2-Clause */
/* A file of ./bulkhead collect (docs/hardware.md has its format), read and checked. */
#ifndef TESTS_REPLAY_FILE_H
#define TESTS_REPLAY_FILE_H

#include "kernel/lib/types.h"

#define REPLAY_TABLES_MAX    16
#define REPLAY_TABLE_MAX     MIB
#define REPLAY_UNITS_MAX     512
#define REPLAY_RANGES_MAX    4096
#define REPLAY_FUNCTIONS_MAX 4096
#define REPLAY_BARS          13 /* 0 to 5, the expansion ROM, 0 to 5 of virtual functions */

struct replay_table {
    char name[5];
    uint32_t length;
    uint8_t *bytes;
};

struct replay_unit {
    paddr_t base;
    uint32_t version;
    uint64_t cap, ecap;
};

enum replay_kind {
    REPLAY_RAM,
    REPLAY_RESERVED, /* whatever else the firmware's map calls it */
};

struct replay_range {
    paddr_t base;
    uint64_t length;
    enum replay_kind kind;
};

struct replay_function {
    uint16_t segment, rid;
    unsigned size; /* of the configuration space that was collected */
    uint8_t config[4096];
    uint64_t bars[REPLAY_BARS]; /* sizes */
};

struct replay_file {
    struct replay_table tables[REPLAY_TABLES_MAX];
    size_t table_count;
    struct replay_unit units[REPLAY_UNITS_MAX];
    size_t unit_count;
    struct replay_range ranges[REPLAY_RANGES_MAX];
    size_t range_count;
    struct replay_function *functions[REPLAY_FUNCTIONS_MAX]; /* in order */
    size_t function_count;
    bool lacks_tables, lacks_config, lacks_memory;
};

/* Ends the program with a sentence that names the line if anything is not as it should be. */
void replay_read(const char *name, struct replay_file *out);

#endif
