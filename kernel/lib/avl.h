/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Balanced binary trees (AVL) with the nodes inside the elements. The user searches and compares;
 * this file links, balances, and keeps what each node says about its subtree up to date.
 *
 * For elements that grow and shrink where they are, or that are sought by what lies below them (the
 * largest gap between mappings). Heights are kept on the same way up as that, so balancing adds
 * little. Ranges that never change have a faster tree: kernel/lib/itree.h.
 */
#ifndef KERNEL_LIB_AVL_H
#define KERNEL_LIB_AVL_H

#include "kernel/lib/types.h"

enum avl_side {
    AVL_LEFT,
    AVL_RIGHT,
};

struct avl_node {
    struct avl_node *child[2];
    struct avl_node *parent;
    int height; /* of the subtree; 1 for a leaf */
};

struct avl_tree {
    struct avl_node *root;
    /*
     * Computes what a node keeps about its subtree from itself and its children. True if that is
     * not what it was; then the nodes above must be told. May be NULL.
     */
    bool (*update)(struct avl_node *node);
};

/*
 * Puts a node where a search ended: below `parent` on the side that was empty; parent NULL when the
 * tree is empty.
 */
void avl_insert(struct avl_tree *tree, struct avl_node *node, struct avl_node *parent,
                enum avl_side side);
void avl_remove(struct avl_tree *tree, struct avl_node *node);
/* Tells the tree that what `update` reads of this node has changed. */
void avl_changed(struct avl_tree *tree, struct avl_node *node);

/* In order. NULL at the end. */
struct avl_node *avl_first(const struct avl_tree *tree);
struct avl_node *avl_last(const struct avl_tree *tree);
struct avl_node *avl_next(const struct avl_node *node);
struct avl_node *avl_previous(const struct avl_node *node);

/* The element around a node; NULL for NULL. */
#define avl_entry(node, type, member)                                                              \
    ({                                                                                             \
        struct avl_node *avl_entry_node = (node);                                                  \
        avl_entry_node ? container_of(avl_entry_node, type, member) : NULL;                        \
    })

#endif
