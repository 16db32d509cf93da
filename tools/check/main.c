/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel would say of a configuration and a payload, without booting it: its own parsers,
 * compiled for this machine, in the order in which it starts.
 *
 * usage: check [--config FILE] [--words FILE] [--payload FILE]
 *   --config   the text of bulkhead.conf
 *   --words    the command line
 *   --payload  the program
 *
 * Exit status 0: the kernel would take it all. 1: it would not, and its sentence is on standard
 * output. 2: a file cannot be read, or the command line is wrong.
 */
#include "kernel/machine/boot.h"
#include "kernel/machine/config/config.h"
#include "kernel/iommu/iommu.h"
#include "kernel/lib/refusal.h"
#include "kernel/linux/program/elf.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FINE = 0,
    REFUSED = 1,
    WRONG_USE = 2,
};

/* A file in memory; nothing (NULL, 0) for one that was not named. */
struct text {
    const char *bytes;
    size_t length;
};

static struct config config;

static _Noreturn void give_up(const char *name)
{
    perror(name);
    exit(WRONG_USE);
}

static struct text read_text(const char *name)
{
    struct text text = {0};
    struct stat status;

    if (!name)
        return text;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0)
        give_up(name);
    text.length = (size_t)status.st_size;
    if (text.length) {
        void *bytes = mmap(NULL, text.length, PROT_READ, MAP_PRIVATE, fd, 0);
        if (bytes == MAP_FAILED)
            give_up(name);
        text.bytes = bytes;
    }
    close(fd);
    return text;
}

static int check_config(struct text file, struct text words, struct refusal *why)
{
    struct config_error error;

    config_defaults(&config);
    if (file.length > BOOT_CONFIG_MAX)
        return refuse(why, REFUSED, "bulkhead.conf is larger than %u bytes",
                      (unsigned)BOOT_CONFIG_MAX);
    if (config_parse_file(&config, "bulkhead.conf", file.bytes, file.length, &error) ||
        config_parse_words(&config, "command line", words.bytes, words.length, &error))
        return refuse(why, REFUSED, "%s", error.message);
    struct iommu_options options = {
        .queue_entries = config.invalidation_queue,
        .remap_entries = config.interrupt_entries,
    };
    return iommu_check_options(&options, why) ? REFUSED : FINE;
}

static int check_payload(struct text payload, struct refusal *why)
{
    struct elf_image image;
    const char *wrong = elf_check(payload.bytes, payload.length, &program_rules, &image);

    if (wrong)
        return refuse(why, REFUSED, "the payload cannot be loaded: %s", wrong);
    return FINE;
}

int main(int argc, char **argv)
{
    static const char *const options[] = {"--config", "--words", "--payload"};
    const char *names[ARRAY_SIZE(options)] = {NULL};
    struct refusal why;

    for (int i = 1; i < argc; i += 2) {
        size_t option = 0;
        while (option < ARRAY_SIZE(options) && strcmp(argv[i], options[option]) != 0)
            option++;
        if (option == ARRAY_SIZE(options) || i + 1 == argc) {
            fprintf(stderr, "usage: check [--config FILE] [--words FILE] [--payload FILE]\n");
            return WRONG_USE;
        }
        names[option] = argv[i + 1];
    }
    int status = check_config(read_text(names[0]), read_text(names[1]), &why);
    if (status == FINE && names[2])
        status = check_payload(read_text(names[2]), &why);
    if (status != FINE)
        puts(why.sentence);
    return status;
}
