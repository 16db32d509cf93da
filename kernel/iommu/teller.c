/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/iommu/teller.h"

#define TELL(kind, type, format)                                                                   \
    void tell_##kind(const struct teller *to, const char *key, const char *words, type value)      \
    {                                                                                              \
        if (to->json)                                                                              \
            json_##kind(to->json, key, value);                                                     \
        else if (words)                                                                            \
            text_printf(to->text, "%s" format, words, value);                                      \
    }
TELL(string, const char *, "%s")
TELL(uint, uint64_t, "%lu")
TELL(hex, uint64_t, "0x%lx")
TELL(bool, bool, "%u")
