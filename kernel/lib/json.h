/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A JSON writer for the report: streams to a byte sink, keeps commas and nesting right. Pass NULL
 * as the key inside arrays.
 */
#ifndef KERNEL_LIB_JSON_H
#define KERNEL_LIB_JSON_H

#include "kernel/lib/types.h"

struct json {
    void (*write)(void *context, const char *text, size_t length);
    void *context;
    unsigned depth;
    uint64_t comma; /* bit n: level n already has an element */
};

void json_init(struct json *j, void (*write)(void *, const char *, size_t), void *context);
void json_object(struct json *j, const char *key);
void json_array(struct json *j, const char *key);
/* Closes the innermost object or array. */
void json_end_object(struct json *j);
void json_end_array(struct json *j);
void json_string(struct json *j, const char *key, const char *value);
void json_uint(struct json *j, const char *key, uint64_t value);
void json_int(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, bool value);
/* A number as a string "0x...", since JSON readers lose 64-bit precision. */
void json_hex(struct json *j, const char *key, uint64_t value);

#endif
