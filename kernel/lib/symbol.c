/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/symbol.h"
#include "kernel/lib/image.h"

/* Written by tools/symbols.awk: sorted by address, the names behind it. */
struct symbol {
    uint32_t address; /* low half: the image lies in the top 2 GiB */
    uint32_t name;    /* from symbol_names */
};

/* Absent in the first of the two links. */
extern const struct symbol symbol_table[] __attribute__((weak));
extern const struct symbol symbol_table_end[] __attribute__((weak));
extern const char symbol_names[] __attribute__((weak));

const char *symbol_find(uint64_t address, uint64_t *offset)
{
    size_t low = 0;
    size_t high = (size_t)(symbol_table_end - symbol_table);
    uint32_t wanted = (uint32_t)address;

    if (address < IMAGE_BASE || address >= (uintptr_t)image_text_end)
        return NULL;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (symbol_table[middle].address <= wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low)
        return NULL;
    *offset = wanted - symbol_table[low - 1].address;
    return symbol_names + symbol_table[low - 1].name;
}
