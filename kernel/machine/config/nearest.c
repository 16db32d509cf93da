/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding keys by name, and the one a misspelt name probably meant. */
#include "kernel/machine/config/internal.h"

#include "kernel/lib/string.h"

#define NAME_MAX 32 /* longer misspellings are compared by their beginning */

const struct config_key *config_find(const struct config_keys *keys, const char *name)
{
    for (size_t i = 0; i < keys->count; i++)
        if (strcmp(keys->key[i].name, name) == 0)
            return &keys->key[i];
    return NULL;
}

/* Levenshtein distance: insertions, deletions and substitutions that turn `a` into `b`. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[NAME_MAX + 1];
    size_t columns = strnlen(b, NAME_MAX);

    for (size_t j = 0; j <= columns; j++)
        row[j] = j;
    for (size_t i = 0; i < NAME_MAX && a[i]; i++) {
        size_t diagonal = row[0];

        row[0] = i + 1;
        for (size_t j = 0; j < columns; j++) {
            size_t substitute = diagonal + (a[i] != b[j]);

            diagonal = row[j + 1];
            row[j + 1] = MIN(substitute, MIN(row[j], row[j + 1]) + 1);
        }
    }
    return row[columns];
}

const struct config_key *config_nearest(const struct config_keys *keys, const char *name)
{
    const struct config_key *best = &keys->key[0];
    size_t least = edit_distance(best->name, name);

    for (size_t i = 1; i < keys->count; i++) {
        size_t distance = edit_distance(keys->key[i].name, name);

        if (distance < least) {
            least = distance;
            best = &keys->key[i];
        }
    }
    return best;
}
