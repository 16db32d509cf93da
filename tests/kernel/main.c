/* SPDX-License-Identifier: BSD-2-Clause */
/* Which test the test kernel makes, and when: the linker puts this in front of payload_load(). */
#include "tests/kernel/internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"
#include "kernel/linux/program/payload.h"
#include "kernel/machine/config/config.h"

static const struct {
    const char *name;
    int (*make)(struct refusal *why);
} tests[] = {
    {"iommu", test_iommu}, {"lines", test_lines}, {"threads", test_threads},
    {"panic", test_panic}, {"fault", test_fault}, {"overflow", test_overflow},
};

static int make_test(const char *name, struct refusal *why)
{
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        if (strcmp(tests[i].name, name) == 0)
            return tests[i].make(why);
    }
    return refuse(why, -EINVAL, "there is no test '%s'", name);
}

/* Names of the linker's option --wrap: the real function, and what callers get instead of it. */
int __real_payload_load(const void *archive, uint64_t size, const struct config *config,
                        struct refusal *why);
int __wrap_payload_load(const void *archive, uint64_t size, const struct config *config,
                        struct refusal *why);

int __wrap_payload_load(const void *archive, uint64_t size, const struct config *config,
                        struct refusal *why)
{
    static struct config rest; /* without the name of the test, which is not for the payload */

    if (!config->arg_count)
        return refuse(why, -EINVAL, "the payload's first argument must name a test");
    rest = *config;
    rest.arg_count--;
    memmove(rest.args, rest.args + 1, rest.arg_count * sizeof(rest.args[0]));
    int error = make_test(config->args[0], why);
    return error ? error : __real_payload_load(archive, size, &rest, why);
}
