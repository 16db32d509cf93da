/* SPDX-License-Identifier: BSD-2-Clause */
/* Built from the top down: strings first, then the vectors that point to them. */
#include "kernel/linux/program/start_stack.h"
#include "kernel/lib/error.h"
#include "kernel/lib/string.h"

static const char platform[] = "x86_64";

struct builder {
    uint8_t *end; /* of the buffer; stands for `top` */
    size_t size;
    size_t used; /* from the end */
    uaddr_t top;
    bool full;
};

/* Room for `length` bytes below what is there; NULL once something did not fit. */
static void *reserve(struct builder *b, size_t length)
{
    if (b->full || length > b->size - b->used) {
        b->full = true;
        return NULL;
    }
    b->used += length;
    return b->end - b->used;
}

static uaddr_t push_bytes(struct builder *b, const void *bytes, size_t length)
{
    void *at = reserve(b, length);
    if (at)
        memcpy(at, bytes, length);
    return b->top - b->used;
}

static uaddr_t push_string(struct builder *b, const char *text)
{
    return push_bytes(b, text, strlen(text) + 1);
}

static uint64_t *put_auxiliary(uint64_t *at, uint64_t type, uint64_t value)
{
    at[0] = type;
    at[1] = value;
    return at + 2;
}

/* Writes the addresses of `count` strings that were pushed in order, the first at `first`. */
static uint64_t *put_strings(uint64_t *at, const char *const *texts, size_t count, uaddr_t first)
{
    for (size_t i = 0; i < count; i++) {
        *at++ = first;
        first += strlen(texts[i]) + 1;
    }
    return at;
}

/* Pushes strings so that they lie in order; returns the address of the first. */
static uaddr_t push_strings(struct builder *b, const char *const *texts, size_t count)
{
    for (size_t i = count; i > 0; i--)
        push_string(b, texts[i - 1]);
    return b->top - b->used;
}

int64_t start_stack_build(const struct start_arguments *a, uaddr_t top, void *buffer, size_t size,
                          struct start_layout *layout)
{
    struct builder b = {.end = (uint8_t *)buffer + size, .size = size, .top = top};
    uaddr_t machine = push_bytes(&b, platform, sizeof(platform));
    uaddr_t env_end = top - b.used;
    uaddr_t env = push_strings(&b, a->env, a->env_count);
    uaddr_t args = push_strings(&b, a->args, a->arg_count);
    uaddr_t name = push_string(&b, a->name);
    uaddr_t random = push_bytes(&b, a->random, sizeof(a->random));

    /* argc, argv with its end, the environment with its end, 3 pointers and the end of auxv. */
    size_t words = 1 + (1 + a->arg_count + 1) + (a->env_count + 1) + 2 * (a->auxiliary_count + 4);
    size_t padding = (b.used + words * sizeof(uint64_t)) % 16;
    reserve(&b, padding ? 16 - padding : 0);
    uint64_t *at = reserve(&b, words * sizeof(uint64_t));
    if (!at)
        return -E2BIG;
    *at++ = 1 + a->arg_count;
    *at++ = name;
    at = put_strings(at, a->args, a->arg_count, args);
    *at++ = 0;
    at = put_strings(at, a->env, a->env_count, env);
    *at++ = 0;
    uaddr_t auxiliary = top - (uaddr_t)(b.end - (uint8_t *)at);
    for (size_t i = 0; i < a->auxiliary_count; i++)
        at = put_auxiliary(at, a->auxiliary[i].type, a->auxiliary[i].value);
    at = put_auxiliary(at, AUX_EXECFN, name);
    at = put_auxiliary(at, AUX_PLATFORM, machine);
    at = put_auxiliary(at, AUX_RANDOM, random);
    at = put_auxiliary(at, AUX_NULL, 0);
    *layout = (struct start_layout){
        .args = {name, env},
        .env = {env, env_end},
        .auxiliary = {auxiliary, top - (uaddr_t)(b.end - (uint8_t *)at)},
    };
    return (int64_t)b.used;
}
