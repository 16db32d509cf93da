/* SPDX-License-Identifier: BSD-2-Clause */
/* Why firmware tables were refused: one sentence for the person at the console. */
#ifndef KERNEL_ACPI_ERROR_H
#define KERNEL_ACPI_ERROR_H

struct acpi_error {
    char message[200];
};

/* Stores the sentence and returns `error`, so that a parser can say `return acpi_fail(...)`. */
int acpi_fail(struct acpi_error *to, int error, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

#endif
