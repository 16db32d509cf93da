/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nodes: what a path leads to. The nodes that the kernel adds (tree.h) and the files that the
 * payload makes under /tmp and /dev/shm live in the same tree. No function here sleeps but
 * node_put(), and what calls it, when it releases the memory of a file.
 */
#ifndef KERNEL_FILE_NODE_H
#define KERNEL_FILE_NODE_H

#include "kernel/file/file.h"
#include "kernel/file/tree.h"
#include "kernel/lib/rbtree.h"
#include "kernel/lib/list.h"

#define NODE_NAME_MAX 255u  /* bytes, without the terminating zero */
#define NODE_QUOTA    65536 /* nodes in the whole tree: kernel memory a payload may tie up */

/* Orders of the two entries every directory has; those of nodes begin above. */
#define NODE_ORDER_SELF   1
#define NODE_ORDER_PARENT 2

enum node_type {
    NODE_DIRECTORY,
    NODE_DEVICE,
    NODE_FILE, /* as a device, but regular */
    NODE_TEXT,
    NODE_LINK,
    NODE_RAM,
};

/* A directory whose entries are numbers that come and go by themselves: descriptors, threads. */
struct node_numbers {
    int (*next)(int from); /* the lowest one there is from here on; -1: none */
    /* Adds its node, once; that stays, and is no entry while there is no such number. */
    int (*add)(int number);
};

struct node_link {
    const char *target; /* NULL: it is told */
    tree_show show;     /* and the others: tree_add_told_link() */
    tree_file file;
    void *context;
};

struct node_device {
    unsigned major, minor; /* of NODE_DEVICE */
    uint64_t size;         /* of NODE_FILE */
    tree_open open;
    void *context;
};

struct node_text {
    tree_show show;
    tree_store store;
    void *context;
};

union node_content {
    struct node_device device;
    struct node_text text;
    struct node_link to;
    const struct node_numbers *numbers; /* of a directory; NULL: it has only its children */
    struct ramfile *ram;
};

struct node {
    struct list link;    /* among the parent's children, by ascending order */
    struct node *parent; /* NULL: the root, or removed from the tree */
    struct list children;
    struct rb_node by_name; /* in the parent's names */
    struct rb_tree names;   /* the children again, by name */
    struct node *read_last; /* a child, where reading may go on; NULL: none */
    enum node_type type;
    unsigned references; /* the tree's own counts as one */
    uint64_t inode;      /* never used twice */
    uint64_t order;      /* never used twice: a directory is read in this order */
    uint32_t mode;       /* permission bits */
    bool implicit;       /* a directory made for a node below it: goes with the last of them */
    bool writable;       /* the payload may create below it, or write to it */
    bool huge;           /* of the file system of huge pages: a directory, or a file in RAM */
    char *name;
    union node_content is;
};

struct node *node_root(void);
/* The highest inode number given out so far. */
uint64_t node_last_inode(void);
struct node *node_get(struct node *node);
/* Accepts NULL. The last reference of a file in RAM lets others in while its memory is released. */
void node_put(struct node *node);

struct node *node_find(struct node *directory, const char *name, size_t length);
/*
 * A new child of the file system that the directory is of. A link's target is copied; a file in RAM
 * is taken over. -EEXIST, -ENAMETOOLONG, -ENOSPC (quota), -ENOMEM, -ENOTDIR, -ENOENT when the
 * directory itself was removed. The tree keeps the reference.
 */
int node_add(struct node *directory, const char *name, size_t length, enum node_type type,
             uint32_t mode, union node_content is, struct node **out);
/* Takes a node, which has no children, out of the tree. */
void node_remove(struct node *node);
/* Is it `top` itself, or somewhere below? */
bool node_is_below(const struct node *node, const struct node *top);
/*
 * Moves it below a directory that is not below itself; `victim`, unless NULL, is what has the name
 * there and goes, and has no children. -ENAMETOOLONG, -ENOMEM, -ENOENT (the directory is removed).
 */
int node_move(struct node *node, struct node *directory, const char *name, struct node *victim);
/* The absolute path with a terminating zero: its length, or -ERANGE, or -ENOENT when removed. */
int node_path(const struct node *node, char *buffer, size_t size);
void node_stat(const struct node *node, struct file_stat *out);

#endif
