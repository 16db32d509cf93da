/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/ioas/ioas.h"
#include "kernel/lib/log.h"

#define TOLD_EVERY_NS UINT64_C(60000000000)

static void tell_refusal(const struct ioas_account *account, uint64_t bytes)
{
    static struct log_limit limit = {.window_ns = TOLD_EVERY_NS, .burst = 1};

    if (!log_admit(&limit))
        return;
    log_warn("%lu more bytes cannot be pinned or locked: %lu are, and the limit is %lu (the key "
             "'memlock', setrlimit)",
             bytes, account->used, account->limit);
    if (limit.suppressed)
        log_warn("the same was refused %lu more times since it was last told", limit.suppressed);
    limit.suppressed = 0;
}

bool ioas_account_allows(const struct ioas_account *account, uint64_t bytes)
{
    if (account->used <= account->limit && bytes <= account->limit - account->used)
        return true;
    tell_refusal(account, bytes);
    return false;
}
