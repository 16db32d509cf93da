/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/replay/file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_LINE "bulkhead-machine 1"
#define WORDS_MAX  64
#define LINE_MAX   1024

/* What is read now. */
static struct {
    const char *name;
    unsigned line;
    char *words[WORDS_MAX];
    size_t count;
    struct replay_file *file;
    /* Where lines `bytes` go: the table or function above them. */
    uint8_t *bytes;
    uint32_t bytes_size, bytes_end;
    struct replay_function *function;
    bool ended;
} now;

__attribute__((format(printf, 1, 2))) static _Noreturn void bad(const char *form, ...)
{
    va_list arguments;

    fprintf(stderr, "%s:%u: ", now.name, now.line);
    va_start(arguments, form);
    vfprintf(stderr, form, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(2);
}

static void *must(void *memory)
{
    if (!memory)
        bad("no memory");
    return memory;
}

static const char *word(size_t at)
{
    if (at >= now.count)
        bad("'%s' needs more words", now.words[0]);
    return now.words[at];
}

static void words_are(size_t count)
{
    word(count - 1);
    if (now.count > count)
        bad("'%s' has a word too many: '%s'", now.words[0], now.words[count]);
}

static uint64_t number(size_t at, int base, uint64_t most)
{
    const char *text = word(at);
    const char *digits = base == 16 ? "0123456789abcdef" : "0123456789";
    uint64_t value;

    errno = 0;
    value = strtoull(text, NULL, base);
    if (!*text || text[strspn(text, digits)] || errno || value > most)
        bad("'%s' is no number from 0 to %s%llx", text, "0x", (unsigned long long)most);
    return value;
}

/* ---- one function for each word that a line may begin with ---- */

static void read_missing(void)
{
    static const struct {
        const char *what;
        size_t flag;
    } known[] = {
        {"tables:", offsetof(struct replay_file, lacks_tables)},
        {"config:", offsetof(struct replay_file, lacks_config)},
        {"memory:", offsetof(struct replay_file, lacks_memory)},
    };

    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        if (strcmp(word(1), known[i].what) == 0)
            *((bool *)now.file + known[i].flag) = true;
}

/* For people: the kernel asks the processor itself. */
static void read_cpu(void)
{
    static const char *const numbers[] = {"family", "model", "stepping"};

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        if (strcmp(word(1), numbers[i]) != 0)
            continue;
        words_are(3);
        number(2, 10, UINT32_MAX);
        return;
    }
    if (strcmp(word(1), "address-bits") == 0) {
        words_are(4);
        number(2, 10, 64);
        number(3, 10, 64);
    } else if (strcmp(word(1), "vendor") == 0) {
        words_are(3);
    } else if (strcmp(word(1), "flags") != 0) {
        bad("'cpu %s' is not known", word(1));
    }
}

static void read_cpuid(void)
{
    words_are(6);
    for (size_t i = 1; i < 6; i++)
        number(i, 16, UINT32_MAX);
}

static void read_memory(void)
{
    static const char *const others[] = {"reserved", "acpi",       "nvs",
                                         "unusable", "persistent", "other"};
    struct replay_file *file = now.file;
    struct replay_range *range = &file->ranges[file->range_count];
    uint64_t last;
    bool known;

    words_are(4);
    if (file->range_count == REPLAY_RANGES_MAX)
        bad("there are more than %d ranges of memory", REPLAY_RANGES_MAX);
    range->base = number(1, 16, UINT64_MAX);
    last = number(2, 16, UINT64_MAX - 1);
    if (last < range->base)
        bad("the range ends before it begins");
    range->length = last - range->base + 1;
    range->kind = strcmp(word(3), "ram") == 0 ? REPLAY_RAM : REPLAY_RESERVED;
    known = range->kind == REPLAY_RAM;
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        known |= strcmp(word(3), others[i]) == 0;
    if (!known)
        bad("'%s' is no kind of memory", word(3));
    file->range_count++;
}

static void expect_bytes(uint8_t *bytes, uint32_t size)
{
    now.bytes = bytes;
    now.bytes_size = size;
    now.bytes_end = 0;
}

static void read_table(void)
{
    struct replay_file *file = now.file;
    struct replay_table *table = &file->tables[file->table_count];

    words_are(3);
    if (file->table_count == REPLAY_TABLES_MAX)
        bad("there are more than %d tables", REPLAY_TABLES_MAX);
    if (strlen(word(1)) != 4)
        bad("'%s' is no name of a table", word(1));
    memcpy(table->name, word(1), 5);
    for (size_t i = 0; i < file->table_count; i++)
        if (strcmp(file->tables[i].name, table->name) == 0)
            bad("there is a table %s already", table->name);
    table->length = (uint32_t)number(2, 10, REPLAY_TABLE_MAX);
    if (table->length < 36)
        bad("a table has 36 bytes at least");
    table->bytes = must(calloc(1, table->length));
    file->table_count++;
    now.function = NULL;
    expect_bytes(table->bytes, table->length);
}

static void read_unit(void)
{
    struct replay_file *file = now.file;
    struct replay_unit *unit = &file->units[file->unit_count];

    words_are(5);
    if (file->unit_count == REPLAY_UNITS_MAX)
        bad("there are more than %d units", REPLAY_UNITS_MAX);
    *unit = (struct replay_unit){number(1, 16, UINT64_MAX), (uint32_t)number(2, 16, 0xff),
                                 number(3, 16, UINT64_MAX), number(4, 16, UINT64_MAX)};
    for (size_t i = 0; i < file->unit_count; i++)
        if (file->units[i].base == unit->base)
            bad("there is a unit at %s already", word(1));
    file->unit_count++;
}

static uint32_t place_of(const struct replay_function *function)
{
    return (uint32_t)function->segment << 16 | function->rid;
}

static void read_function(void)
{
    struct replay_file *file = now.file;
    struct replay_function *function = must(calloc(1, sizeof(*function)));
    unsigned segment, bus, device, which;
    char shown[16];

    words_are(3);
    if (file->function_count == REPLAY_FUNCTIONS_MAX)
        bad("there are more than %d functions", REPLAY_FUNCTIONS_MAX);
    if (sscanf(word(1), "%4x:%2x:%2x.%1x", &segment, &bus, &device, &which) != 4 || device > 31 ||
        which > 7)
        bad("'%s' is no place of a function", word(1));
    snprintf(shown, sizeof(shown), "%04x:%02x:%02x.%x", segment, bus, device, which);
    if (strcmp(shown, word(1)) != 0)
        bad("'%s' is no place of a function", word(1));
    function->segment = (uint16_t)segment;
    function->rid = (uint16_t)(bus << 8 | device << 3 | which);
    function->size = (unsigned)number(2, 10, sizeof(function->config));
    if (function->size != 64 && function->size != 256 && function->size != 4096)
        bad("configuration space has 64, 256 or 4096 bytes, not %u", function->size);
    if (file->function_count &&
        place_of(file->functions[file->function_count - 1]) >= place_of(function))
        bad("functions are in rising order, each once");
    file->functions[file->function_count++] = function;
    now.function = function;
    expect_bytes(function->config, function->size);
}

static unsigned digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c ? strchr(digits, c) : NULL;

    if (!found)
        bad("'%c' is no hexadecimal digit", c);
    return (unsigned)(found - digits);
}

static void read_bytes(void)
{
    uint32_t at, length;
    const char *hex;

    words_are(3);
    if (!now.bytes)
        bad("bytes of what? There is no table or function above");
    at = (uint32_t)number(1, 16, UINT32_MAX);
    hex = word(2);
    length = (uint32_t)(strlen(hex) / 2);
    if (strlen(hex) % 2 || at < now.bytes_end || at > now.bytes_size ||
        length > now.bytes_size - at)
        bad("%u bytes at 0x%x do not follow what is above, or exceed its %u", length, at,
            now.bytes_size);
    for (uint32_t i = 0; i < length; i++)
        now.bytes[at + i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
    now.bytes_end = at + length;
}

static void read_bar(void)
{
    uint64_t size;
    unsigned index;

    words_are(3);
    if (!now.function)
        bad("a BAR of what? There is no function above");
    index = (unsigned)number(1, 10, REPLAY_BARS - 1);
    size = number(2, 16, UINT64_C(1) << 62);
    if (size & (size - 1))
        bad("the size of a BAR is a power of two");
    now.function->bars[index] = size;
}

static void read_end(void)
{
    words_are(1);
    now.ended = true;
}

static const struct {
    const char *word;
    void (*read)(void);
} readers[] = {
    {"missing", read_missing},   {"cpu", read_cpu},     {"cpuid", read_cpuid},
    {"memory", read_memory},     {"table", read_table}, {"unit", read_unit},
    {"function", read_function}, {"bytes", read_bytes}, {"bar", read_bar},
    {"end", read_end},
};

static void split(char *line)
{
    char *rest = line;
    char *part;

    now.count = 0;
    while ((part = strsep(&rest, " "))) {
        if (!*part)
            bad("words have one blank between them");
        if (now.count == WORDS_MAX)
            bad("there are more than %d words", WORDS_MAX);
        now.words[now.count++] = part;
    }
}

static void read_line(char *line)
{
    if (now.line == 1 && strcmp(line, FIRST_LINE) != 0)
        bad("this is no file of ./bulkhead collect, or one of another version: its first line is "
            "not '%s'",
            FIRST_LINE);
    if (now.line == 1)
        return;
    if (now.ended)
        bad("there is something behind 'end'");
    split(line);
    for (size_t i = 0; i < ARRAY_SIZE(readers); i++) {
        if (strcmp(now.words[0], readers[i].word) == 0) {
            readers[i].read();
            return;
        }
    }
    bad("no line begins with '%s'", now.words[0]);
}

void replay_read(const char *name, struct replay_file *out)
{
    static char line[LINE_MAX];
    FILE *from = fopen(name, "r");

    now.name = name;
    now.file = out;
    if (!from)
        bad("cannot be read: %s", strerror(errno));
    while (fgets(line, sizeof(line), from)) {
        size_t length = strlen(line);

        now.line++;
        if (!length || line[length - 1] != '\n')
            bad("a line is longer than %d bytes, or does not end", LINE_MAX - 2);
        line[length - 1] = 0;
        read_line(line);
    }
    fclose(from);
    if (!now.ended)
        bad("the file is cut off: there is no 'end'");
}
