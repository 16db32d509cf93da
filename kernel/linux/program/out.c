/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/linux/program/out.h"
#include "kernel/file/node.h"
#include "kernel/file/ramfile.h"
#include "kernel/lib/string.h"
#include "kernel/machine/console/stream.h"

struct entry {
    uint64_t size;
    uint32_t mode; /* type and permission bits */
    char name[NODE_NAME_MAX];
} __attribute__((packed));

static void send_entry(const struct node *node, const struct file_stat *stat)
{
    struct entry entry = {.size = stat->size, .mode = stat->mode};
    size_t length = strlen(node->name);

    memcpy(entry.name, node->name, length);
    stream_send(STREAM_FILE, &entry, offsetof(struct entry, name) + length);
}

static void send_bytes(const struct ramfile *ram, uint64_t size)
{
    for (uint64_t at = 0, length; at < size; at += length) {
        const void *bytes;

        length = size - at;
        bytes = ramfile_peek(ram, at, &length);
        if (bytes)
            stream_send_memory(STREAM_FILE_DATA, at, bytes, MIN(length, size - at));
    }
}

/* What comes behind a node below `top` and all that is in it; NULL: nothing. */
static struct node *behind(struct node *node, const struct node *top)
{
    for (;; node = node->parent) {
        if (node == top)
            return NULL;
        if (node->type == NODE_DIRECTORY)
            stream_send(STREAM_FILE_UP, NULL, 0);
        if (node->link.next != &node->parent->children)
            return list_entry(node->link.next, struct node, link);
    }
}

/* No calls in each other: there may be as many directories in each other as there are nodes. */
void out_send(uint64_t limit)
{
    struct node *top = node_find(node_root(), &OUT_PATH[1], strlen(&OUT_PATH[1]));
    struct node *node = top;

    while (node) {
        struct file_stat stat;

        node = list_empty(&node->children) ? behind(node, top)
                                           : list_first(&node->children, struct node, link);
        if (!node)
            break;
        node_stat(node, &stat);
        send_entry(node, &stat);
        if (node->type == NODE_RAM && stat.size <= limit) {
            send_bytes(node->is.ram, stat.size);
            limit -= stat.size;
        }
    }
    stream_send(STREAM_FILE_END, NULL, 0);
}
