/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * afu-model: the software FPGA as a peer of QEMU's ivshmem-doorbell device.
 *
 *   afu-model --socket PATH --memory FILE --monitor PATH --id NAME [--mode MODE] [--seconds N]
 *
 * Listens on the socket. QEMU connects with
 *   -chardev socket,id=afu,path=SOCKET -device ivshmem-doorbell,chardev=afu,vectors=8,id=NAME
 * keeps the guest's memory where the card reaches it
 *   -object memory-backend-file,id=ram,share=on,mem-path=FILE,size=... -machine memory-backend=ram
 * and answers on a control socket
 *   -qmp unix:MONITOR,server=on,wait=off
 * The file must be there, in full size, when QEMU connects. Exits when QEMU goes away, or after N
 * seconds (600 unless told).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "card.h"

#define TURN_NS     50000
#define SECONDS_MAX 86400
#define PEER_HOST   0
#define PEER_GUEST  1

struct options {
    const char *socket, *memory, *monitor, *id;
    enum card_mode mode;
    unsigned seconds;
};

struct peer {
    int connection;
    int memory;
    int host[CARD_VECTORS];  /* the guest's doorbell rings these */
    int guest[CARD_VECTORS]; /* writing these raises the guest's MSI-X */
};

static int usage(const char *why)
{
    fprintf(stderr,
            "afu-model: %s\nusage: afu-model --socket PATH --memory FILE --monitor PATH --id NAME "
            "[--mode MODE] [--seconds N]\nmodes:",
            why);
    for (unsigned i = 0; card_mode_name(i); i++)
        fprintf(stderr, " %s", card_mode_name(i));
    fprintf(stderr, "\n");
    return 2;
}

static bool parse_mode(const char *text, enum card_mode *out)
{
    for (unsigned i = 0; card_mode_name(i); i++) {
        if (strcmp(text, card_mode_name(i)) == 0) {
            *out = (enum card_mode)i;
            return true;
        }
    }
    return false;
}

static bool parse_seconds(const char *text, unsigned *out)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value == 0 || value > SECONDS_MAX)
        return false;
    *out = (unsigned)value;
    return true;
}

static const char *parse_option(struct options *o, const char *name, const char *value)
{
    const struct {
        const char *name;
        const char **value;
    } texts[] = {
        {"--socket", &o->socket},
        {"--memory", &o->memory},
        {"--monitor", &o->monitor},
        {"--id", &o->id},
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (strcmp(name, texts[i].name) == 0) {
            *texts[i].value = value;
            return NULL;
        }
    }
    if (strcmp(name, "--mode") == 0)
        return parse_mode(value, &o->mode) ? NULL : "there is no such mode";
    if (strcmp(name, "--seconds") == 0)
        return parse_seconds(value, &o->seconds) ? NULL
                                                 : "--seconds takes a whole number from 1 to 86400";
    return "unknown option";
}

static const char *parse(int argc, char **argv, struct options *o)
{
    for (int i = 1; i < argc; i += 2) {
        const char *wrong =
            i + 1 < argc ? parse_option(o, argv[i], argv[i + 1]) : "an option lacks its value";

        if (wrong)
            return wrong;
    }
    return o->socket && o->memory && o->monitor && o->id
               ? NULL
               : "--socket, --memory, --monitor and --id are needed";
}

/* One message of the ivshmem server protocol: a number, and maybe a descriptor. */
static bool send_number(int connection, int64_t number, int descriptor)
{
    char control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec data = {&number, sizeof(number)};
    struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};

    if (descriptor >= 0) {
        message.msg_control = control;
        message.msg_controllen = sizeof(control);
        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &descriptor, sizeof(int));
    }
    return sendmsg(connection, &message, MSG_NOSIGNAL) == (ssize_t)sizeof(number);
}

static bool introduce(const struct peer *p)
{
    bool ok = send_number(p->connection, 0, -1) && send_number(p->connection, PEER_GUEST, -1) &&
              send_number(p->connection, -1, p->memory);

    for (unsigned v = 0; ok && v < CARD_VECTORS; v++)
        ok = send_number(p->connection, PEER_HOST, p->host[v]);
    for (unsigned v = 0; ok && v < CARD_VECTORS; v++)
        ok = send_number(p->connection, PEER_GUEST, p->guest[v]);
    return ok;
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (s < 0 || strlen(path) >= sizeof(address.sun_path))
        return -1;
    memcpy(address.sun_path, path, strlen(path) + 1);
    unlink(path);
    if (bind(s, (struct sockaddr *)&address, sizeof(address)) || listen(s, 1)) {
        close(s);
        return -1;
    }
    return s;
}

static void raise_interrupt(void *context, unsigned vector)
{
    const struct peer *p = context;
    uint64_t one = 1;

    if (write(p->guest[vector], &one, sizeof(one)) != (ssize_t)sizeof(one))
        fprintf(stderr, "afu-model: vector %u: %s\n", vector, strerror(errno));
}

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Has the peer hung up? It never sends anything. */
static bool gone(int connection)
{
    struct pollfd p = {.fd = connection, .events = POLLIN};
    char byte;

    return poll(&p, 1, 0) > 0 && recv(connection, &byte, 1, MSG_DONTWAIT) <= 0;
}

static void serve(struct peer *p, struct card *card, uint64_t end_ms)
{
    const struct timespec pause = {0, TURN_NS};

    for (unsigned turn = 0;; turn++) {
        card_turn(card);
        if (now_ms() >= end_ms || (turn % 64 == 0 && gone(p->connection)))
            return;
        nanosleep(&pause, NULL);
    }
}

static int fail(const char *what)
{
    fprintf(stderr, "afu-model: %s: %s\n", what, strerror(errno));
    return 1;
}

static bool create(struct peer *p, void **bar)
{
    p->memory = memfd_create("afu-model", MFD_CLOEXEC);
    if (p->memory < 0 || ftruncate(p->memory, CARD_BAR_SIZE))
        return false;
    *bar = mmap(NULL, CARD_BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, p->memory, 0);
    if (*bar == MAP_FAILED)
        return false;
    for (unsigned v = 0; v < CARD_VECTORS; v++) {
        p->host[v] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        p->guest[v] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (p->host[v] < 0 || p->guest[v] < 0)
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    static struct card card;
    static struct dma dma = {.machine = {.socket = -1}};
    struct options options = {.seconds = 600};
    struct peer p;
    void *bar;
    const char *wrong = parse(argc, argv, &options);

    if (wrong)
        return usage(wrong);
    if (!create(&p, &bar))
        return fail("the card's own memory and interrupts");
    dma.monitor = options.monitor;
    dma.id = options.id;
    card = (struct card){.interrupt = raise_interrupt, .context = &p, .dma = &dma};
    card_power_on(&card, bar, options.mode);

    uint64_t end_ms = now_ms() + options.seconds * 1000ull;
    int s = listen_at(options.socket);
    if (s < 0)
        return fail(options.socket);
    struct pollfd waiting = {.fd = s, .events = POLLIN};
    if (poll(&waiting, 1, (int)options.seconds * 1000) <= 0)
        return fail("nobody connected");
    p.connection = accept4(s, NULL, NULL, SOCK_CLOEXEC);
    if (!memory_open(&dma.memory, options.memory))
        return fail(options.memory);
    if (p.connection < 0 || !introduce(&p))
        return fail("connection");
    serve(&p, &card, end_ms);
    unlink(options.socket);
    return 0;
}
