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

/*
 * Puts a value in its place; of a list behind the last one, if one more fits. Numbers are
 * little-endian (or bool, or an enum) of the size of the field.
 */
static int put(void *target, const struct config_key *key, const void *value, struct text *why)
{
    size_t index = key->most ? *list_count(target, key) : 0;

    if (key->most && index == key->most) {
        text_printf(why, "given more than %u times", key->most);
        return -EINVAL;
    }
    if (key->most)
        ++*list_count(target, key);
    memcpy(list_element(target, key, index), value, key->size);
    return 0;
}

static const struct config_choice *find_choice(const struct config_key *key, const char *value)
{
    for (const struct config_choice *c = key->choices; c && c->word; c++)
        if (strcmp(c->word, value) == 0)
            return c;
    return NULL;
}

/* "a, b or c", or what may stand in place of a number: " or a" */
static void list_choices(const struct config_key *key, struct text *why)
{
    const char *first = key->type == CONFIG_CHOICE ? "" : " or ";

    for (const struct config_choice *c = key->choices; c && c->word; c++)
        text_printf(why, "%s%s", c == key->choices ? first : c[1].word ? ", " : " or ", c->word);
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
    bool words_only = key->type == CONFIG_CHOICE;
    uint64_t number;
    int error;

    if (choice)
        return put(target, key, &choice->value, why);
    if (key->type == CONFIG_FUNCTION)
        error = config_function(value, &number);
    else
        error = words_only ? -EINVAL : config_number(value, 0, key->type == CONFIG_SIZE, &number);
    if (error == 0 && number >= key->min && number <= key->max)
        return put(target, key, &number, why);
    if (words_only || key->type == CONFIG_FUNCTION) {
        text_printf(why, words_only ? "must be " : "must be DD.F");
    } else {
        text_printf(why, error == -EINVAL ? "must be a %s from " : "%s out of range, must be from ",
                    key->type == CONFIG_SIZE ? "size" : "number");
        print_bound(key->type, key->min, why);
        text_printf(why, " to ");
        print_bound(key->type, key->max, why);
    }
    list_choices(key, why);
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

static int apply_text(struct config *config, void *target, const struct config_key *key,
                      const char *value, struct text *why)
{
    const char *copy = keep(config, value, why);

    return copy ? put(target, key, &copy, why) : -EINVAL;
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

    if (!config_range(value, &run)) {
        text_printf(why, "must be base+size with a size above 0 that ends within 64 bits");
        return -EINVAL;
    }
    if (key->min && !IS_ALIGNED(run.base | run.length, key->min)) {
        text_printf(why, "must be base+size in multiples of ");
        print_bound(CONFIG_SIZE, key->min, why);
        return -EINVAL;
    }
    return put(target, key, &run, why);
}

static bool same_selector(const struct pci_selector *a, const struct pci_selector *b)
{
    return a->by == b->by && a->value == b->value && a->mask == b->mask && a->number == b->number &&
           a->segment == b->segment && a->rid == b->rid && a->path_length == b->path_length &&
           memcmp(a->path, b->path, a->path_length) == 0;
}

static int apply_options(struct config *config, void *device, const struct config_keys *options,
                         const char *value, struct text *why)
{
    char word[CONFIG_SETTING_MAX];
    const char *end = value + strlen(value);
    uint64_t seen = 0;
    int more, error = 0;

    while (!error && (more = config_word(&value, end, word, sizeof(word))) > 0)
        error = config_set(config, device, options, word, config_split(word), &seen, *why);
    if (!error && more < 0)
        text_printf(why, "a double quote is not closed");
    return error ? error : more;
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
    config_preset(config, &given, key->options);
    if (apply_options(config, &given, key->options, value, why))
        return -EINVAL;
    return put(target, key, &given, why);
}

/*
 * Stores `value` as the key says: scalars at `target`, strings in `config`. 0, or -EINVAL with the
 * reason written to `why`, and no value changed.
 */
static int apply(struct config *config, void *target, const struct config_key *key,
                 const char *value, struct text *why)
{
    static int (*const by_type[])(struct config *, void *, const struct config_key *, const char *,
                                  struct text *) = {
        [CONFIG_NUMBER] = apply_number, [CONFIG_SIZE] = apply_number,
        [CONFIG_CHOICE] = apply_number, [CONFIG_STRING] = apply_text,
        [CONFIG_TEXT] = apply_text,     [CONFIG_WORDS] = apply_words,
        [CONFIG_ENV] = apply_env,       [CONFIG_RANGE] = apply_range,
        [CONFIG_DEVICE] = apply_device, [CONFIG_FUNCTION] = apply_number,
    };

    return by_type[key->type](config, target, key, value, why);
}

void config_preset(struct config *config, void *target, const struct config_keys *keys)
{
    struct text unused;
    char buffer[8];

    text_init(&unused, buffer, sizeof(buffer));
    for (const struct config_key *key = keys->key; key < keys->key + keys->count; key++)
        if (key->preset)
            (void)apply(config, target, key, key->preset, &unused);
}

int config_set(struct config *config, void *target, const struct config_keys *keys,
               const char *name, const char *value, uint64_t *seen, struct text why)
{
    const struct config_key *key = config_find(keys, name);
    uint64_t bit = key ? BIT(key - keys->key) : 0, before = *seen;

    if (!keys->count) {
        text_printf(&why, "'%s' behind the device: it has no options", name);
        return -EINVAL;
    }
    if (!key || !value) {
        text_printf(&why, "%s%s '%s', the nearest known %s is '%s'",
                    value ? "unknown " : "no '=' behind", value ? keys->what : "", name, keys->what,
                    config_nearest(keys, name)->name);
        return -EINVAL;
    }
    *seen |= bit;
    text_printf(&why, "%s: ", key->name);
    if (*value && (key->repeatable || !(before & bit)))
        return apply(config, target, key, value, &why);
    text_printf(&why, *value ? "given twice" : "has no value");
    return -EINVAL;
}
