/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One description for two readers: as members of the report (kernel/lib/json.h), or in words, as a
 * text under /sys. Each call says something in both ways, of which the teller's reader hears one.
 */
#ifndef KERNEL_IOMMU_TELLER_H
#define KERNEL_IOMMU_TELLER_H

#include "kernel/lib/format.h"
#include "kernel/lib/json.h"

struct teller {
    struct json *json; /* one of the two; the other is NULL */
    struct text *text;
};

/* For the text alone. */
#define tell_words(to, ...) ((to)->text ? text_printf((to)->text, __VA_ARGS__) : (void)0)

/* For the report alone: brackets. */
#define tell_object(to, key) ((to)->json ? json_object((to)->json, key) : (void)0)
#define tell_array(to, key)  ((to)->json ? json_array((to)->json, key) : (void)0)
#define tell_end_object(to)  ((to)->json ? json_end_object((to)->json) : (void)0)
#define tell_end_array(to)   ((to)->json ? json_end_array((to)->json) : (void)0)

/*
 * A member with its key (as json.h: NULL inside arrays), or the words with the value behind them;
 * words NULL: for the report alone.
 */
void tell_string(const struct teller *to, const char *key, const char *words, const char *value);
void tell_uint(const struct teller *to, const char *key, const char *words, uint64_t value);
void tell_hex(const struct teller *to, const char *key, const char *words, uint64_t value);
void tell_bool(const struct teller *to, const char *key, const char *words, bool value);

#endif
