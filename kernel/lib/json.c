/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/json.h"
#include "kernel/lib/format.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"

#define JSON_DEPTH_MAX 63

static void put(struct json *j, const char *text)
{
    j->write(j->context, text, strlen(text));
}

/* A quoted string; everything that is not printable ASCII is escaped byte by byte. */
static void put_quoted(struct json *j, const char *text)
{
    put(j, "\"");
    for (; *text; text++) {
        uint8_t c = (uint8_t)*text;

        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\')
            put(j, format_short("%c", c));
        else
            put(j, format_short("\\u%04x", c));
    }
    put(j, "\"");
}

/* The comma and the key in front of any element. */
static void put_key(struct json *j, const char *key)
{
    if (j->comma & BIT(j->depth))
        put(j, ",");
    j->comma |= BIT(j->depth);
    put(j, "\n");
    for (unsigned i = 0; i < j->depth; i++)
        put(j, " ");
    if (!key)
        return;
    put_quoted(j, key);
    put(j, ": ");
}

static void open_level(struct json *j, const char *key, const char *bracket)
{
    if (j->depth || key)
        put_key(j, key);
    put(j, bracket);
    ASSERT(j->depth < JSON_DEPTH_MAX);
    j->depth++;
    j->comma &= ~BIT(j->depth);
}

static void close_level(struct json *j, const char *bracket)
{
    ASSERT(j->depth);
    j->depth--;
    put(j, bracket);
    if (!j->depth)
        put(j, "\n");
}

void json_init(struct json *j, void (*write)(void *, const char *, size_t), void *context)
{
    *j = (struct json){.write = write, .context = context};
}

void json_object(struct json *j, const char *key)
{
    open_level(j, key, "{");
}

void json_array(struct json *j, const char *key)
{
    open_level(j, key, "[");
}

void json_end_object(struct json *j)
{
    close_level(j, "}");
}

void json_end_array(struct json *j)
{
    close_level(j, "]");
}

void json_string(struct json *j, const char *key, const char *value)
{
    put_key(j, key);
    put_quoted(j, value);
}

static void put_member(struct json *j, const char *key, const char *value)
{
    put_key(j, key);
    put(j, value);
}

void json_uint(struct json *j, const char *key, uint64_t value)
{
    put_member(j, key, format_short("%lu", value));
}

void json_int(struct json *j, const char *key, int64_t value)
{
    put_member(j, key, format_short("%ld", value));
}

void json_bool(struct json *j, const char *key, bool value)
{
    put_member(j, key, value ? "true" : "false");
}

void json_hex(struct json *j, const char *key, uint64_t value)
{
    put_member(j, key, format_short("\"0x%lx\"", value));
}
