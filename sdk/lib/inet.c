/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses of IPv4, IPv6 and Ethernet, and their texts. */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/ether.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDS 8 /* of 16 bits in an address of IPv6 */

/* IPv4 */

static bool parse_4(const char *text, uint8_t out[4])
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned value = 0, digits = 0;
        for (; isdigit((unsigned char)*text) && digits < 4; digits++)
            value = value * 10 + (unsigned)(*text++ - '0');
        bool leading_zero = digits > 1 && text[-(int)digits] == '0';
        if (digits < 1 || digits > 3 || value > 255 || leading_zero)
            return false;
        out[i] = (uint8_t)value;
        if (*text++ != (i < 3 ? '.' : '\0'))
            return false;
    }
    return true;
}

/* The older forms, too: 127.1, 0x7f000001. What is behind the number may be blanks. */
int inet_aton(const char *text, struct in_addr *out)
{
    static const uint32_t most[] = {0xffffffff, 0xffffff, 0xffff, 0xff};
    unsigned long parts[4];
    unsigned count = 0;
    char *end;

    for (;;) {
        if (!isdigit((unsigned char)*text) || count == 4)
            return 0;
        parts[count++] = strtoul(text, &end, 0);
        if (*end != '.')
            break;
        text = end + 1;
    }
    if ((*end && !isspace((unsigned char)*end)) || parts[count - 1] > most[count - 1])
        return 0;
    uint32_t address = (uint32_t)parts[count - 1];
    for (unsigned i = 0; i + 1 < count; i++) {
        if (parts[i] > 255)
            return 0;
        address |= (uint32_t)parts[i] << (24 - 8 * i);
    }
    out->s_addr = htonl(address);
    return 1;
}

in_addr_t inet_addr(const char *text)
{
    struct in_addr address;
    return inet_aton(text, &address) ? address.s_addr : INADDR_NONE;
}

char *inet_ntoa(struct in_addr address)
{
    static char text[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, &address, text, sizeof(text));
    return text;
}

/* IPv6 */

/* One group of hexadecimal digits; how many there were. */
static unsigned parse_group(const char *text, uint16_t *out)
{
    unsigned value = 0, digits = 0;

    for (; digits < 5 && isxdigit((unsigned char)text[digits]); digits++)
        value = value * 16 + (unsigned)(isdigit((unsigned char)text[digits])
                                            ? text[digits] - '0'
                                            : tolower((unsigned char)text[digits]) - 'a' + 10);
    *out = (uint16_t)value;
    return digits;
}

/* Moves the groups behind :: to the end, and fills the gap with zeros. */
static bool spread(uint16_t words[WORDS], unsigned count, int gap)
{
    if (gap < 0)
        return count == WORDS;
    if (count == WORDS)
        return false;
    unsigned behind = count - (unsigned)gap;
    memmove(words + WORDS - behind, words + gap, behind * sizeof(words[0]));
    memset(words + gap, 0, (WORDS - count) * sizeof(words[0]));
    return true;
}

/* The last 32 bits may be written as those of IPv4. */
static bool parse_tail_4(const char *text, uint16_t words[WORDS], unsigned *count)
{
    uint8_t bytes[4];

    if (*count > WORDS - 2 || !parse_4(text, bytes))
        return false;
    words[(*count)++] = (uint16_t)(bytes[0] << 8 | bytes[1]);
    words[(*count)++] = (uint16_t)(bytes[2] << 8 | bytes[3]);
    return true;
}

static bool parse_6(const char *text, uint16_t words[WORDS])
{
    unsigned count = 0;
    int gap = -1;

    if (text[0] == ':' && *++text != ':')
        return false;
    for (;;) {
        if (*text == ':') {
            if (gap >= 0)
                return false;
            gap = (int)count;
            if (*++text == '\0')
                return spread(words, count, gap);
        }
        uint16_t group;
        unsigned digits = parse_group(text, &group);
        if (text[digits] == '.')
            return parse_tail_4(text, words, &count) && spread(words, count, gap);
        if (digits < 1 || digits > 4 || count == WORDS)
            return false;
        words[count++] = group;
        text += digits;
        if (*text == '\0')
            return spread(words, count, gap);
        if (*text++ != ':' || *text == '\0')
            return false;
    }
}

/* The longest run of two or more zero groups, which is written as ::. */
static void find_zeros(const uint16_t words[WORDS], unsigned *first, unsigned *length)
{
    *first = WORDS;
    *length = 1;
    for (unsigned i = 0, run = 0; i < WORDS; i++) {
        run = words[i] == 0 ? run + 1 : 0;
        if (run > *length) {
            *length = run;
            *first = i + 1 - run;
        }
    }
}

static void format_6(const struct in6_addr *address, char text[INET6_ADDRSTRLEN])
{
    uint16_t words[WORDS];
    unsigned first, length;
    size_t at = 0;

    for (unsigned i = 0; i < WORDS; i++)
        words[i] = ntohs(address->s6_addr16[i]);
    find_zeros(words, &first, &length);
    bool mapped = first == 0 && (length == 6 || (length == 5 && words[5] == 0xffff));
    for (unsigned i = 0; i < (mapped ? 6U : WORDS); i++) {
        if (i == first) {
            at += (size_t)snprintf(text + at, INET6_ADDRSTRLEN - at, i == 0 ? "::" : ":");
            i += length - 1;
            continue;
        }
        at += (size_t)snprintf(text + at, INET6_ADDRSTRLEN - at, "%x%s", words[i],
                               i < WORDS - 1 ? ":" : "");
    }
    if (mapped)
        inet_ntop(AF_INET, &address->s6_addr32[3], text + at, (socklen_t)(INET6_ADDRSTRLEN - at));
}

/* Both */

int inet_pton(int family, const char *restrict text, void *restrict out)
{
    uint16_t words[WORDS];
    uint8_t bytes[4];

    if (family == AF_INET) {
        if (!parse_4(text, bytes))
            return 0;
        memcpy(out, bytes, sizeof(bytes));
        return 1;
    }
    if (family != AF_INET6) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    if (!parse_6(text, words))
        return 0;
    for (unsigned i = 0; i < WORDS; i++)
        words[i] = htons(words[i]);
    memcpy(out, words, sizeof(words));
    return 1;
}

const char *inet_ntop(int family, const void *restrict address, char *restrict out, socklen_t size)
{
    char text[INET6_ADDRSTRLEN];
    const uint8_t *bytes = address;

    if (family != AF_INET && family != AF_INET6) {
        errno = EAFNOSUPPORT;
        return NULL;
    }
    if (family == AF_INET)
        snprintf(text, sizeof(text), "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
    else
        format_6(address, text);
    if (strlen(text) >= size) {
        errno = ENOSPC;
        return NULL;
    }
    return memcpy(out, text, strlen(text) + 1);
}

/* Ethernet */

char *ether_ntoa_r(const struct ether_addr *address, char *text)
{
    const uint8_t *byte = address->ether_addr_octet;

    sprintf(text, "%x:%x:%x:%x:%x:%x", byte[0], byte[1], byte[2], byte[3], byte[4], byte[5]);
    return text;
}

char *ether_ntoa(const struct ether_addr *address)
{
    static char text[18];
    return ether_ntoa_r(address, text);
}

struct ether_addr *ether_aton_r(const char *text, struct ether_addr *out)
{
    for (unsigned i = 0; i < ETH_ALEN; i++) {
        uint16_t value;
        unsigned digits = parse_group(text, &value);
        if (digits < 1 || digits > 2)
            return NULL;
        out->ether_addr_octet[i] = (uint8_t)value;
        text += digits;
        if (i < ETH_ALEN - 1 && *text++ != ':')
            return NULL;
    }
    return out;
}

struct ether_addr *ether_aton(const char *text)
{
    static struct ether_addr address;
    return ether_aton_r(text, &address);
}
