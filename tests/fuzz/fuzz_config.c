/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a configuration file, then as a command line on top of it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/machine/config/config.h"

static void check(bool holds)
{
    if (!holds)
        abort();
}

/* A string that lies whole inside the configuration's own text. */
static void check_string(const struct config *config, const char *s)
{
    check(s >= config->text && s < config->text + config->text_used);
    check(memchr(s, 0, (size_t)(config->text + config->text_used - s)) != NULL);
}

static void check_leaves(const struct config *config)
{
    check(config->leave_count <= CONFIG_LEAVES_MAX);
    for (size_t i = 0; i < config->leave_count; i++) {
        const struct config_leave *leave = &config->leaves[i];

        check(leave->selector.path_length <= PCI_PATH_MAX);
        check(leave->reach_count <= CONFIG_REACH_MAX);
        for (size_t j = 0; j < leave->reach_count; j++)
            check(leave->reach[j].base + leave->reach[j].length > leave->reach[j].base);
    }
}

static void check_config(const struct config *config)
{
    check(config->device_count <= CONFIG_DEVICES_MAX && config->arg_count <= CONFIG_ARGS_MAX);
    check(config->env_count <= CONFIG_ARGS_MAX && config->keep_out_count <= CONFIG_KEEP_OUT_MAX);
    check(config->text_used <= CONFIG_TEXT_MAX);
    for (size_t i = 0; i < config->arg_count; i++)
        check_string(config, config->args[i]);
    for (size_t i = 0; i < config->env_count; i++) {
        check_string(config, config->env[i]);
        check(strchr(config->env[i], '=') > config->env[i]);
    }
    for (size_t i = 0; i < config->keep_out_count; i++)
        check(config->keep_out[i].base + config->keep_out[i].length > config->keep_out[i].base);
    for (size_t i = 0; i < config->device_count; i++)
        check(config->devices[i].selector.path_length <= PCI_PATH_MAX);
    check_leaves(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct config config;
    struct config_error error;
    char *text = malloc(size ? size : 1); /* an exact copy, so that ASan sees a read behind it */
    int status;

    memcpy(text, data, size);
    config_defaults(&config);
    error.message[0] = 0;
    status = config_parse_file(&config, "file", text, size, &error);
    check((status == 0) == (error.message[0] == 0));
    check_config(&config);
    config_parse_words(&config, "words", text, size, &error);
    check_config(&config);
    free(text);
    return 0;
}
