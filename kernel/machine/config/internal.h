/* SPDX-License-Identifier: BSD-2-Clause */
/* What a configuration key is: the table's row, and the steps of applying one. Internal. */
#ifndef KERNEL_MACHINE_CONFIG_INTERNAL_H
#define KERNEL_MACHINE_CONFIG_INTERNAL_H

#include "kernel/machine/config/config.h"
#include "kernel/lib/format.h"

enum config_type {
    CONFIG_NUMBER,   /* decimal or 0x hexadecimal */
    CONFIG_SIZE,     /* a number of bytes, with K, M, G or T */
    CONFIG_CHOICE,   /* one of `choices` and nothing else */
    CONFIG_STRING,   /* one string */
    CONFIG_TEXT,     /* a string, added to a list of strings */
    CONFIG_WORDS,    /* several strings in one value, added to a list of strings */
    CONFIG_ENV,      /* NAME=value, added to a list of strings */
    CONFIG_RANGE,    /* base+size, or added to a list of them; both multiples of `min` */
    CONFIG_FUNCTION, /* DD.F, or one of `choices` */
    CONFIG_DEVICE,   /* a selector and options, added to a list of structures that begin with it */
};

/* A word that stands for a number; lists of them end with a NULL word. */
struct config_choice {
    const char *word;
    uint64_t value;
};

struct config_keys;

struct config_key {
    const char *name;
    enum config_type type;
    bool repeatable;
    uint16_t offset; /* where the value goes in struct config (or one of its devices) */
    uint16_t size;   /* bytes of that field; for lists of one element */
    uint16_t count;  /* lists: offset of the size_t that counts the elements */
    uint16_t most;   /* lists: how many elements fit; 0: not a list */
    uint64_t min, max;
    const struct config_choice *choices; /* CONFIG_NUMBER and CONFIG_SIZE: words beside numbers */
    const struct config_keys *options;   /* CONFIG_DEVICE: what may follow the selector */
    const char *preset;                  /* default, as a user would write it; NULL: empty list */
    const char *help;
};

struct config_keys {
    const struct config_key *key;
    size_t count;
    const char *what; /* it is: a key or an option */
};

extern const struct config_keys config_keys;           /* of a file and the command line */
extern const struct config_keys config_device_options; /* of one `device` value */
extern const struct config_keys config_leave_options;  /* of one `leave` value */
extern const struct config_keys config_no_options;     /* of a value that is a selector alone */

static inline bool config_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The longest setting, key and value together, with its terminating zero. */
#define CONFIG_SETTING_MAX 1024

/* NULL if there is no such key. */
const struct config_key *config_find(const struct config_keys *keys, const char *name);
/* The key whose name takes the fewest edits to reach; `keys` may not be empty. */
const struct config_key *config_nearest(const struct config_keys *keys, const char *name);

/* What stands before `end`: 0, -EINVAL (not a number), -ERANGE (does not fit 64 bits). */
int config_number(const char *text, char end, bool suffixes, uint64_t *out);
/* A device selector, into one that is zero but for the words; false if it is none. */
bool config_selector(const char *text, struct pci_selector *out);
/* "DD.F" as device 7:3 and function 2:0, with CONFIG_GIVEN; -EINVAL if it is none. */
int config_function(const char *text, uint64_t *out);
/* "base+size"; false unless size > 0 and the end fits 64 bits. */
bool config_range(const char *text, struct phys_run *out);
/*
 * Copies text from *at on without its double quotes; inside them \" and \\ stand for a quote and a
 * backslash. Stops at `end`, or with one_word at a blank outside quotes; *at is then behind what
 * was taken. 0, -EINVAL (a quote is not closed), -E2BIG (longer than size - 1).
 */
int config_unquote(const char **at, const char *end, bool one_word, char *out, size_t size);
/* Ends a word at its '='. What is behind that, or NULL: there is none. */
char *config_split(char *word);
/* The next word behind any blanks: 1, 0 when none is left, or an error of config_unquote(). */
int config_word(const char **at, const char *end, char *word, size_t size);

/*
 * Stores the value (NULL: there was no '=') of the key with this name: scalars at `target`, strings
 * in `config`. `seen` has a bit for each key already given. 0, or -EINVAL with the reason added to
 * the buffer of `why`, and no value changed.
 */
int config_set(struct config *config, void *target, const struct config_keys *keys,
               const char *name, const char *value, uint64_t *seen, struct text why);
/*
 * Sets every key that has a preset. One that its own key refuses is a mistake in the table, which
 * the unit test finds.
 */
void config_preset(struct config *config, void *target, const struct config_keys *keys);

#endif
