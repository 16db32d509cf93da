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
void tell_object(const struct teller *to, const char *key);
void tell_array(const struct teller *to, const char *key);
void tell_end_object(const struct teller *to);
void tell_end_array(const struct teller *to);

/*
 * A member with its key (as json.h: NULL inside arrays), or the words with the value behind them;
 * words NULL: for the report alone.
 */
void tell_string(const struct teller *to, const char *key, const char *words, const char *value);
void tell_uint(const struct teller *to, const char *key, const char *words, uint64_t value);
void tell_hex(const struct teller *to, const char *key, const char *words, uint64_t value);
void tell_bool(const struct teller *to, const char *key, const char *words, bool value);

#endif
