/* SPDX-License-Identifier: BSD-2-Clause */
/* A report of the state of the IOMMUs, as the kernel tells it. */
#ifndef TESTS_UNIT_IOMMU_REPORT_FIXTURE_H
#define TESTS_UNIT_IOMMU_REPORT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/iommu/snapshot.h"
#include "kernel/lib/error.h"
#include "kernel/lib/json.h"
#include "tests/unit/iommu_machine.h"

static char told[8 * MIB];
static size_t told_length;

static inline void json_write(void *context, const char *text, size_t length)
{
    assert_true(told_length + length < sizeof(told));
    memcpy(told + told_length, text, length);
    told_length += length;
    told[told_length] = 0;
}

/* The report, as the kernel writes it. */
static inline void report(void)
{
    struct json json;

    told_length = 0;
    json_init(&json, json_write, NULL);
    json_object(&json, NULL);
    iommu_report(&json);
    json_end_object(&json);
    assert_int_equal(json.depth, 0);
}

static inline unsigned times_told(const char *what)
{
    unsigned times = 0;

    for (const char *at = strstr(told, what); at; at = strstr(at + 1, what))
        times++;
    return times;
}

static inline void end(struct iommu_domain *domain)
{
    assert_int_equal(iommu_detach(domain, machine_requester(DEVICE)), 0);
    iommu_domain_destroy(domain);
}

#endif
