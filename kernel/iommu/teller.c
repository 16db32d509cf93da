/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/iommu/teller.h"

void tell_string(const struct teller *to, const char *key, const char *words, const char *value)
{
    if (to->json)
        json_string(to->json, key, value);
    else if (words)
        text_printf(to->text, "%s%s", words, value);
}

void tell_uint(const struct teller *to, const char *key, const char *words, uint64_t value)
{
    if (to->json)
        json_uint(to->json, key, value);
    else if (words)
        text_printf(to->text, "%s%lu", words, value);
}

void tell_hex(const struct teller *to, const char *key, const char *words, uint64_t value)
{
    if (to->json)
        json_hex(to->json, key, value);
    else if (words)
        text_printf(to->text, "%s0x%lx", words, value);
}

void tell_bool(const struct teller *to, const char *key, const char *words, bool value)
{
    if (to->json)
        json_bool(to->json, key, value);
    else if (words)
        text_printf(to->text, "%s%u", words, value);
}
