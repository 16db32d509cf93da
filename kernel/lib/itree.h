/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interval tree: disjoint ranges of 64-bit numbers, both ends inclusive, in a red-black tree.
 * Finding, adding and removing take O(log n) steps. The links live inside the elements.
 *
 * Red-black and not AVL (kernel/lib/avl.h), because adding one range among many then changes next
 * to nothing above it; an AVL tree that was filled in order changes up to its root.
 */
#ifndef KERNEL_LIB_ITREE_H
#define KERNEL_LIB_ITREE_H

#include "kernel/lib/types.h"

struct itree_node {
    uint64_t first; /* set by the owner before itree_insert(), constant while in the tree */
    uint64_t last;
    struct itree_node *child[2]; /* below, above */
    struct itree_node *parent;
    bool red; /* no red node has a red parent; all ways down meet equally many black nodes */
};

struct itree {
    struct itree_node *root;
    size_t count;
};

static inline void itree_init(struct itree *tree)
{
    tree->root = NULL;
    tree->count = 0;
}

/* Adds a node with first <= last. False, and nothing changed, if it overlaps one in the tree. */
bool itree_insert(struct itree *tree, struct itree_node *node);
void itree_remove(struct itree *tree, struct itree_node *node);

/* The lowest node that has a number in [first, last], or NULL. */
struct itree_node *itree_find(const struct itree *tree, uint64_t first, uint64_t last);
/* Neighbours in order, NULL at the ends. */
struct itree_node *itree_first(const struct itree *tree);
struct itree_node *itree_next(const struct itree_node *node);
struct itree_node *itree_previous(const struct itree_node *node);

#endif
