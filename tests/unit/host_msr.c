/* SPDX-License-Identifier: BSD-2-Clause */
#define _GNU_SOURCE
#include "tests/unit/host_msr.h"
#include <assert.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

static void fault(int number, siginfo_t *info, void *context)
{
    static const uint8_t rdmsr[] = {0x0f, 0x32}, wrmsr[] = {0x0f, 0x30};
    greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
    const void *at = (const void *)r[REG_RIP];
    uint32_t msr = (uint32_t)r[REG_RCX];

    if (memcmp(at, rdmsr, sizeof(rdmsr)) == 0) {
        uint64_t value = host_msr_read(msr);

        r[REG_RAX] = (uint32_t)value;
        r[REG_RDX] = (greg_t)(value >> 32);
    } else if (memcmp(at, wrmsr, sizeof(wrmsr)) == 0) {
        host_msr_write(msr, (uint64_t)r[REG_RDX] << 32 | (uint32_t)r[REG_RAX]);
    } else {
        abort();
    }
    r[REG_RIP] += 2;
}

void host_msr_start(void)
{
    struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO | SA_NODEFER};

    assert(sigaction(SIGSEGV, &action, NULL) == 0);
}
