/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The values that switch the machine off (ACPI 7.4.2, the \_S5 object). They are the one thing the
 * kernel wants from AML, and always a constant package, so it is looked for as bytes:
 * NameOp "\_S5_" PackageOp PkgLength NumElements, then integers (ACPI 20.2).
 */
#include "kernel/machine/acpi/acpi.h"

#include "kernel/lib/string.h"

enum {
    AML_ZERO = 0x00,
    AML_ONE = 0x01,
    AML_NAME = 0x08,
    AML_BYTE = 0x0a,
    AML_PACKAGE = 0x12,
    AML_ROOT = '\\',
    SLEEP_TYPE_MAX = 7,
};

/* What is left of the AML being read. */
struct aml {
    const uint8_t *at;
    size_t length;
};

/* The next byte; -1 at the end. */
static int next(struct aml *a)
{
    if (!a->length)
        return -1;
    a->length--;
    return *a->at++;
}

/* An integer that fits a sleep type; -1 if there is none. */
static int next_sleep_type(struct aml *a)
{
    int op = next(a);
    int value = op == AML_BYTE ? next(a) : op;

    if (op != AML_ZERO && op != AML_ONE && op != AML_BYTE)
        return -1;
    return value <= SLEEP_TYPE_MAX ? value : -1;
}

/* Bits 7:6 of a package length's first byte tell how many bytes follow it. */
static bool skip_package_length(struct aml *a)
{
    int first = next(a);

    for (int more = first >> 6; first >= 0 && more > 0; more--)
        if (next(a) < 0)
            return false;
    return first >= 0;
}

static bool read_package(struct aml a, uint8_t types[2])
{
    int first, second;

    if (next(&a) != AML_PACKAGE || !skip_package_length(&a) || next(&a) < 2)
        return false;
    first = next_sleep_type(&a);
    second = next_sleep_type(&a);
    if (first < 0 || second < 0)
        return false;
    types[0] = (uint8_t)first;
    types[1] = (uint8_t)second;
    return true;
}

bool acpi_parse_soft_off(const uint8_t *aml, size_t length, uint8_t types[2])
{
    for (size_t i = 1; length >= 4 && i <= length - 4; i++) {
        bool named =
            aml[i - 1] == AML_NAME || (i > 1 && aml[i - 1] == AML_ROOT && aml[i - 2] == AML_NAME);

        if (named && memcmp(aml + i, "_S5_", 4) == 0 &&
            read_package((struct aml){aml + i + 4, length - i - 4}, types))
            return true;
    }
    return false;
}
