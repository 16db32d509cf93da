/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/avl.h"

static int height(const struct avl_node *node)
{
    return node ? node->height : 0;
}

/* True if the node is not what it was for those above. */
static bool refresh(struct avl_tree *tree, struct avl_node *node)
{
    int before = node->height;
    bool changed = tree->update && tree->update(node);

    node->height = 1 + MAX(height(node->child[AVL_LEFT]), height(node->child[AVL_RIGHT]));
    return changed || node->height != before;
}

/* Makes `with` (or nothing) hang where `node` hangs. */
static void replace(struct avl_tree *tree, struct avl_node *node, struct avl_node *with)
{
    struct avl_node *parent = node->parent;

    if (!parent)
        tree->root = with;
    else
        parent->child[parent->child[AVL_RIGHT] == node] = with;
    if (with)
        with->parent = parent;
}

/* Lifts the child of the other side above `node`: which goes down to `side`. */
static struct avl_node *rotate(struct avl_tree *tree, struct avl_node *node, enum avl_side side)
{
    struct avl_node *lifted = node->child[!side];
    struct avl_node *middle = lifted->child[side];

    replace(tree, node, lifted);
    lifted->child[side] = node;
    node->parent = lifted;
    node->child[!side] = middle;
    if (middle)
        middle->parent = node;
    refresh(tree, node);
    refresh(tree, lifted);
    return lifted;
}

/* Balances one node whose subtrees are balanced; returns the root of the subtree. */
static struct avl_node *balance(struct avl_tree *tree, struct avl_node *node)
{
    int lean = height(node->child[AVL_RIGHT]) - height(node->child[AVL_LEFT]);
    enum avl_side heavy = lean > 0 ? AVL_RIGHT : AVL_LEFT;
    struct avl_node *child;

    if (lean >= -1 && lean <= 1)
        return node;
    child = node->child[heavy];
    if (height(child->child[!heavy]) > height(child->child[heavy]))
        rotate(tree, child, heavy);
    return rotate(tree, node, !heavy);
}

/* Stops where nothing changes any more, but not below `moved`, which is new in its place. */
static void fix_upwards(struct avl_tree *tree, struct avl_node *node, const struct avl_node *moved)
{
    while (node) {
        bool changed = refresh(tree, node);
        struct avl_node *top = balance(tree, node);

        if (node == moved)
            moved = NULL;
        else if (!changed && !moved && top == node)
            return;
        node = top->parent;
    }
}

void avl_insert(struct avl_tree *tree, struct avl_node *node, struct avl_node *parent,
                enum avl_side side)
{
    *node = (struct avl_node){.parent = parent};
    if (parent)
        parent->child[side] = node;
    else
        tree->root = node;
    fix_upwards(tree, node, node);
}

void avl_remove(struct avl_tree *tree, struct avl_node *node)
{
    struct avl_node *fix = node->parent;
    struct avl_node *next;

    if (!node->child[AVL_LEFT] || !node->child[AVL_RIGHT]) {
        replace(tree, node, node->child[!node->child[AVL_LEFT]]);
        fix_upwards(tree, fix, NULL);
        return;
    }
    /* Two children: the next node in order, which has no left child, takes the place. */
    next = avl_next(node);
    fix = next->parent == node ? next : next->parent;
    replace(tree, next, next->child[AVL_RIGHT]);
    replace(tree, node, next);
    for (int side = AVL_LEFT; side <= AVL_RIGHT; side++) {
        next->child[side] = node->child[side];
        if (next->child[side])
            next->child[side]->parent = next;
    }
    fix_upwards(tree, fix, next);
}

void avl_changed(struct avl_tree *tree, struct avl_node *node)
{
    while (node && tree->update && tree->update(node))
        node = node->parent;
}

static struct avl_node *outermost(struct avl_node *node, enum avl_side side)
{
    while (node && node->child[side])
        node = node->child[side];
    return node;
}

struct avl_node *avl_first(const struct avl_tree *tree)
{
    return outermost(tree->root, AVL_LEFT);
}

struct avl_node *avl_last(const struct avl_tree *tree)
{
    return outermost(tree->root, AVL_RIGHT);
}

static struct avl_node *neighbour(const struct avl_node *node, enum avl_side side)
{
    if (node->child[side])
        return outermost(node->child[side], !side);
    while (node->parent && node->parent->child[side] == node)
        node = node->parent;
    return node->parent;
}

struct avl_node *avl_next(const struct avl_node *node)
{
    return neighbour(node, AVL_RIGHT);
}

struct avl_node *avl_previous(const struct avl_node *node)
{
    return neighbour(node, AVL_LEFT);
}
