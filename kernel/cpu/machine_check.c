/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/cpu/machine_check.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/format.h"
#include "kernel/lib/log.h"

#define MSR_MCG_CAP    0x179
#define MSR_MCG_STATUS 0x17a
#define MSR_MCG_CTL    0x17b
#define MSR_BANKS      0x400 /* four for each */

enum bank_register { BANK_CTL, BANK_STATUS, BANK_ADDR, BANK_MISC };

#define MCG_CAP_CTL BIT(8) /* there is MCG_CTL */
#define BANKS_MAX   32u    /* beyond are other registers */
#define ALL         UINT64_MAX

#define STATUS_VALID   BIT(63)
#define STATUS_MISC    BIT(59)
#define STATUS_ADDRESS BIT(58)

/* ---- what a status says (SDM volume 3, 17.9; IA32_MCi_STATUS in 16.3.2.2) ---- */

static const struct {
    uint64_t bit;
    const char *set, *clear;
} flags[] = {
    {BIT(61), "uncorrected", "corrected"},
    {BIT(60), "", ", not enabled"},
    {BIT(62), ", overflow: others are lost", ""},
    {BIT(57), ", processor context corrupt", ""},
};

static const char *const levels[] = {"level 0", "level 1", "level 2", "any level"};
static const char *const kinds[] = {"instruction", "data", "any kind", NULL};
static const char *const requests[16] = {
    "any request",       "read",     "write",    "data read", "data write",
    "instruction fetch", "prefetch", "eviction", "snoop",
};
static const char *const places[] = {"memory", NULL, "I/O", "elsewhere"};
static const char *const roles[] = {"this CPU asked", "this CPU answered", "this CPU looked on",
                                    "any role"};
static const char *const time_outs[] = {"no time-out", "time-out"};
static const char *const works[8] = {"any work", "read", "write", "address or command",
                                     "scrubbing"};
static const char *const channels[16] = {[15] = "channel unknown"};

enum part { NONE, LEVEL, KIND, REQUEST, PLACE, CHANNEL, WORK, TIME_OUT, ROLE };
#define PARTS_MAX 5

/* Where in the code a part is, and its words; its name and the number where there is no word. */
static const struct {
    uint8_t shift, bits;
    const char *const *words;
    const char *name;
} parts[] = {
    [LEVEL] = {0, 2, levels, "level"},          [KIND] = {2, 2, kinds, "kind"},
    [REQUEST] = {4, 4, requests, "request"},    [PLACE] = {2, 2, places, "place"},
    [CHANNEL] = {0, 4, channels, "channel"},    [WORK] = {4, 3, works, "work"},
    [TIME_OUT] = {8, 1, time_outs, "time-out"}, [ROLE] = {9, 2, roles, "role"},
};

/* The first row that fits counts. Bit 12 says how corrected errors are counted. */
static const struct {
    uint16_t mask, value;
    const char *name;
    enum part parts[PARTS_MAX];
} codes[] = {
    {0xffff, 0x0000, "no error", {NONE}},
    {0xffff, 0x0001, "an error of no class", {NONE}},
    {0xffff, 0x0002, "parity of the microcode's memory", {NONE}},
    {0xffff, 0x0003, "another CPU's error", {NONE}},
    {0xffff, 0x0004, "redundant CPUs differ", {NONE}},
    {0xffff, 0x0005, "internal parity", {NONE}},
    {0xffff, 0x0006, "code outside of SMM's memory, in SMM", {NONE}},
    {0xffff, 0x0400, "internal timer", {NONE}},
    {0xffff, 0x0e0b, "I/O", {NONE}},
    {0xfc00, 0x0400, "internal", {NONE}},
    {0xeffc, 0x000c, "cache", {LEVEL}},
    {0xeff0, 0x0010, "TLB", {KIND, LEVEL}},
    {0xef80, 0x0080, "memory controller", {WORK, CHANNEL}},
    {0xef00, 0x0100, "cache", {REQUEST, KIND, LEVEL}},
    {0xef80, 0x0280, "memory as cache", {WORK, CHANNEL}},
    {0xe800, 0x0800, "bus or interconnect", {ROLE, TIME_OUT, REQUEST, PLACE, LEVEL}},
    {0x0000, 0x0000, "unknown", {NONE}},
};

static void write_part(struct text *t, enum part part, uint64_t status)
{
    uint64_t value = (status >> parts[part].shift) & (BIT(parts[part].bits) - 1);

    if (parts[part].words[value])
        text_printf(t, ", %s", parts[part].words[value]);
    else
        text_printf(t, ", %s %lu", parts[part].name, value);
}

static void write_words(struct text *t, uint64_t status)
{
    size_t row = 0;

    for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
        text_printf(t, "%s", status & flags[i].bit ? flags[i].set : flags[i].clear);
    while ((status & codes[row].mask) != codes[row].value)
        row++;
    text_printf(t, ": %s", codes[row].name);
    for (size_t i = 0; i < PARTS_MAX && codes[row].parts[i] != NONE; i++)
        write_part(t, codes[row].parts[i], status);
}

/* ---- the banks ---- */

static uint32_t bank_msr(unsigned bank, enum bank_register r)
{
    return MSR_BANKS + 4 * bank + r;
}

static unsigned bank_count(void)
{
    if (!cpu_features.mca)
        return 0;
    return MIN((unsigned)bits_get(msr_read(MSR_MCG_CAP), 7, 0), BANKS_MAX);
}

/*
 * Has the bank something to say, and if so what. Its address and what else there is only where the
 * status says so: other reads may fault.
 */
static bool tell_bank(enum log_level level, const char *what, unsigned bank)
{
    char buffer[200];
    struct text words;
    uint64_t status = msr_read(bank_msr(bank, BANK_STATUS)), address, misc;

    if (!(status & STATUS_VALID))
        return false;
    address = status & STATUS_ADDRESS ? msr_read(bank_msr(bank, BANK_ADDR)) : 0;
    misc = status & STATUS_MISC ? msr_read(bank_msr(bank, BANK_MISC)) : 0;
    text_init(&words, buffer, sizeof(buffer));
    write_words(&words, status);
    log_print(level, "%s in bank %u: %s (status %016lx, address %lx, misc %lx)", what, bank, buffer,
              status, address, misc);
    return true;
}

/* Family 6 up to Core 2: the control register of bank 0 is not for software (17.5). */
static bool may_control(unsigned bank)
{
    uint32_t signature = cpu_features.signature;

    return bank || bits_get(signature, 11, 8) != 6 || signature >= 0x106a0;
}

void machine_check_start(void)
{
    if (cpu_features.mca && msr_read(MSR_MCG_CAP) & MCG_CAP_CTL)
        msr_write(MSR_MCG_CTL, ALL);
    for (unsigned i = 0; i < bank_count(); i++) {
        if (may_control(i))
            msr_write(bank_msr(i, BANK_CTL), ALL);
        tell_bank(LOG_WARN, "the firmware left a machine check", i);
        msr_write(bank_msr(i, BANK_STATUS), 0);
    }
}

void machine_check_tell(void)
{
    unsigned told = 0;

    for (unsigned i = 0; i < bank_count(); i++)
        told += tell_bank(LOG_ERROR, "machine check", i);
    if (cpu_features.mca)
        log_error("machine check: %u banks tell of one, status of the CPU %lx", told,
                  msr_read(MSR_MCG_STATUS));
}
