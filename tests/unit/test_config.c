/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration: what each key takes, every mistake and its message, and the documentation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kernel/machine/config/internal.h"
#include "kernel/lib/log.h"

static struct config config;
static struct config_error error;

static int parse_file(const char *text)
{
    config_defaults(&config);
    memset(&error, 0, sizeof(error));
    return config_parse_file(&config, "c", text, strlen(text), &error);
}

static int parse_words(const char *text)
{
    memset(&error, 0, sizeof(error));
    return config_parse_words(&config, "command line", text, strlen(text), &error);
}

static void file_fails(const char *text, const char *message)
{
    assert_int_not_equal(parse_file(text), 0);
    assert_string_equal(error.message, message);
}

static void words_fail(const char *text, const char *message)
{
    config_defaults(&config);
    assert_int_not_equal(parse_words(text), 0);
    assert_string_equal(error.message, message);
}

/* Every default is one its own key accepts, and arrives in the structure. */
static void every_default_is_accepted_by_its_own_key(void **state)
{
    char reason[160];
    struct text why;
    uint64_t seen = 0;

    for (size_t i = 0; i < config_keys.count; i++) {
        const struct config_key *key = &config_keys.key[i];

        text_init(&why, reason, sizeof(reason));
        if (key->preset)
            assert_int_equal(
                config_set(&config, &config, &config_keys, key->name, key->preset, &seen, why), 0);
        else
            assert_true(key->repeatable || key->type == CONFIG_STRING || key->type == CONFIG_RANGE);
    }
    config_defaults(&config);
    assert_true(config.memlock == CONFIG_UNLIMITED);
    assert_int_equal(config.memory_limit + config.memory.length + config.leave_count, 0);
    assert_int_equal(config.log_level, LOG_INFO);
    assert_int_equal(config.console_port, 0);
    assert_int_equal(config.report_port, 0);
    assert_int_equal(config.exit_port, 0);
    assert_false(config.unsafe_interrupts);
    assert_false(config.ats);
    assert_int_equal(config.show, CONFIG_SHOW_NOTHING);
    assert_int_equal(config.on_exit, CONFIG_EXIT_POWEROFF);
    assert_int_equal(config.invalidation_queue, 256);
    assert_int_equal(config.interrupt_entries, 4096);
    assert_int_equal(config.on_dma_fault, CONFIG_FAULT_STOP_DEVICE);
    assert_int_equal(config.fault_threshold, 1000);
    assert_int_equal(config.payload_timeout, 0);
    assert_int_equal(config.restart_limit, 10);
    assert_int_equal(config.restart_delay, 1);
    assert_int_equal(config.on_restart_limit, CONFIG_EXIT_POWEROFF);
    assert_null(config.payload_name);
    assert_int_equal(config.device_count + config.arg_count + config.env_count +
                         config.keep_out_count + config.text_used,
                     0);
}

static void file_of_every_key(void **state)
{
    assert_int_equal(parse_file("# everything\r\n"
                                "device = 0001:02:03.4   # a comment\n"
                                "device=1234:11e8 uio=yes\n"
                                "\tdevice = 00:1c.1/00.0/1f.7\n"
                                "payload-name = \"my payload\"\n"
                                "arg = one argument\n"
                                "args = two \"three \\\"and\\\" four\" \"\"\n"
                                "env = PATH=/bin:/usr/bin\n"
                                "memlock = 2G\n"
                                "memory-limit = 0x20000000\n"
                                "memory = 1G+256M\n"
                                "keep-out = 0x100000+64K\n"
                                "keep-out = 1G+1\n"
                                "log-level = debug\n"
                                "console = 0x2f8\n"
                                "report-port = 0x402\n"
                                "exit-port = 0x501\n"
                                "unsafe-interrupts = yes\n"
                                "ats = yes\n"
                                "invalidation-queue = 32768\n"
                                "interrupt-entries = 65536\n"
                                "show = devices\n"
                                "on-exit = halt\n"
                                "on-dma-fault = kill-payload\n"
                                "fault-threshold = 1\n"
                                "payload-timeout = 60\n"
                                "restart-limit = unlimited\n"
                                "restart-delay = 3600\n"
                                "on-restart-limit = restart"),
                     0);
    assert_string_equal(config.payload_name, "my payload");
    assert_int_equal(config.device_count, 3);
    assert_int_equal(config.devices[0].selector.by, PCI_BY_ADDRESS);
    assert_int_equal(config.devices[0].selector.segment, 1);
    assert_int_equal(config.devices[0].selector.rid, 0x21c);
    assert_int_equal(config.devices[0].selector.path_length, 0);
    assert_false(config.devices[0].uio);
    assert_int_equal(config.devices[1].selector.by, PCI_BY_ID);
    assert_int_equal(config.devices[1].selector.value, 0x123411e8);
    assert_true(config.devices[1].uio);
    assert_int_equal(config.devices[2].selector.rid, 0xe1);
    assert_int_equal(config.devices[2].selector.path_length, 2);
    assert_int_equal(config.devices[2].selector.path[0], 0);
    assert_int_equal(config.devices[2].selector.path[1], 0xff);
    assert_string_equal(config.devices[2].selector.words, "00:1c.1/00.0/1f.7");
    assert_int_equal(config.arg_count, 4);
    assert_string_equal(config.args[0], "one argument");
    assert_string_equal(config.args[1], "two");
    assert_string_equal(config.args[2], "three \"and\" four");
    assert_string_equal(config.args[3], "");
    assert_int_equal(config.env_count, 1);
    assert_string_equal(config.env[0], "PATH=/bin:/usr/bin");
    assert_int_equal(config.memlock, 2 * GIB);
    assert_int_equal(config.memory_limit, 512 * MIB);
    assert_int_equal(config.memory.base, GIB);
    assert_int_equal(config.memory.length, 256 * MIB);
    assert_int_equal(config.keep_out_count, 2);
    assert_int_equal(config.keep_out[0].base, MIB);
    assert_int_equal(config.keep_out[0].length, 64 * KIB);
    assert_int_equal(config.keep_out[1].base, GIB);
    assert_int_equal(config.log_level, LOG_DEBUG);
    assert_int_equal(config.console_port, 0x2f8);
    assert_int_equal(config.report_port, 0x402);
    assert_int_equal(config.exit_port, 0x501);
    assert_true(config.unsafe_interrupts);
    assert_true(config.ats);
    assert_int_equal(config.show, CONFIG_SHOW_DEVICES);
    assert_int_equal(config.on_exit, CONFIG_EXIT_HALT);
    assert_int_equal(config.invalidation_queue, 32768);
    assert_int_equal(config.interrupt_entries, 65536);
    assert_int_equal(config.on_dma_fault, CONFIG_FAULT_KILL_PAYLOAD);
    assert_int_equal(config.fault_threshold, 1);
    assert_int_equal(config.payload_timeout, 60);
    assert_int_equal(config.restart_limit, UINT32_MAX);
    assert_int_equal(config.restart_delay, 3600);
    assert_int_equal(config.on_restart_limit, CONFIG_EXIT_RESTART);
}

/* Quotes keep blanks and #; a # inside a word is no comment. */
static void quotes_and_comments(void **state)
{
    assert_int_equal(parse_file("arg = \"  # no comment \" # comment \"\n"
                                "arg = a#b\n"
                                "arg = \"back\\\\slash\"\n"
                                "arg = C:\\dir\n"
                                "#arg = x\n"
                                "arg = \xc3\xa4\n"),
                     0);
    assert_int_equal(config.arg_count, 5);
    assert_string_equal(config.args[0], "  # no comment ");
    assert_string_equal(config.args[1], "a#b");
    assert_string_equal(config.args[2], "back\\slash");
    assert_string_equal(config.args[3], "C:\\dir");
    assert_string_equal(config.args[4], "\xc3\xa4");
}

static void command_line_adds_and_replaces(void **state)
{
    assert_int_equal(parse_file("memlock = 1M\narg = a\nenv = A=1\nenv = AB=2\n"), 0);
    assert_int_equal(parse_words(" memlock=2M \targ=\"b c\"  env=A=3 args=\"d \\\"e f\\\"\" "
                                 "device=\"00:02.0 uio=yes alias=1f.7\""),
                     0);
    assert_int_equal(config.memlock, 2 * MIB);
    assert_int_equal(config.arg_count, 4);
    assert_string_equal(config.args[1], "b c");
    assert_string_equal(config.args[3], "e f");
    assert_int_equal(config.env_count, 2);
    assert_string_equal(config.env[0], "A=3");
    assert_string_equal(config.env[1], "AB=2");
    assert_true(config.devices[0].uio);
    assert_int_equal(config.devices[0].alias, CONFIG_GIVEN | 0xff);
    assert_int_equal(config.devices[0].selector.rid, 0x10);
}

static void mistakes_of_syntax(void **state)
{
    file_fails("\n\ndevise = 00:02.0\n",
               "c:3: unknown key 'devise', the nearest known key is 'device'");
    file_fails("log_level = info", "c:1: unknown key 'log_level', the nearest known key is "
                                   "'log-level'");
    file_fails("= 3", "c:1: unknown key '', the nearest known key is 'arg'");
    file_fails("memlok\n", "c:1: no '=' behind 'memlok', the nearest known key is 'memlock'");
    file_fails("memlock = 1M\nmemlock = 1M\n", "c:2: memlock: given twice");
    file_fails("memlock =\n", "c:1: memlock: has no value");
    file_fails("memlock = # none\n", "c:1: memlock: has no value");
    file_fails("arg = \"x\n", "c:1: arg: a double quote is not closed");
    file_fails("args = a \"x\n", "c:1: args: a double quote is not closed");
    file_fails("arg = a\x01", "c:1: control character");
    words_fail("memlock=1M memlok=2M",
               "command line, word 2: unknown key 'memlok', the nearest known key is 'memlock'");
    words_fail("quiet", "command line, word 1: no '=' behind 'quiet', the nearest known key is "
                        "'output'");
    words_fail("memlock=1M memlock=1M", "command line, word 2: memlock: given twice");
    words_fail("memlock=", "command line, word 1: memlock: has no value");
    words_fail("arg=a arg=\"b", "command line, word 2: a double quote is not closed");
    words_fail("arg=a\narg=b", "command line, word 1: control character");
}

static void mistakes_of_value(void **state)
{
    file_fails("memlock = lots", "c:1: memlock: must be a size from 0 to 1024T or unlimited");
    file_fails("memlock = 1MB", "c:1: memlock: must be a size from 0 to 1024T or unlimited");
    file_fails("memlock = -1", "c:1: memlock: must be a size from 0 to 1024T or unlimited");
    file_fails("memlock = 0x", "c:1: memlock: must be a size from 0 to 1024T or unlimited");
    file_fails("memlock = 1025T",
               "c:1: memlock: size out of range, must be from 0 to 1024T or unlimited");
    file_fails("memlock = 18446744073709551616",
               "c:1: memlock: size out of range, must be from 0 to 1024T or unlimited");
    file_fails("memlock = 0x10000000000T",
               "c:1: memlock: size out of range, must be from 0 to 1024T or unlimited");
    file_fails("memory-limit = 31M",
               "c:1: memory-limit: size out of range, must be from 32M to 1024T or all");
    file_fails("memory-limit = some", "c:1: memory-limit: must be a size from 32M to 1024T or all");
    file_fails("report-port = 65536",
               "c:1: report-port: number out of range, must be from 1 to 65535 or none");
    file_fails("report-port = 4K", "c:1: report-port: must be a number from 1 to 65535 or none");
    file_fails("log-level = loud", "c:1: log-level: must be error, warn, info or debug");
    file_fails("unsafe-interrupts = 1", "c:1: unsafe-interrupts: must be no or yes");
    file_fails("env = HOME", "c:1: env: must be NAME=value");
    file_fails("env = =x", "c:1: env: must be NAME=value");
}

static void mistakes_of_ranges(void **state)
{
    static const char *const bad[] = {
        "4K",  "4K+", "+4K",  "4K+0", "4K-8K", "0xffffffffffffffff+1", "0xfffffffffffff000+0x1001",
        "x+1", "1+x", "1+1+1"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char line[80];

        snprintf(line, sizeof(line), "keep-out = %s", bad[i]);
        file_fails(line, "c:1: keep-out: must be base+size with a size above 0 that ends within "
                         "64 bits");
        assert_int_equal(config.keep_out_count, 0);
    }
}

static void is_selector(size_t index, enum pci_select_by by, uint32_t value, uint32_t mask,
                        unsigned number)
{
    const struct pci_selector *s = &config.devices[index].selector;

    assert_int_equal(s->by, by);
    assert_int_equal(s->value, value);
    assert_int_equal(s->mask, mask);
    assert_int_equal(s->number, number);
}

static void devices_by_class_and_number(void **state)
{
    assert_int_equal(parse_file("device = class:0108\n"
                                "device = class:010802\n"
                                "device = class:0200#3 uio=yes # the third\n"
                                "device = 1234:11E8#2\n"
                                "device = 1234:11e8#65535\n"
                                "device = \"1234:11e8#0x10\"\n"),
                     0);
    assert_int_equal(config.device_count, 6);
    is_selector(0, PCI_BY_CLASS, 0x010800, 0xffff00, 0);
    is_selector(1, PCI_BY_CLASS, 0x010802, 0xffffff, 0);
    is_selector(2, PCI_BY_CLASS, 0x020000, 0xffff00, 3);
    assert_true(config.devices[2].uio);
    is_selector(3, PCI_BY_ID, 0x123411e8, 0xffffffff, 2);
    is_selector(4, PCI_BY_ID, 0x123411e8, 0xffffffff, 65535);
    is_selector(5, PCI_BY_ID, 0x123411e8, 0xffffffff, 16);
    file_fails("device = class:0108#1\ndevice = class:0108#1\n",
               "c:2: device: this device is already selected");
}

static void devices_that_are_left(void **state)
{
    assert_int_equal(parse_file("leave = 00:1f.2\n"
                                "leave = class:0200#1 keep-out=1M+64K keep-out=\"0x90000000+4K\"\n"
                                "device = 00:1f.2 # for the kernel to refuse\n"),
                     0);
    assert_int_equal(parse_words("leave=\"00:03.0 keep-out=2G+1G\" memory=1G+1G"), 0);
    assert_int_equal(parse_words("memory=2G+4K"), 0);
    assert_int_equal(config.leave_count, 3);
    assert_int_equal(config.device_count, 1);
    assert_int_equal(config.leaves[0].selector.rid, 0xfa);
    assert_int_equal(config.leaves[0].reach_count, 0);
    assert_int_equal(config.leaves[1].selector.by, PCI_BY_CLASS);
    assert_int_equal(config.leaves[1].reach_count, 2);
    assert_int_equal(config.leaves[1].reach[0].base, MIB);
    assert_int_equal(config.leaves[1].reach[0].length, 64 * KIB);
    assert_int_equal(config.leaves[1].reach[1].base, 0x90000000);
    assert_int_equal(config.leaves[2].reach[0].length, GIB);
    assert_int_equal(config.memory.base, 2 * GIB);
    file_fails("leave = 00:1f.2 uio=yes",
               "c:1: leave: unknown option 'uio', the nearest known option is 'keep-out'");
    file_fails("leave = 00:1f.2 keep-out=1M+1",
               "c:1: leave: keep-out: must be base+size in multiples of 4K");
    file_fails("leave = 00:1f.2 keep-out=1M", "c:1: leave: keep-out: must be base+size with "
                                              "a size above 0 that ends within 64 bits");
    file_fails("leave = 00:1f.2 keep-out=1M+4K keep-out=2M+4K keep-out=3M+4K keep-out=4M+4K "
               "keep-out=5M+4K keep-out=6M+4K keep-out=7M+4K keep-out=8M+4K keep-out=9M+4K",
               "c:1: leave: keep-out: given more than 8 times");
    file_fails("leave = 00:1f.2\nleave = 00:1f.2", "c:2: leave: this device is already selected");
    file_fails("memory = 1+4K", "c:1: memory: must be base+size in multiples of 4K");
    file_fails("memory = 1G+4K\nmemory = 2G+4K", "c:2: memory: given twice");
}

static void devices_without_protection(void **state)
{
    assert_int_equal(parse_file("unprotected = 00:1f.2\nunprotected = 8086:1234#2\n"), 0);
    assert_int_equal(config.unprotected_count, 2);
    assert_int_equal(config.unprotected[0].rid, 0xfa);
    assert_int_equal(config.unprotected[1].number, 2);
    file_fails("unprotected = 00:1f.2 uio=yes",
               "c:1: unprotected: 'uio' behind the device: it has no options");
    file_fails("unprotected = 00:1f.2\nunprotected = 00:1f.2",
               "c:2: unprotected: this device is already selected");
}

static void mistakes_of_devices(void **state)
{
    static const char *const bad[] = {
        "0",
        "00:02",
        "0:2.0",
        "00:20.0",
        "00:02.8",
        "00:02.0x",
        "00:02.0/",
        "00:02.0/2.0",
        "12345:00:02.0",
        "00000:02.0",
        "1234:11e",
        "1234:11e8f",
        "1234:11e8/00.0",
        "zzzz:11e8",
        "00:00:02.0",
        "00:0g.0",
        "00:02.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0/00.0",
        "00:02.0#1",
        "1234:11e8#",
        "1234:11e8#0",
        "1234:11e8#65536",
        "1234:11e8#1x",
        "1234:11e8##1",
        "class:",
        "class:01",
        "class:01080",
        "class:0108022",
        "class:010g",
        "class:0108#",
        "class=0108",
        "0000:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:02.0"};

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        char line[120];

        snprintf(line, sizeof(line), "device = %s", bad[i]);
        file_fails(line, "c:1: device: must be BB:DD.F, SSSS:BB:DD.F, BB:DD.F/DD.F, VVVV:DDDD "
                         "or class:CCSS (hexadecimal), the last two also with #N");
        assert_int_equal(config.device_count, 0);
    }
    file_fails("device = 00:02.0\ndevice = 0000:00:02.0\n",
               "c:2: device: this device is already selected");
    file_fails("device = 1234:11e8\ndevice = 1234:11E8\n",
               "c:2: device: this device is already selected");
    file_fails("device = 00:02.0 uoi=yes",
               "c:1: device: unknown option 'uoi', the nearest known option is 'uio'");
    file_fails("device = 00:02.0 uio",
               "c:1: device: no '=' behind 'uio', the nearest known option is 'uio'");
    file_fails("device = 00:02.0 alias=1", "c:1: device: alias: must be DD.F or none");
    file_fails("device = 00:02.0 alias=00.8", "c:1: device: alias: must be DD.F or none");
    file_fails("device = 00:02.0 alias=01:00.1", "c:1: device: alias: must be DD.F or none");
    file_fails("device = 00:02.0 uio=yes uio=yes", "c:1: device: uio: given twice");
    file_fails("device = 00:02.0 uio=1", "c:1: device: uio: must be no or yes");
    file_fails("device = 00:02.0 uio=maybe", "c:1: device: uio: must be no or yes");
    file_fails("device = 00:02.0 uio=\"yes", "c:1: device: a double quote is not closed");
    assert_int_equal(config.device_count, 0);
    assert_int_equal(parse_file("device = 00:02.0\ndevice = 00:02.0/00.0\ndevice=0001:00:02.0"), 0);
}

/* Lists that are full, strings that are too many, settings that are too long. */
static void what_is_too_many_or_too_long_is_refused(void **state)
{
    static char text[CONFIG_TEXT_MAX * 2];
    size_t at = 0;

    for (int i = 0; i < CONFIG_ARGS_MAX + 1; i++)
        at += (size_t)sprintf(text + at, "arg = %d\n", i);
    file_fails(text, "c:65: arg: given more than 64 times");
    assert_int_equal(config.arg_count, CONFIG_ARGS_MAX);

    at = (size_t)sprintf(text, "args =");
    for (int i = 0; i < CONFIG_ARGS_MAX + 1; i++)
        at += (size_t)sprintf(text + at, " %d", i);
    file_fails(text, "c:1: args: given more than 64 times");
    assert_int_equal(config.arg_count, 0);
    assert_int_equal(config.text_used, 0);

    at = 0;
    for (int i = 0; i < 65; i++)
        at += (size_t)sprintf(text + at, "device = %02x:00.0\n", i);
    file_fails(text, "c:65: device: given more than 64 times");

    at = 0;
    for (int i = 0; i < 17; i++)
        at += (size_t)sprintf(text + at, "keep-out = %dM+1\n", i);
    file_fails(text, "c:17: keep-out: given more than 16 times");

    at = 0;
    for (int i = 0; i < 9; i++)
        at += (size_t)sprintf(text + at, "env = A%d=%01000d\n", i, 0);
    file_fails(text, "c:9: env: all strings together are longer than 8192 bytes");

    sprintf(text, "arg = %01017d\n", 0);
    assert_int_equal(parse_file(text), 0);
    sprintf(text, "arg = %01018d\n", 0);
    file_fails(text, "c:1: longer than 1023 characters");
    sprintf(text, "arg=%01019d", 0);
    config_defaults(&config);
    assert_int_equal(parse_words(text), 0);
    sprintf(text, "arg=%01020d", 0);
    words_fail(text, "command line, word 1: longer than 1023 characters");
}

/* The first mistake is told, and everything else is still taken. */
static void settings_around_a_mistake(void **state)
{
    file_fails("exit-port = 0x501\nbad\nworse = 1\nreport-port = 0x402\n",
               "c:2: no '=' behind 'bad', the nearest known key is 'arg'");
    assert_int_equal(config.exit_port, 0x501);
    assert_int_equal(config.report_port, 0x402);
}

static void long_names_are_cut_in_messages(void **state)
{
    static char text[900];

    memset(text, 'x', sizeof(text) - 1);
    memcpy(text + 800, "=1", 3);
    assert_int_not_equal(parse_file(text), 0);
    assert_true(strlen(error.message) < 150);
    config_defaults(&config);
    assert_int_not_equal(parse_words(text), 0);
    assert_true(strlen(error.message) < 150);
}

/* The documentation's tables: one row per key, as the source has it. */

static void describe_number(struct text *t, const struct config_key *key, uint64_t value)
{
    static const char suffixes[] = "KMGT";
    int power = -1;

    while (key->type == CONFIG_SIZE && value && value % 1024 == 0 && power < 3) {
        value /= 1024;
        power++;
    }
    text_printf(t, "%llu", (unsigned long long)value);
    if (power >= 0)
        text_printf(t, "%c", suffixes[power]);
}

static void describe_values(struct text *t, const struct config_key *key)
{
    static const char *const names[] = {
        [CONFIG_STRING] = "text",    [CONFIG_TEXT] = "text",   [CONFIG_WORDS] = "words",
        [CONFIG_ENV] = "NAME=value", [CONFIG_RANGE] = "range", [CONFIG_DEVICE] = "device",
        [CONFIG_FUNCTION] = "DD.F",
    };

    if (key->type == CONFIG_NUMBER || key->type == CONFIG_SIZE) {
        text_printf(t, "%s ", key->type == CONFIG_SIZE ? "size" : "number");
        describe_number(t, key, key->min);
        text_printf(t, " to ");
        describe_number(t, key, key->max);
        for (const struct config_choice *c = key->choices; c && c->word; c++)
            text_printf(t, ", `%s`", c->word);
    } else if (key->type == CONFIG_CHOICE) {
        for (const struct config_choice *c = key->choices; c->word; c++)
            text_printf(t, "%s`%s`", c == key->choices ? "" : ", ", c->word);
    } else {
        text_printf(t, "%s", names[key->type]);
        for (const struct config_choice *c = key->choices; c && c->word; c++)
            text_printf(t, ", `%s`", c->word);
    }
}

static void check_rows(const char *page, const struct config_keys *keys, bool options)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct config_key *key = &keys->key[i];
        char row[400];
        struct text t;

        text_init(&t, row, sizeof(row));
        text_printf(&t, "| `%s` | ", key->name);
        describe_values(&t, key);
        text_printf(&t, key->preset ? " | `%s` |" : " | none |", key->preset);
        if (!options)
            text_printf(&t, " %s |", key->repeatable ? "yes" : "no");
        text_printf(&t, " %s |\n", key->help);
        assert_false(t.truncated);
        if (!strstr(page, row))
            fail_msg("docs/configuration.md lacks this row:\n%s", row);
    }
}

static void the_documentation_has_a_row_for_every_key(void **state)
{
    static char page[64 * 1024];
    FILE *file = fopen("docs/configuration.md", "r");
    size_t rows = 0;

    assert_non_null(file);
    page[fread(page, 1, sizeof(page) - 1, file)] = 0;
    fclose(file);
    check_rows(page, &config_keys, false);
    check_rows(page, &config_device_options, true);
    check_rows(page, &config_leave_options, true);
    for (const char *at = page; (at = strstr(at, "\n| `")); at++)
        rows++;
    assert_int_equal(rows,
                     config_keys.count + config_device_options.count + config_leave_options.count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_is_accepted_by_its_own_key),
        cmocka_unit_test(file_of_every_key),
        cmocka_unit_test(quotes_and_comments),
        cmocka_unit_test(command_line_adds_and_replaces),
        cmocka_unit_test(mistakes_of_syntax),
        cmocka_unit_test(mistakes_of_value),
        cmocka_unit_test(mistakes_of_ranges),
        cmocka_unit_test(devices_by_class_and_number),
        cmocka_unit_test(devices_that_are_left),
        cmocka_unit_test(devices_without_protection),
        cmocka_unit_test(mistakes_of_devices),
        cmocka_unit_test(what_is_too_many_or_too_long_is_refused),
        cmocka_unit_test(settings_around_a_mistake),
        cmocka_unit_test(long_names_are_cut_in_messages),
        cmocka_unit_test(the_documentation_has_a_row_for_every_key),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
