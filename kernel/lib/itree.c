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

/* Turns the subtree so that the child on `side` comes up; balances are the caller's business. */
static struct itree_node *rotate(struct itree *tree, struct itree_node *node, int side)
{
    struct itree_node *up = node->child[side];
    struct itree_node *inner = up->child[!side];

    relink(tree, node->parent, node, up);
    node->child[side] = inner;
    if (inner)
        inner->parent = node;
    up->child[!side] = node;
    node->parent = up;
    return up;
}

/* Repairs a node whose balance is 2 or -2. Returns the root of the repaired subtree. */
static struct itree_node *repair(struct itree *tree, struct itree_node *node)
{
    int side = node->balance > 0;
    int heavy = side ? 1 : -1;
    struct itree_node *child = node->child[side];
    struct itree_node *inner = child->child[!side];

    if (child->balance != -heavy) {
        bool lower = child->balance != 0; /* does the subtree lose height? */

        rotate(tree, node, side);
        node->balance = lower ? 0 : heavy;
        child->balance = lower ? 0 : -heavy;
        return child;
    }
    rotate(tree, child, !side);
    rotate(tree, node, side);
    node->balance = inner->balance == heavy ? -heavy : 0;
    child->balance = inner->balance == -heavy ? heavy : 0;
    inner->balance = 0;
    return inner;
}

bool itree_insert(struct itree *tree, struct itree_node *node)
{
    struct itree_node *parent = NULL;
    struct itree_node **link = &tree->root;

    while (*link) {
        parent = *link;
        if (node->last < parent->first)
            link = &parent->child[0];
        else if (node->first > parent->last)
            link = &parent->child[1];
        else
            return false;
    }
    node->child[0] = NULL;
    node->child[1] = NULL;
    node->parent = parent;
    node->balance = 0;
    *link = node;
    tree->count++;
    /* The subtree `node` has grown by one level. */
    for (; parent; node = parent, parent = parent->parent) {
        parent->balance += parent->child[1] == node ? 1 : -1;
        if (parent->balance == 0)
            break;
        if (parent->balance == 2 || parent->balance == -2) {
            repair(tree, parent);
            break;
        }
    }
    return true;
}

/* The subtree on `side` of the node has lost one level. */
static void shrunk(struct itree *tree, struct itree_node *node, int side)
{
    while (node) {
        struct itree_node *parent;

        node->balance += side ? -1 : 1;
        if (node->balance == 1 || node->balance == -1)
            return;
        if (node->balance != 0) {
            node = repair(tree, node);
            if (node->balance != 0)
                return;
        }
        parent = node->parent;
        side = parent && parent->child[1] == node;
        node = parent;
    }
}

/* Takes out a node with two children: the next node in order takes its place. */
static void remove_inner(struct itree *tree, struct itree_node *node)
{
    struct itree_node *next = itree_next(node);
    struct itree_node *from = next->parent; /* loses a level on `side` */
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
    next->balance = node->balance;
    relink(tree, node->parent, node, next);
    shrunk(tree, from, side);
}

void itree_remove(struct itree *tree, struct itree_node *node)
{
    struct itree_node *parent = node->parent;

    tree->count--;
    if (node->child[0] && node->child[1]) {
        remove_inner(tree, node);
    } else {
        int side = parent && parent->child[1] == node;

        relink(tree, parent, node, node->child[0] ? node->child[0] : node->child[1]);
        shrunk(tree, parent, side);
    }
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
