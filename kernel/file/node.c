/* SPDX-License-Identifier: BSD-2-Clause */
/* The tree itself: links between nodes, references, names. */
#include "kernel/file/node.h"
#include "kernel/file/ramfile.h"
#include "kernel/lib/panic.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"

#define LINK_TOLD_SIZE 64 /* of a link whose text is made when it is read, as Linux says */

static struct node root = {
    .link = LIST_INIT(root.link),
    .children = LIST_INIT(root.children),
    .type = NODE_DIRECTORY,
    .references = 1,
    .inode = 1,
    .mode = 0755,
};
static uint64_t last_number = NODE_ORDER_PARENT;
static unsigned node_count;

static const uint32_t type_bits[] = {
    [NODE_DIRECTORY] = MODE_DIRECTORY, [NODE_DEVICE] = MODE_CHARACTER, [NODE_TEXT] = MODE_REGULAR,
    [NODE_LINK] = MODE_LINK,           [NODE_RAM] = MODE_REGULAR,      [NODE_FILE] = MODE_REGULAR,
};

struct node *node_root(void)
{
    return &root;
}

uint64_t node_last_inode(void)
{
    return last_number;
}

struct node *node_get(struct node *node)
{
    node->references++;
    return node;
}

void node_put(struct node *node)
{
    if (!node)
        return;
    ASSERT(node->references > 0);
    if (--node->references > 0)
        return;
    ASSERT(node != &root);
    if (node->type == NODE_LINK)
        kfree((void *)(uintptr_t)node->is.to.target);
    if (node->type == NODE_RAM)
        ramfile_put(node->is.ram);
    kfree(node->name);
    kfree(node);
    node_count--;
}

/* Where a name is, or belongs, among the names of a directory. */
struct name_place {
    struct rb_node *parent;
    enum rb_side side;
};

static struct node *find_name(struct node *directory, const char *name, size_t length,
                              struct name_place *place)
{
    struct rb_node *at = directory->names.root;
    *place = (struct name_place){0};
    while (at) {
        struct node *node = rb_entry(at, struct node, by_name);
        int order = strncmp(name, node->name, length);
        if (order == 0 && node->name[length] == 0)
            return node;
        place->parent = at;
        /* What the other name begins with comes before it. */
        place->side = order > 0 ? RB_RIGHT : RB_LEFT;
        at = at->child[place->side];
    }
    return NULL;
}

struct node *node_find(struct node *directory, const char *name, size_t length)
{
    struct name_place place;
    return find_name(directory, name, length, &place);
}

/* Puts a node, whose name no other has, into a directory. */
static void link_node(struct node *node, struct node *directory)
{
    struct name_place place;
    find_name(directory, node->name, strlen(node->name), &place);
    rb_insert(&directory->names, &node->by_name, place.parent, place.side);
    list_push_back(&directory->children, &node->link);
    node->parent = directory;
}

/* Reading goes on after the one before. */
static void forget_read(struct node *directory, const struct node *node)
{
    bool first = directory->children.next == &node->link;

    if (directory->read_last == node)
        directory->read_last = first ? NULL : list_entry(node->link.prev, struct node, link);
}

static void unlink_node(struct node *node)
{
    forget_read(node->parent, node);
    rb_remove(&node->parent->names, &node->by_name);
    list_remove(&node->link);
    node->parent = NULL;
}

static char *text_copy(const char *name, size_t length)
{
    char *copy = kmalloc(length + 1);
    if (copy) {
        memcpy(copy, name, length);
        copy[length] = 0;
    }
    return copy;
}

/* May an entry of this name be put into the directory? */
static int node_check_place(struct node *directory, const char *name, size_t length)
{
    if (directory->type != NODE_DIRECTORY)
        return -ENOTDIR;
    if (length > NODE_NAME_MAX)
        return -ENAMETOOLONG;
    if (directory != &root && !directory->parent)
        return -ENOENT;
    return node_find(directory, name, length) ? -EEXIST : 0;
}

int node_add(struct node *directory, const char *name, size_t length, enum node_type type,
             uint32_t mode, union node_content is, struct node **out)
{
    int error = node_check_place(directory, name, length);
    if (error)
        return error;
    if (node_count >= NODE_QUOTA)
        return -ENOSPC;
    struct node *node = kzalloc(sizeof(*node));
    if (!node)
        return -ENOMEM;
    node->name = text_copy(name, length);
    bool copies = type == NODE_LINK && is.to.target;
    if (copies)
        is.to.target = text_copy(is.to.target, strlen(is.to.target));
    if (!node->name || (copies && !is.to.target)) {
        kfree(copies ? (void *)(uintptr_t)is.to.target : NULL);
        kfree(node->name);
        kfree(node);
        return -ENOMEM;
    }
    node->is = is;
    node->huge = directory->huge;
    list_init(&node->children);
    node->type = type;
    node->references = 1;
    node->inode = ++last_number;
    node->order = node->inode;
    node->mode = mode;
    link_node(node, directory);
    node_count++;
    *out = node;
    return 0;
}

void node_remove(struct node *node)
{
    ASSERT(node != &root && list_empty(&node->children));
    unlink_node(node);
    node_put(node);
}

bool node_is_below(const struct node *node, const struct node *top)
{
    for (; node; node = node->parent) {
        if (node == top)
            return true;
    }
    return false;
}

int node_move(struct node *node, struct node *directory, const char *name, struct node *victim)
{
    int error = node_check_place(directory, name, strlen(name));
    if (error && !(error == -EEXIST && victim))
        return error;
    char *copy = text_copy(name, strlen(name));
    if (!copy)
        return -ENOMEM;
    if (victim)
        node_remove(victim);
    unlink_node(node);
    kfree(node->name);
    node->name = copy;
    node->order = ++last_number; /* keeps the list sorted */
    link_node(node, directory);
    return 0;
}

int node_path(const struct node *node, char *buffer, size_t size)
{
    size_t length = 0;
    for (const struct node *up = node; up != &root; up = up->parent) {
        if (!up->parent)
            return -ENOENT;
        length += strlen(up->name) + 1;
        if (length >= size) /* also so that no depth makes this long */
            return -ERANGE;
    }
    if (MAX(length, 1) + 1 > size)
        return -ERANGE;
    if (length == 0)
        buffer[length++] = '/';
    buffer[length] = 0;
    size_t at = length;
    for (const struct node *up = node; up != &root; up = up->parent) {
        size_t n = strlen(up->name);
        at -= n;
        memcpy(buffer + at, up->name, n);
        buffer[--at] = '/';
    }
    return (int)length;
}

void node_stat(const struct node *node, struct file_stat *out)
{
    *out = (struct file_stat){
        .inode = node->inode,
        .mode = type_bits[node->type] | node->mode,
        .links = node->parent || node == &root ? 1 : 0,
    };
    if (node->type == NODE_DIRECTORY)
        out->links++;
    if (node->type == NODE_LINK)
        out->size = node->is.to.target ? strlen(node->is.to.target) : LINK_TOLD_SIZE;
    if (node->type == NODE_DEVICE) {
        out->major = node->is.device.major;
        out->minor = node->is.device.minor;
    }
    if (node->type == NODE_FILE)
        out->size = node->is.device.size;
    if (node->type == NODE_RAM)
        ramfile_stat(node->is.ram, out);
}
