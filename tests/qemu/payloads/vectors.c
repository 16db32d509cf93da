/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device that sends interrupt messages of the old format, which QEMU lets pass: edu writes four
 * bytes to the address of the local APIC. Every vector in every mode that can be survived, while
 * the CPU is in user mode, idle, and in a long call; and two at a time. At the end it spins, for
 * payload-timeout to act.
 *
 * usage: vectors 0000:bb:dd.f chosen|all   ("all": while idle and in a call, too)
 */
#include "edu.h"

#define DATA   0x10000000ull /* IOVA */
#define APIC   0xfee00000ull /* physical destination 0; with bit 2 (logical) it reaches nobody */
#define LARGE  (4u << 20)
#define PERIOD 150000000l /* ns: longer than a transfer takes */

enum mode { FIXED = 0, LOWEST = 1, NMI = 4, EXTINT = 7 };

static volatile uint32_t *data;
static int zeroes;
static char *large;
static unsigned messages, nmis;

/* Three words from the device's buffer on; the one in the middle reaches nobody. */
static void start(unsigned words)
{
    *(volatile uint64_t *)(registers + EDU_SOURCE) = EDU_BUFFER;
    *(volatile uint64_t *)(registers + EDU_TARGET) = APIC;
    *(volatile uint64_t *)(registers + EDU_COUNT) = words * 4;
    *(volatile uint64_t *)(registers + EDU_COMMAND) = EDU_TO_MEMORY | EDU_RUN;
}

static bool running(void)
{
    return *(volatile uint64_t *)(registers + EDU_COMMAND) & EDU_RUN;
}

/* ---- where the CPU is meanwhile ---- */

static void in_user_mode(void)
{
    while (running())
        for (volatile unsigned i = 0; i < 300; i++)
            ;
}

static void idle(void)
{
    const struct timespec pause = {0, PERIOD};

    while (running())
        nanosleep(&pause, NULL);
}

static void in_a_call(void)
{
    while (running())
        must(read(zeroes, large, LARGE) == LARGE, "/dev/zero");
}

static const struct phase {
    const char *name;
    void (*wait)(void);
    bool always_all;
} phases[] = {
    {"user mode", in_user_mode, true},
    {"idle", idle, false},
    {"a call", in_a_call, false},
};

/* ---- messages ---- */

static uint32_t message(enum mode mode, unsigned vector)
{
    messages += mode != NMI;
    nmis += mode == NMI;
    return (uint32_t)mode << 8 | vector;
}

static void send(const struct phase *phase, uint32_t first, uint32_t third, unsigned words)
{
    data[0] = first;
    data[2] = third;
    edu_read(DATA, words * 4);
    start(words);
    phase->wait();
}

static bool chosen(unsigned vector)
{
    return vector < 20 || vector == 31 || vector == 32 || vector == 0x80 || vector == 240 ||
           vector >= 254;
}

static void send_each(const struct phase *phase, bool all)
{
    for (unsigned vector = 0; vector < 256; vector++) {
        if (!all && !phase->always_all && !chosen(vector))
            continue;
        send(phase, message(FIXED, vector), 0, 1);
        send(phase, message(LOWEST, vector), 0, 1);
        if (chosen(vector))
            send(phase, message(EXTINT, vector), 0, 1);
    }
    send(phase, message(NMI, 0), 0, 1);
    send(phase, message(NMI, 2), 0, 1);
}

/* Among them those that share a stack of the kernel's. */
static void send_pairs(const struct phase *phase)
{
    send(phase, message(FIXED, 2), message(NMI, 0), 3);
    send(phase, message(NMI, 0), message(FIXED, 2), 3);
    send(phase, message(FIXED, 8), message(FIXED, 2), 3);
    send(phase, message(FIXED, 18), message(NMI, 0), 3);
    send(phase, message(FIXED, 1), message(FIXED, 14), 3);
    send(phase, message(FIXED, 255), message(FIXED, 3), 3);
    send(phase, message(FIXED, 254), message(FIXED, 255), 3);
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Interrupts still come, and the clock goes on. */
static void check_timers(void)
{
    const struct timespec pause = {0, 50000000};
    uint64_t before = now_ms();

    nanosleep(&pause, NULL);
    uint64_t slept = now_ms() - before;
    must(slept >= 50 && slept < 100, "a sleep of 50 ms");
}

int main(int argc, char **argv)
{
    must(argc == 3, "usage");
    edu_open("type1", argv[1]);
    data = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    large = mmap(NULL, LARGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
                 -1, 0);
    zeroes = open("/dev/zero", O_RDONLY);
    must(data != MAP_FAILED && large != MAP_FAILED && zeroes >= 0, "memory");
    must(!dma_map(0, DATA, (void *)data, PAGE, READ), "map");
    for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
        messages = nmis = 0;
        send_each(&phases[i], strcmp(argv[2], "all") == 0);
        send_pairs(&phases[i]);
        check_timers();
        printf("vectors: %s: %u messages, %u NMIs\n", phases[i].name, messages, nmis);
    }
    for (;;)
        ;
}
