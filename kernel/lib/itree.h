/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Interval tree: disjoint ranges of 64-bit numbers, both ends inclusive, in a balanced tree
 * (kernel/lib/rbtree.h). Finding, adding and removing take O(log n) steps. The links live inside
 * the elements.
 */
#ifndef KERNEL_LIB_ITREE_H
#define KERNEL_LIB_ITREE_H

#include "kernel/lib/rbtree.h"

struct itree_node {
    struct rb_node links;
    uint64_t first; /* set by the owner before itree_insert(), constant while in the tree */
    uint64_t last;
};

struct itree {
    struct rb_tree nodes;
    size_t count;
};

static inline void itree_init(struct itree *tree)
{
    *tree = (struct itree){0};
}

static inline struct itree_node *itree_of(struct rb_node *links)
{
    return rb_entry(links, struct itree_node, links);
}

/* Adds a node with first <= last. False, and nothing changed, if it overlaps one in the tree. */
static inline bool itree_insert(struct itree *tree, struct itree_node *node)
{
    struct rb_node *at = tree->nodes.root, *parent = NULL;
    int side = RB_LEFT;

    while (at) {
        const struct itree_node *other = itree_of(at);

        side = node->first > other->last;
        if (!side && node->last >= other->first)
            return false;
        parent = at;
        at = at->child[side];
    }
    rb_insert(&tree->nodes, &node->links, parent, side);
    tree->count++;
    return true;
}

static inline void itree_remove(struct itree *tree, struct itree_node *node)
{
    tree->count--;
    rb_remove(&tree->nodes, &node->links);
}

/* The lowest node that has a number in [first, last], or NULL. */
struct itree_node *itree_find(const struct itree *tree, uint64_t first, uint64_t last);

/* Neighbours in order, NULL at the ends. */
static inline struct itree_node *itree_first(const struct itree *tree)
{
    return itree_of(rb_first(&tree->nodes));
}

static inline struct itree_node *itree_next(const struct itree_node *node)
{
    return itree_of(rb_next(&node->links));
}

#endif
