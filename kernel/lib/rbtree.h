/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Balanced binary trees (red-black) with the nodes inside the elements. The user searches and
 * compares; this file links, balances, and keeps what each node says about its subtree up to date.
 * For disjoint ranges of numbers there is a search, too: kernel/lib/itree.h.
 *
 * Red-black and not AVL, because adding one element among many then changes next to nothing above
 * it; an AVL tree that was filled in order changes up to its root.
 */
#ifndef KERNEL_LIB_RBTREE_H
#define KERNEL_LIB_RBTREE_H

#include "kernel/lib/types.h"

enum rb_side {
    RB_LEFT,
    RB_RIGHT,
};

struct rb_node {
    struct rb_node *child[2];
    struct rb_node *parent;
    bool red; /* no red node has a red parent; all ways down meet equally many black nodes */
};

struct rb_tree {
    struct rb_node *root;
    /*
     * Computes what a node keeps about its subtree, in whatever shape that is, from itself and its
     * children. True if that is not what it was; then the nodes above must be told. May be NULL.
     */
    bool (*update)(struct rb_node *node);
};

/*
 * Puts a node where a search ended: below `parent` on the side that was empty; parent NULL when the
 * tree is empty. O(log n), as removing is.
 */
void rb_insert(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent,
               enum rb_side side);
void rb_remove(struct rb_tree *tree, struct rb_node *node);
/* Tells the tree that what `update` reads of this node has changed. May be NULL. */
void rb_changed(struct rb_tree *tree, struct rb_node *node);

/* In order. NULL at the end. */
struct rb_node *rb_first(const struct rb_tree *tree);
struct rb_node *rb_last(const struct rb_tree *tree);
struct rb_node *rb_next(const struct rb_node *node);
struct rb_node *rb_previous(const struct rb_node *node);

/* The element around a node; NULL for NULL. */
#define rb_entry(node, type, member)                                                               \
    ({                                                                                             \
        struct rb_node *rb_entry_node = (node);                                                    \
        rb_entry_node ? container_of(rb_entry_node, type, member) : NULL;                          \
    })

#endif
