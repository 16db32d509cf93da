/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/itree.h"

/* Puts `node` (may be NULL) where `old` hangs below `parent` (NULL: the root). */
static void relink(struct itree *tree, struct itree_node *parent, const struct itree_node *old,
                   struct itree_node *node)
{
    if (!parent)
        tree->root = node;
    else
        parent->child[parent->child[1] == old] = node;
    if (node)
        node->parent = parent;
}

/* Turns the subtree so that the child on `side` comes up. */
static void rotate(struct itree *tree, struct itree_node *node, int side)
{
    struct itree_node *up = node->child[side];
    struct itree_node *inner = up->child[!side];

    relink(tree, node->parent, node, up);
    node->child[side] = inner;
    if (inner)
        inner->parent = node;
    up->child[!side] = node;
    node->parent = up;
}

/* The node and its parent are red. Moves the trouble up until it can be turned away. */
static __attribute__((noinline)) void repair_red(struct itree *tree, struct itree_node *node)
{
    struct itree_node *parent;

    while ((parent = node->parent) && parent->red) {
        struct itree_node *grandparent = parent->parent; /* a red node is never the root */
        int side = grandparent->child[1] == parent;
        struct itree_node *uncle = grandparent->child[!side];

        grandparent->red = true;
        if (uncle && uncle->red) {
            parent->red = uncle->red = false;
            node = grandparent;
            continue;
        }
        if (parent->child[!side] == node) {
            rotate(tree, parent, !side);
            parent = node;
        }
        parent->red = false;
        rotate(tree, grandparent, side);
        break;
    }
    tree->root->red = false;
}

bool itree_insert(struct itree *tree, struct itree_node *node)
{
    struct itree_node *at = tree->root;
    struct itree_node *parent = NULL;
    int side = 0;

    while (at) {
        parent = at;
        side = node->first > at->last;
        if (!side && node->last >= at->first)
            return false;
        at = at->child[side];
    }
    node->child[0] = NULL;
    node->child[1] = NULL;
    node->parent = parent;
    node->red = parent != NULL;
    tree->count++;
    if (!parent) {
        tree->root = node;
    } else {
        parent->child[side] = node;
        if (parent->red)
            repair_red(tree, node);
    }
    return true;
}

static bool is_red(const struct itree_node *node)
{
    return node && node->red;
}

/*
 * The subtree on `side` of `parent` has one black node too few on every way down. Its sibling has
 * some to give, or passes the lack up.
 */
static __attribute__((noinline)) void repair_black(struct itree *tree, struct itree_node *parent,
                                                   int side)
{
    while (parent) {
        struct itree_node *node = parent->child[side];
        struct itree_node *sibling = parent->child[!side];

        if (is_red(node)) {
            node->red = false;
            return;
        }
        if (sibling->red) {
            sibling->red = false;
            parent->red = true;
            rotate(tree, parent, !side);
            sibling = parent->child[!side];
        }
        if (is_red(sibling->child[0]) || is_red(sibling->child[1])) {
            if (!is_red(sibling->child[!side])) {
                sibling->child[side]->red = false;
                sibling->red = true;
                rotate(tree, sibling, side);
                sibling = parent->child[!side];
            }
            sibling->red = parent->red;
            parent->red = false;
            sibling->child[!side]->red = false;
            rotate(tree, parent, !side);
            return;
        }
        sibling->red = true;
        if (parent->red) {
            parent->red = false;
            return;
        }
        node = parent;
        parent = node->parent;
        side = parent && parent->child[1] == node;
    }
}

/* Takes out a node with two children: the next node in order takes its place. */
static __attribute__((noinline)) void remove_inner(struct itree *tree, struct itree_node *node)
{
    struct itree_node *next = itree_next(node);
    struct itree_node *from = next->parent; /* loses a node on `side` */
    bool lost_red = next->red;
    int side = 0;

    if (from == node) {
        from = next;
        side = 1;
    } else {
        relink(tree, from, next, next->child[1]);
        next->child[1] = node->child[1];
        next->child[1]->parent = next;
    }
    next->child[0] = node->child[0];
    next->child[0]->parent = next;
    next->red = node->red;
    relink(tree, node->parent, node, next);
    if (!lost_red)
        repair_black(tree, from, side);
}

void itree_remove(struct itree *tree, struct itree_node *node)
{
    struct itree_node *parent = node->parent;
    struct itree_node *child = node->child[0] ? node->child[0] : node->child[1];
    int side;

    tree->count--;
    if (node->child[0] && node->child[1]) {
        remove_inner(tree, node);
        return;
    }
    if (!parent) {
        tree->root = child;
        if (child) {
            child->parent = NULL;
            child->red = false;
        }
        return;
    }
    side = parent->child[1] == node;
    parent->child[side] = child;
    if (child)
        child->parent = parent;
    if (!node->red)
        repair_black(tree, parent, side);
}

struct itree_node *itree_find(const struct itree *tree, uint64_t first, uint64_t last)
{
    struct itree_node *node = tree->root;
    struct itree_node *found = NULL;

    while (node) {
        if (node->last < first) {
            node = node->child[1];
        } else if (node->first <= first) {
            return node; /* nothing lower can reach into the range */
        } else {
            if (node->first <= last)
                found = node;
            node = node->child[0];
        }
    }
    return found;
}

/* The outermost node on `side` of a subtree. */
static struct itree_node *outermost(struct itree_node *node, int side)
{
    while (node && node->child[side])
        node = node->child[side];
    return node;
}

/* The neighbour on `side` of a node. */
static struct itree_node *neighbour(const struct itree_node *node, int side)
{
    if (node->child[side])
        return outermost(node->child[side], !side);
    while (node->parent && node->parent->child[side] == node)
        node = node->parent;
    return node->parent;
}

struct itree_node *itree_first(const struct itree *tree)
{
    return outermost(tree->root, 0);
}

struct itree_node *itree_next(const struct itree_node *node)
{
    return neighbour(node, 1);
}

struct itree_node *itree_previous(const struct itree_node *node)
{
    return neighbour(node, 0);
}
