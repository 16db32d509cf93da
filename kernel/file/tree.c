/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows that the layers of the kernel add to the tree. */
#include "kernel/file/tree.h"
#include "kernel/file/node.h"
#include "kernel/lib/string.h"

#define MODE_NODE_DEVICE    0600
#define MODE_NODE_SHOWN     0444
#define MODE_NODE_STORED    0200
#define MODE_NODE_LINK      0777
#define MODE_NODE_DIRECTORY 0555

#define PATH_SIZE   128  /* of a text in a folder */
#define REMOVE_WORK 1000 /* of one node: breathe_deaf_after() */

/* Drops directories that existed only for what was in them. */
static void prune(struct node *directory)
{
    while (directory && directory->implicit && list_empty(&directory->children)) {
        struct node *parent = directory->parent;
        node_remove(directory);
        directory = parent;
    }
}

/* The directory that a node goes into, made as needed; *name is left at the last component. */
static int parent_of(const char *path, struct node **out, const char **name)
{
    struct node *at = node_root();
    *name = path + 1;
    for (const char *slash; (slash = strchr(*name, '/')); *name = slash + 1) {
        size_t length = (size_t)(slash - *name);
        struct node *next = node_find(at, *name, length);
        if (!next) {
            int error = node_add(at, *name, length, NODE_DIRECTORY, MODE_NODE_DIRECTORY,
                                 (union node_content){0}, &next);
            if (error) {
                prune(at);
                return error;
            }
            next->implicit = true;
        }
        if (next->type != NODE_DIRECTORY)
            return -EEXIST;
        at = next;
    }
    *out = at;
    return 0;
}

static int add_node(const char *path, enum node_type type, uint32_t mode, union node_content is)
{
    struct node *parent, *node;
    const char *name;
    int error = parent_of(path, &parent, &name);
    if (error)
        return error;
    error = node_add(parent, name, strlen(name), type, mode, is, &node);
    if (error)
        prune(parent);
    return error;
}

int tree_add_device(const char *path, unsigned major, unsigned minor, tree_open open, void *context)
{
    return add_node(path, NODE_DEVICE, MODE_NODE_DEVICE,
                    (union node_content){.device = {major, minor, 0, open, context}});
}

int tree_add_file(const char *path, uint32_t mode, uint64_t size, tree_open open, void *context)
{
    return add_node(path, NODE_FILE, mode,
                    (union node_content){.device = {0, 0, size, open, context}});
}

static int add_row(const char *path, const struct tree_text *row, void *context)
{
    void *data = row->data ? (void *)(uintptr_t)row->data : context;
    uint32_t mode = (row->show ? MODE_NODE_SHOWN : 0) | (row->store ? MODE_NODE_STORED : 0);
    return mode ? add_node(path, NODE_TEXT, mode,
                           (union node_content){.text = {row->show, row->store, data}})
                : tree_add_link(path, data);
}

int tree_add_text(const char *path, tree_show show, void *context)
{
    return add_row(path, &(const struct tree_text)TREE_READ(path, show), context);
}

int tree_store_same(void *context, tree_show show, const char *text)
{
    char shown[TREE_STORE_MAX];
    size_t length = strlen(text);
    struct text out;
    text_init(&out, shown, sizeof(shown));
    show(context, &out);
    return out.length == length + 1 && memcmp(shown, text, length) == 0 ? 0 : -EINVAL;
}

/* A path for each of a row's names. */
static int add_names(const char *folder, const struct tree_text *row, void *context)
{
    char path[PATH_SIZE];
    int error = 0;
    for (const char *end, *name = row->names; !error && name; name = end ? end + 1 : NULL) {
        end = strchr(name, ' ');
        int length = (int)(end ? (size_t)(end - name) : strlen(name));
        bool fits = format(path, sizeof(path), "%s/%.*s", folder, length, name) < sizeof(path);
        error = fits ? add_row(path, row, context) : -ENAMETOOLONG;
    }
    return error;
}

int tree_add_texts(const char *folder, const struct tree_text *texts, size_t count, void *context)
{
    int error = 0;
    for (size_t i = 0; !error && i < count; i++)
        error = add_names(folder, &texts[i], context);
    if (error && *folder)
        tree_remove(folder);
    return error;
}

int tree_add_link(const char *path, const char *target)
{
    return add_node(path, NODE_LINK, MODE_NODE_LINK,
                    (union node_content){.to = {.target = target}});
}

int tree_add_told_link(const char *path, tree_show show, tree_file file, void *context)
{
    return add_node(path, NODE_LINK, MODE_NODE_LINK,
                    (union node_content){.to = {NULL, show, file, context}});
}

int tree_add_numbers(const char *path, const struct node_numbers *numbers)
{
    return add_node(path, NODE_DIRECTORY, MODE_NODE_DIRECTORY,
                    (union node_content){.numbers = numbers});
}

static struct node *find_node(const char *path)
{
    struct node *at = node_root();
    for (const char *name = path + 1; at && *name;) {
        const char *slash = strchr(name, '/');
        size_t length = slash ? (size_t)(slash - name) : strlen(name);
        at = node_find(at, name, length);
        name += length + (slash != NULL);
    }
    return at;
}

int tree_add_directory(const char *path)
{
    int error = tree_add_numbers(path, NULL);
    if (error != -EEXIST)
        return error;
    struct node *node = find_node(path);
    if (!node || node->type != NODE_DIRECTORY || !node->implicit)
        return -EEXIST;
    node->implicit = false;
    return 0;
}

int tree_add_ram(const char *path, struct ramfile *file, uint32_t mode)
{
    return add_node(path, NODE_RAM, mode, (union node_content){.ram = file});
}

static struct node *deepest_first(struct node *node)
{
    while (!list_empty(&node->children))
        node = list_first(&node->children, struct node, link);
    return node;
}

void tree_remove(const char *path)
{
    struct node *top = find_node(path);
    if (!top || top == node_root())
        return;
    struct node *parent = top->parent;
    while (!list_empty(&top->children))
        node_remove(deepest_first(top));
    node_remove(top);
    prune(parent);
}

uint64_t tree_mark(void)
{
    return node_last_inode();
}

/* Children before their directory. */
static struct node *next_upwards(struct node *node)
{
    struct node *parent = node->parent;
    if (node->link.next == &parent->children)
        return parent;
    return deepest_first(list_entry(node->link.next, struct node, link));
}

void tree_remove_since(uint64_t mark)
{
    struct node *node = deepest_first(node_root());
    while (node != node_root()) {
        struct node *next = next_upwards(node);
        breathe_deaf_after(REMOVE_WORK, "files");
        if (node->inode > mark && list_empty(&node->children))
            node_remove(node);
        node = next;
    }
}
