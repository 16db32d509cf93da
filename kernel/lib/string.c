/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/string.h"
#include "kernel/lib/types.h"

/*
 * The compiler calls these for structure copies too, so they are written with string instructions:
 * a plain loop would be turned back into a call of itself.
 */

void *memcpy(void *to, const void *from, size_t n)
{
    void *result = to;
    size_t words = n / 8;
    size_t tail = n % 8;

    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(tail) : : "memory");
    return result;
}

static void copy_backwards(void *to, const void *from, size_t n)
{
    char *last_to = (char *)to + n - 1;
    const char *last_from = (const char *)from + n - 1;

    __asm__ volatile("std\n\trep movsb\n\tcld"
                     : "+D"(last_to), "+S"(last_from), "+c"(n)
                     :
                     : "memory", "cc");
}

void *memmove(void *to, const void *from, size_t n)
{
    if ((uintptr_t)to - (uintptr_t)from >= n)
        return memcpy(to, from, n);
    copy_backwards(to, from, n);
    return to;
}

void *memset(void *to, int byte, size_t n)
{
    void *result = to;
    uint64_t pattern = (uint64_t)(uint8_t)byte * UINT64_C(0x0101010101010101);
    size_t words = n / 8;
    size_t tail = n % 8;

    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(tail) : "a"(pattern) : "memory");
    return result;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const uint8_t *x = a;
    const uint8_t *y = b;

    for (size_t i = 0; i < n; i++)
        if (x[i] != y[i])
            return x[i] - y[i];
    return 0;
}

void *memchr(const void *s, int byte, size_t n)
{
    const uint8_t *x = s;

    for (size_t i = 0; i < n; i++)
        if (x[i] == (uint8_t)byte)
            return (void *)(uintptr_t)(x + i);
    return NULL;
}

size_t strlen(const char *s)
{
    const char *end = s;

    while (*end)
        end++;
    return (size_t)(end - s);
}

size_t strnlen(const char *s, size_t max)
{
    size_t n = 0;

    while (n < max && s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (uint8_t)*a - (uint8_t)*b;
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i] || !a[i])
            return (uint8_t)a[i] - (uint8_t)b[i];
    }
    return 0;
}

char *strchr(const char *s, int c)
{
    for (;; s++) {
        if (*s == (char)c)
            return (char *)(uintptr_t)s;
        if (!*s)
            return NULL;
    }
}
