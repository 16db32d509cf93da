/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/rbtree.h"

/* Puts `node` (may be NULL) where `old` hangs below `parent` (NULL: the root). */
static void relink(struct rb_tree *tree, struct rb_node *parent, const struct rb_node *old,
                   struct rb_node *node)
{
    if (!parent)
        tree->root = node;
    else
        parent->child[parent->child[RB_RIGHT] == old] = node;
    if (node)
        node->parent = parent;
}

/* Turns the subtree so that the child on `side` comes up. */
static void rotate(struct rb_tree *tree, struct rb_node *node, int side)
{
    struct rb_node *up = node->child[side];
    struct rb_node *inner = up->child[!side];

    relink(tree, node->parent, node, up);
    node->child[side] = inner;
    if (inner)
        inner->parent = node;
    up->child[!side] = node;
    node->parent = up;
    if (!tree->update)
        return;
    tree->update(node);
    tree->update(up); /* of the same elements as before: nothing is new for those above */
}

void rb_changed(struct rb_tree *tree, struct rb_node *node)
{
    while (node && tree->update && tree->update(node))
        node = node->parent;
}

/* ---- adding ---- */

/* The node is red; its parent may be. Moves the trouble up until it can be turned away. */
static void repair_red(struct rb_tree *tree, struct rb_node *node)
{
    struct rb_node *parent;

    while ((parent = node->parent) && parent->red) {
        struct rb_node *grandparent = parent->parent; /* a red node is never the root */
        int side = grandparent->child[RB_RIGHT] == parent;
        struct rb_node *uncle = grandparent->child[!side];

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

/* What most nodes do not need. */
static APART void settle_added(struct rb_tree *tree, struct rb_node *node)
{
    if (tree->update)
        tree->update(node);
    rb_changed(tree, node->parent);
    repair_red(tree, node);
}

void rb_insert(struct rb_tree *tree, struct rb_node *node, struct rb_node *parent,
               enum rb_side side)
{
    node->child[RB_LEFT] = NULL;
    node->child[RB_RIGHT] = NULL;
    node->parent = parent;
    node->red = parent != NULL;
    if (parent)
        parent->child[side] = node;
    else
        tree->root = node;
    if (tree->update || (parent && parent->red))
        settle_added(tree, node);
}

/* ---- removing ---- */

static bool is_red(const struct rb_node *node)
{
    return node && node->red;
}

/*
 * The subtree on `side` of `parent` has one black node too few on every way down. Its sibling has
 * some to give, or passes the lack up.
 */
static void repair_black(struct rb_tree *tree, struct rb_node *parent, int side)
{
    while (parent) {
        struct rb_node *node = parent->child[side];
        struct rb_node *sibling = parent->child[!side];

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
        if (is_red(sibling->child[RB_LEFT]) || is_red(sibling->child[RB_RIGHT])) {
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
        side = parent && parent->child[RB_RIGHT] == node;
    }
}

/* `next` came into another place; its subtree lost something below `from`, or at its root. */
static void update_from(struct rb_tree *tree, struct rb_node *from, struct rb_node *next)
{
    if (!tree->update)
        return;
    for (; from != next; from = from->parent)
        tree->update(from);
    tree->update(next);
    rb_changed(tree, next->parent);
}

/* Takes out a node with two children: the next node in order takes its place. */
static APART void remove_inner(struct rb_tree *tree, struct rb_node *node)
{
    struct rb_node *next = rb_next(node);
    struct rb_node *from = next->parent; /* loses a node on `side` */
    bool lost_red = next->red;
    int side = RB_LEFT;

    if (from == node) {
        from = next;
        side = RB_RIGHT;
    } else {
        relink(tree, from, next, next->child[RB_RIGHT]);
        next->child[RB_RIGHT] = node->child[RB_RIGHT];
        next->child[RB_RIGHT]->parent = next;
    }
    next->child[RB_LEFT] = node->child[RB_LEFT];
    next->child[RB_LEFT]->parent = next;
    next->red = node->red;
    relink(tree, node->parent, node, next);
    update_from(tree, from, next);
    if (!lost_red)
        repair_black(tree, from, side);
}

/* What has gone from `side` of `parent` was black: or nothing but `update` has work. */
static APART void settle_removed(struct rb_tree *tree, struct rb_node *parent, int side, bool black)
{
    rb_changed(tree, parent);
    if (black)
        repair_black(tree, parent, side);
}

void rb_remove(struct rb_tree *tree, struct rb_node *node)
{
    struct rb_node *parent = node->parent;
    struct rb_node *child = node->child[RB_LEFT] ? node->child[RB_LEFT] : node->child[RB_RIGHT];
    int side;

    if (node->child[RB_LEFT] && node->child[RB_RIGHT]) {
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
    side = parent->child[RB_RIGHT] == node;
    parent->child[side] = child;
    if (child)
        child->parent = parent;
    if (tree->update || !node->red)
        settle_removed(tree, parent, side, !node->red);
}

/* ---- in order ---- */

/* The outermost node on `side` of a subtree. */
static struct rb_node *outermost(struct rb_node *node, int side)
{
    while (node && node->child[side])
        node = node->child[side];
    return node;
}

static struct rb_node *neighbour(const struct rb_node *node, int side)
{
    if (node->child[side])
        return outermost(node->child[side], !side);
    while (node->parent && node->parent->child[side] == node)
        node = node->parent;
    return node->parent;
}

struct rb_node *rb_first(const struct rb_tree *tree)
{
    return outermost(tree->root, RB_LEFT);
}

struct rb_node *rb_last(const struct rb_tree *tree)
{
    return outermost(tree->root, RB_RIGHT);
}

struct rb_node *rb_next(const struct rb_node *node)
{
    return neighbour(node, RB_RIGHT);
}

struct rb_node *rb_previous(const struct rb_node *node)
{
    return neighbour(node, RB_LEFT);
}
