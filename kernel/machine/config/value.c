/* SPDX-License-Identifier: BSD-2-Clause */
/* From the text of a value to the value: numbers, device selectors, ranges, words. */
#include "kernel/machine/config/internal.h"

#include "kernel/lib/digit.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/pci/pci.h"

/* Powers of 1024 by suffix; -1 if the character is none. */
static int suffix_shift(char c)
{
    static const char letters[] = "KMGT";
    const char *found = c ? strchr(letters, c) : NULL;

    return found ? 10 * (int)(found - letters + 1) : -1;
}

int config_number(const char *text, char end, bool suffixes, uint64_t *out)
{
    unsigned base = text[0] == '0' && text[1] == 'x' ? 16 : 10;
    const char *at = base == 16 ? text + 2 : text;
    const char *first = at;
    uint64_t value = 0;
    bool overflow = false;

    for (; digit_value(*at) < base; at++) {
        overflow |= __builtin_mul_overflow(value, base, &value);
        overflow |= __builtin_add_overflow(value, digit_value(*at), &value);
    }
    if (at == first)
        return -EINVAL;
    int shift = suffixes ? suffix_shift(*at) : -1;
    if (shift > 0) {
        overflow |= __builtin_mul_overflow(value, BIT(shift), &value);
        at++;
    }
    if (*at != end)
        return -EINVAL;
    if (overflow)
        return -ERANGE;
    *out = value;
    return 0;
}

/* Exactly `digits` hexadecimal digits; NULL if there are not that many, else what follows them. */
static const char *hex_field(const char *at, unsigned digits, unsigned *out)
{
    unsigned value = 0;

    for (; digits; digits--, at++) {
        if (digit_value(*at) == 16)
            return NULL;
        value = value << 4 | digit_value(*at);
    }
    *out = value;
    return at;
}

/* "DD.F"; NULL if it is none, else what follows it. */
static const char *device_function(const char *at, uint8_t *out)
{
    unsigned device, function;

    at = hex_field(at, 2, &device);
    if (!at || *at != '.')
        return NULL;
    at = hex_field(at + 1, 1, &function);
    if (!at || device > 31 || function > 7)
        return NULL;
    *out = (uint8_t)(device << 3 | function);
    return at;
}

int config_function(const char *text, uint64_t *out)
{
    uint8_t function = 0;
    const char *end = device_function(text, &function);

    *out = CONFIG_GIVEN | function;
    return end && !*end ? 0 : -EINVAL;
}

/* "BB:DD.F" and any number of "/DD.F" behind it. */
static bool address(const char *at, struct pci_selector *out)
{
    unsigned bus = 0;
    uint8_t devfn = 0;

    at = hex_field(at, 2, &bus);
    if (!at || *at != ':')
        return false;
    at = device_function(at + 1, &devfn);
    while (at && *at == '/') {
        if (out->path_length == PCI_PATH_MAX)
            return false;
        at = device_function(at + 1, &out->path[out->path_length++]);
    }
    out->by = PCI_BY_ADDRESS;
    out->rid = (uint16_t)(bus << 8 | devfn);
    return at && !*at;
}

/* Nothing, or "#N": the N-th of those that match. */
static bool number_behind(const char *at, struct pci_selector *out)
{
    uint64_t number = 0;
    bool given = *at == '#';

    if (given && (config_number(at + 1, 0, false, &number) || !number || number > UINT16_MAX))
        return false;
    out->number = (uint16_t)number;
    return given || !*at;
}

/* "CCSS" or "CCSSII": base class, subclass, interface. */
static bool class_code(const char *at, struct pci_selector *out)
{
    unsigned code = 0, interface = 0;
    const char *longer;

    at = hex_field(at, 4, &code);
    longer = at ? hex_field(at, 2, &interface) : NULL;
    out->by = PCI_BY_CLASS;
    out->value = code << 8 | (longer ? interface : 0);
    out->mask = longer ? 0xffffff : 0xffff00;
    return at && number_behind(longer ? longer : at, out);
}

bool config_selector(const char *text, struct pci_selector *out)
{
    static const char by_class[] = "class:";
    unsigned first, second;
    const char *at = hex_field(text, 4, &first);

    if (strncmp(text, by_class, sizeof(by_class) - 1) == 0)
        return class_code(text + sizeof(by_class) - 1, out);
    if (!at || *at != ':')
        return address(text, out);
    if (strchr(at, '.')) {
        out->segment = (uint16_t)first;
        return address(at + 1, out);
    }
    at = hex_field(at + 1, 4, &second);
    if (!at)
        return false;
    out->by = PCI_BY_ID;
    out->value = first << 16 | second;
    out->mask = UINT32_MAX;
    return number_behind(at, out);
}

bool config_range(const char *text, struct phys_run *out)
{
    uint64_t end;

    return config_number(text, '+', true, &out->base) == 0 &&
           config_number(strchr(text, '+') + 1, 0, true, &out->length) == 0 && out->length &&
           range_end(out->base, out->length, &end);
}

char *config_split(char *word)
{
    char *equals = strchr(word, '=');

    if (equals)
        *equals++ = 0;
    return equals;
}

int config_unquote(const char **at, const char *end, bool one_word, char *out, size_t size)
{
    const char *p = *at;
    size_t length = 0;
    bool quoted = false;

    for (; p < end && (quoted || !one_word || !config_blank(*p)); p++) {
        if (*p == '"') {
            quoted = !quoted;
            continue;
        }
        if (quoted && *p == '\\' && p + 1 < end && (p[1] == '"' || p[1] == '\\'))
            p++;
        if (length == size - 1)
            return -E2BIG;
        out[length++] = *p;
    }
    out[length] = 0;
    *at = p;
    return quoted ? -EINVAL : 0;
}

int config_word(const char **at, const char *end, char *word, size_t size)
{
    int error;

    while (*at < end && config_blank(**at))
        (*at)++;
    if (*at == end)
        return 0;
    error = config_unquote(at, end, true, word, size);
    return error ? error : 1;
}
