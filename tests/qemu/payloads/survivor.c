/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A device that keeps what its former owner told it: edu is given back with a transfer armed, and
 * taken again by an owner who has other memory. No reset clears its registers, so it is then told
 * to go on, too. usage: survivor ADDRESS HOW, where HOW is "elsewhere" or, for who maps the former
 * owner's memory there again and so must see it written, "again".
 */
#include "edu.h"

#define FORMER IO_START
#define LATTER (IO_START + 16 * PAGE)

enum {
    IO_START = 0x40000000,
    BYTES = 64,
    ARMED_MS = 100, /* from the command to the transfer */
};

static void nap(unsigned ms)
{
    const struct timespec pause = {0, 1000000L * ms};

    nanosleep(&pause, NULL);
}

static uint8_t *new_memory(void)
{
    uint8_t *memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    must(memory != MAP_FAILED, "memory");
    memset(memory, 0xa5, PAGE);
    return memory;
}

static void map(const uint8_t *memory, uint64_t iova)
{
    must(!dma_map(0, iova, memory, PAGE, READ | WRITE), "MAP_DMA");
}

static const char *state_of(const uint8_t *memory)
{
    for (unsigned i = 0; i < PAGE; i++)
        if (memory[i] != 0xa5)
            return "written to";
    return "untouched";
}

static void arm(void)
{
    *(volatile uint64_t *)(registers + EDU_SOURCE) = EDU_BUFFER;
    *(volatile uint64_t *)(registers + EDU_TARGET) = FORMER;
    *(volatile uint64_t *)(registers + EDU_COUNT) = BYTES;
    *(volatile uint64_t *)(registers + EDU_COMMAND) = EDU_TO_MEMORY | EDU_RUN;
}

/* Nobody has told this owner's device where to write. */
static void go_on(void)
{
    *(volatile uint64_t *)(registers + EDU_COMMAND) = EDU_TO_MEMORY | EDU_RUN;
    nap(2 * ARMED_MS);
}

int main(int argc, char **argv)
{
    bool again = argc == 3 && strcmp(argv[2], "again") == 0;
    uint8_t *former = new_memory(), *latter = new_memory();

    edu_open("type1", argv[1]);
    map(former, FORMER);
    arm();
    edu_close();
    edu_open("type1", argv[1]);
    map(latter, LATTER);
    if (again)
        map(former, FORMER);
    nap(2 * ARMED_MS);
    printf("survivor: the device %s where to write\n",
           *(volatile uint64_t *)(registers + EDU_TARGET) == FORMER ? "remembers" : "forgot");
    printf("survivor: behind the transfer that was armed, the former owner's memory is %s\n",
           state_of(former));
    go_on();
    printf("survivor: told to go on, the former owner's memory is %s\n", state_of(former));
    printf("survivor: the latter's memory is %s\n", state_of(latter));
    return 0;
}
