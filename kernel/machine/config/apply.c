/* SPDX-License-Identifier: BSD-2-Clause */
/* Storing one value where its key says, or telling why it cannot be. */
#include "kernel/machine/config/internal.h"

#include "kernel/lib/error.h"
#include "kernel/lib/string.h"

static size_t *list_count(void *target, const struct config_key *key)
{
    return (size_t *)((char *)target + key->count);
}

static void *list_element(void *target, const struct config_key *key, size_t index)
{
    return (char *)target + key->offset + index * key->size;
}

/* Fields are little-endian unsigned integers (or bool, or an enum) of `size` bytes. */
static int store(void *target, const struct config_key *key, uint64_t value)
{
    memcpy((char *)target + key->offset, &value, key->size);
    return 0;
}

static const struct config_choice *find_choice(const struct config_key *key, const char *value)
{
    for (const struct config_choice *c = key->choices; c && c->word; c++)
        if (strcmp(c->word, value) == 0)
            return c;
    return NULL;
}

/* "a, b or c" */
static void list_choices(const struct config_key *key, struct text *why)
{
    for (const struct config_choice *c = key->choices; c->word; c++) {
        const char *before = c == key->choices ? "" : c[1].word ? ", " : " or ";

        text_printf(why, "%s%s", before, c->word);
    }
}

static int apply_choice(struct config *config, void *target, const struct config_key *key,
                        const char *value, struct text *why)
{
    const struct config_choice *choice = find_choice(key, value);

    (void)config;
    if (choice)
        return store(target, key, choice->value);
    text_printf(why, "must be ");
    list_choices(key, why);
    return -EINVAL;
}

/* A number as a user would write it: the largest suffix that loses nothing. */
static void print_bound(enum config_type type, uint64_t value, struct text *why)
{
    static const char suffixes[] = "KMGT";
    int power = -1;

    while (type == CONFIG_SIZE && value && value % 1024 == 0 && power < 3) {
        value /= 1024;
        power++;
    }
    text_printf(why, "%llu", (unsigned long long)value);
    if (power >= 0)
        text_printf(why, "%c", suffixes[power]);
}

static int apply_number(struct config *config, void *target, const struct config_key *key,
                        const char *value, struct text *why)
{
    const struct config_choice *choice = find_choice(key, value);
    uint64_t number;
    int error;

    (void)config;
    if (choice)
        return store(target, key, choice->value);
    error = config_number(value, key->type == CONFIG_SIZE, &number);
    if (error == 0 && number >= key->min && number <= key->max)
        return store(target, key, number);

    text_printf(why, error == -EINVAL ? "must be a %s from " : "%s out of range, must be from ",
                key->type == CONFIG_SIZE ? "size" : "number");
    print_bound(key->type, key->min, why);
    text_printf(why, " to ");
    print_bound(key->type, key->max, why);
    if (key->choices) {
        text_printf(why, " or ");
        list_choices(key, why);
    }
    return -EINVAL;
}

/* A copy of a string behind the configuration; NULL with the reason if it is full. */
static const char *keep(struct config *config, const char *value, struct text *why)
{
    size_t size = strlen(value) + 1;
    char *copy = config->text + config->text_used;

    if (size > sizeof(config->text) - config->text_used) {
        text_printf(why, "all strings together are longer than %u bytes", CONFIG_TEXT_MAX);
        return NULL;
    }
    memcpy(copy, value, size);
    config->text_used += size;
    return copy;
}

static bool list_full(void *target, const struct config_key *key, struct text *why)
{
    if (*list_count(target, key) < key->most)
        return false;
    text_printf(why, "given more than %u times", key->most);
    return true;
}

static int apply_text(struct config *config, void *target, const struct config_key *key,
                      const char *value, struct text *why)
{
    const char *copy;

    if (list_full(target, key, why))
        return -EINVAL;
    copy = keep(config, value, why);
    if (!copy)
        return -EINVAL;
    *(const char **)list_element(target, key, (*list_count(target, key))++) = copy;
    return 0;
}

static int apply_string(struct config *config, void *target, const struct config_key *key,
                        const char *value, struct text *why)
{
    const char *copy = keep(config, value, why);

    return copy ? store(target, key, (uintptr_t)copy) : -EINVAL;
}

static int apply_words(struct config *config, void *target, const struct config_key *key,
                       const char *value, struct text *why)
{
    char word[CONFIG_SETTING_MAX];
    const char *end = value + strlen(value);
    size_t count_before = *list_count(target, key);
    size_t text_before = config->text_used;
    int more, error = 0;

    while (!error && (more = config_word(&value, end, word, sizeof(word))) > 0)
        error = apply_text(config, target, key, word, why);
    if (!error && more == 0)
        return 0;
    if (!error)
        text_printf(why, "a double quote is not closed");
    *list_count(target, key) = count_before;
    config->text_used = text_before;
    return -EINVAL;
}

/* Index of the variable with the name of `value` (up to the '='), or count. */
static size_t find_variable(const struct config *config, const char *value, size_t name_length)
{
    size_t i = 0;

    while (i < config->env_count && strncmp(config->env[i], value, name_length + 1) != 0)
        i++;
    return i;
}

/* A variable set again replaces the earlier one, as a command line does with a file's. */
static int apply_env(struct config *config, void *target, const struct config_key *key,
                     const char *value, struct text *why)
{
    const char *equals = strchr(value, '=');
    size_t index;
    const char *copy;

    if (!equals || equals == value) {
        text_printf(why, "must be NAME=value");
        return -EINVAL;
    }
    index = find_variable(config, value, (size_t)(equals - value));
    if (index == config->env_count)
        return apply_text(config, target, key, value, why);
    copy = keep(config, value, why);
    if (!copy)
        return -EINVAL;
    config->env[index] = copy;
    return 0;
}

static int apply_range(struct config *config, void *target, const struct config_key *key,
                       const char *value, struct text *why)
{
    struct phys_run run;

    (void)config;
    if (key->most && list_full(target, key, why))
        return -EINVAL;
    if (!config_range(value, &run)) {
        text_printf(why, "must be base+size with a size above 0 that ends within 64 bits");
        return -EINVAL;
    }
    if (key->min && !IS_ALIGNED(run.base | run.length, key->min)) {
        text_printf(why, "must be base+size in multiples of ");
        print_bound(CONFIG_SIZE, key->min, why);
        return -EINVAL;
    }
    memcpy(list_element(target, key, key->most ? (*list_count(target, key))++ : 0), &run,
           sizeof(run));
    return 0;
}

static bool same_selector(const struct pci_selector *a, const struct pci_selector *b)
{
    return a->by == b->by && a->value == b->value && a->mask == b->mask && a->number == b->number &&
           a->segment == b->segment && a->rid == b->rid && a->path_length == b->path_length &&
           memcmp(a->path, b->path, a->path_length) == 0;
}

/* One "option=value" behind a device selector. `seen` has a bit for each option already given. */
static int apply_option(struct config *config, void *device, const struct config_keys *options,
                        char *word, uint64_t *seen, struct text *why)
{
    char reason[120];
    struct text inner;
    char *equals = strchr(word, '=');
    const struct config_key *option;
    uint64_t bit;

    if (equals)
        *equals = 0;
    option = config_find(options, word);
    if (!option) {
        text_printf(why, "unknown option '%s', the nearest is '%s'", word,
                    config_nearest(options, word)->name);
        return -EINVAL;
    }
    bit = BIT(option - options->key);
    text_init(&inner, reason, sizeof(reason));
    if (!equals)
        text_printf(&inner, "has no value");
    else if (!option->repeatable && *seen & bit)
        text_printf(&inner, "given twice");
    else if (config_apply(config, device, option, equals + 1, &inner) == 0)
        goto applied;
    text_printf(why, "option %s %s", option->name, reason);
    return -EINVAL;
applied:
    *seen |= bit;
    return 0;
}

static int apply_options(struct config *config, void *device, const struct config_keys *options,
                         const char *value, struct text *why)
{
    char word[CONFIG_SETTING_MAX];
    const char *end = value + strlen(value);
    uint64_t seen = 0;
    int more, error = 0;

    while (!error && (more = config_word(&value, end, word, sizeof(word))) > 0)
        error = apply_option(config, device, options, word, &seen, why);
    if (!error && more < 0)
        text_printf(why, "a double quote is not closed");
    return error ? error : more;
}

/* Every option at the preset that its table gives it. */
static void preset_options(struct config *config, void *device, const struct config_keys *options)
{
    struct text unused;
    char buffer[8];

    text_init(&unused, buffer, sizeof(buffer));
    for (size_t i = 0; i < options->count; i++) {
        const struct config_key *option = &options->key[i];

        if (option->preset)
            (void)config_apply(config, device, option, option->preset, &unused);
    }
}

static int apply_device(struct config *config, void *target, const struct config_key *key,
                        const char *value, struct text *why)
{
    union {
        struct pci_selector selector;
        struct config_device device;
        struct config_leave leave;
    } given;
    char *words = given.selector.words;
    const char *end = value + strlen(value);

    memset(&given, 0, sizeof(given));
    if (list_full(target, key, why))
        return -EINVAL;
    if (config_word(&value, end, words, PCI_SELECTOR_SIZE) <= 0 ||
        !config_selector(words, &given.selector)) {
        text_printf(why, "must be BB:DD.F, SSSS:BB:DD.F, BB:DD.F/DD.F, VVVV:DDDD or class:CCSS "
                         "(hexadecimal), the last two also with #N");
        return -EINVAL;
    }
    for (size_t i = 0; i < *list_count(target, key); i++) {
        if (same_selector(list_element(target, key, i), &given.selector)) {
            text_printf(why, "this device is already selected");
            return -EINVAL;
        }
    }
    preset_options(config, &given, key->options);
    if (apply_options(config, &given, key->options, value, why))
        return -EINVAL;
    memcpy(list_element(target, key, (*list_count(target, key))++), &given, key->size);
    return 0;
}

int config_apply(struct config *config, void *target, const struct config_key *key,
                 const char *value, struct text *why)
{
    static int (*const by_type[])(struct config *, void *, const struct config_key *, const char *,
                                  struct text *) = {
        [CONFIG_NUMBER] = apply_number, [CONFIG_SIZE] = apply_number,
        [CONFIG_CHOICE] = apply_choice, [CONFIG_STRING] = apply_string,
        [CONFIG_TEXT] = apply_text,     [CONFIG_WORDS] = apply_words,
        [CONFIG_ENV] = apply_env,       [CONFIG_RANGE] = apply_range,
        [CONFIG_DEVICE] = apply_device,
    };

    return by_type[key->type](config, target, key, value, why);
}
