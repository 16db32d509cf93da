/* SPDX-License-Identifier: BSD-2-Clause */
/* The two syntaxes: lines of a file and words of a command line. */
#include "kernel/machine/config/config.h"

#include "kernel/machine/config/internal.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"

#define NAME_SIZE 40 /* what messages show of one */

/* A text being read. */
struct source {
    struct config *config;
    const char *name;
    const char *unit; /* what stands before `position`: a line or a word */
    unsigned position;
    uint64_t seen; /* one bit for each key of the table */
    struct config_error *error;
    int status;
};

/* Remembers the first mistake: "bulkhead.conf:3: " and what is wrong. */
static void fail(struct source *source, const char *what, const char *detail)
{
    struct text text;

    if (source->status)
        return;
    source->status = -EINVAL;
    text_init(&text, source->error->message, sizeof(source->error->message));
    text_printf(&text, "%s%s%u: %s%s", source->name, source->unit, source->position, what, detail);
}

static void set(struct source *source, const char *name, const char *value)
{
    char reason[160];
    struct text why;

    text_init(&why, reason, sizeof(reason));
    if (config_set(source->config, source->config, &config_keys, name, value, &source->seen, why))
        fail(source, reason, "");
}

/* Letters of any script are fine in values; control characters are a damaged or binary file. */
static bool printable(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)text[i] < ' ' && text[i] != '\t') || text[i] == 0x7f)
            return false;
    return true;
}

/* The end of what is before a comment: a # outside quotes, first on the line or behind a blank. */
static const char *before_comment(const char *line, const char *end)
{
    bool quoted = false;

    for (const char *p = line; p < end; p++) {
        if (quoted && *p == '\\' && p + 1 < end)
            p++;
        else if (*p == '"')
            quoted = !quoted;
        else if (*p == '#' && !quoted && (p == line || config_blank(p[-1])))
            return p;
    }
    return end;
}

static void trim(const char **start, const char **end)
{
    while (*start < *end && config_blank(**start))
        (*start)++;
    while (*start < *end && config_blank((*end)[-1]))
        (*end)--;
}

/* Copies [start, end) out as a string; one that is too long is cut, which only messages see. */
static void copy_text(char *to, size_t size, const char *start, const char *end)
{
    size_t length = MIN((size_t)(end - start), size - 1);

    memcpy(to, start, length);
    to[length] = 0;
}

/* Lists take their value as it stands and split it; every other value loses its quotes here. */
static void take_value(struct source *source, const char *name, const char *start, const char *end)
{
    const struct config_key *key = config_find(&config_keys, name);
    char value[CONFIG_SETTING_MAX];

    if (!key || key->type == CONFIG_WORDS || key->type == CONFIG_DEVICE)
        copy_text(value, sizeof(value), start, end);
    else if (config_unquote(&start, end, false, value, sizeof(value)))
        return fail(source, name, ": a double quote is not closed");
    set(source, name, value);
}

static void take_line(struct source *source, const char *start, const char *end)
{
    char name[NAME_SIZE];
    const char *equals, *name_end, *value;

    if (end > start && end[-1] == '\r')
        end--;
    if (!printable(start, (size_t)(end - start)))
        return fail(source, "control character", "");
    end = before_comment(start, end);
    trim(&start, &end);
    if (start == end)
        return;
    if ((size_t)(end - start) >= CONFIG_SETTING_MAX)
        return fail(source, "longer than 1023 characters", "");
    equals = memchr(start, '=', (size_t)(end - start));
    name_end = equals ? equals : end;
    trim(&start, &name_end);
    copy_text(name, sizeof(name), start, name_end);
    if (!equals)
        return set(source, name, NULL);
    value = equals + 1;
    trim(&value, &end);
    take_value(source, name, value, end);
}

static void take_word(struct source *source, char *word)
{
    const char *value = config_split(word);

    word[MIN(strlen(word), (size_t)NAME_SIZE - 1)] = 0;
    set(source, word, value);
}

int config_parse_file(struct config *config, const char *name, const char *text, size_t length,
                      struct config_error *error)
{
    struct source source = {.config = config, .name = name, .unit = ":", .error = error};
    const char *end = text + length;

    for (const char *line = text; line < end;) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *line_end = newline ? newline : end;

        source.position++;
        take_line(&source, line, line_end);
        line = newline ? newline + 1 : end;
    }
    return source.status;
}

int config_parse_words(struct config *config, const char *name, const char *text, size_t length,
                       struct config_error *error)
{
    struct source source = {.config = config, .name = name, .unit = ", word ", .error = error};
    char word[CONFIG_SETTING_MAX];
    const char *end = text + length;
    int more;

    source.position = 1;
    if (!printable(text, length)) {
        fail(&source, "control character", "");
        return source.status;
    }
    while ((more = config_word(&text, end, word, sizeof(word))) > 0) {
        take_word(&source, word);
        source.position++;
    }
    if (more == -E2BIG)
        fail(&source, "longer than 1023 characters", "");
    else if (more)
        fail(&source, "a double quote is not closed", "");
    return source.status;
}

void config_defaults(struct config *config)
{
    memset(config, 0, sizeof(*config));
    config_preset(config, config, &config_keys);
}
