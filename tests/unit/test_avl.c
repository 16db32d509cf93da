/* SPDX-License-Identifier: BSD-2-Clause */
/* Trees of integers against a set of flags; every invariant is checked after each step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "kernel/lib/avl.h"
#include "tests/unit/host_memory.h"

#define KEYS 300

struct item {
    struct avl_node node;
    int weight;
    int heaviest; /* of the subtree */
};

static struct item items[KEYS]; /* the key is the index */
static bool present[KEYS];
static struct avl_tree tree;

static struct item *item_of(struct avl_node *node)
{
    return avl_entry(node, struct item, node);
}

static bool update(struct avl_node *node)
{
    struct item *item = item_of(node);
    int before = item->heaviest;

    item->heaviest = item->weight;
    for (int side = AVL_LEFT; side <= AVL_RIGHT; side++) {
        struct item *child = item_of(node->child[side]);

        if (child)
            item->heaviest = MAX(item->heaviest, child->heaviest);
    }
    return item->heaviest != before;
}

static void insert(struct item *item)
{
    struct avl_node *parent = NULL, *at = tree.root;
    enum avl_side side = AVL_LEFT;

    while (at) {
        parent = at;
        side = item > item_of(at) ? AVL_RIGHT : AVL_LEFT;
        at = at->child[side];
    }
    avl_insert(&tree, &item->node, parent, side);
}

/* Checks order, links, heights, balance and subtree values; returns the height. */
static int check(const struct avl_node *node, const struct item *low, const struct item *high)
{
    const struct item *item = container_of(node, struct item, node);
    int h[2] = {0, 0}, heaviest = item->weight;

    assert_true(item >= low && item < high);
    for (int side = AVL_LEFT; side <= AVL_RIGHT; side++) {
        const struct avl_node *child = node->child[side];

        if (!child)
            continue;
        assert_ptr_equal(child->parent, node);
        h[side] = check(child, side ? item + 1 : low, side ? high : item);
        heaviest = MAX(heaviest, container_of(child, struct item, node)->heaviest);
    }
    assert_in_range(h[0] - h[1] + 1, 0, 2);
    assert_int_equal(node->height, 1 + MAX(h[0], h[1]));
    assert_int_equal(item->heaviest, heaviest);
    return node->height;
}

static void check_order(void)
{
    struct avl_node *forward = avl_first(&tree), *backward = avl_last(&tree);

    for (int key = 0; key < KEYS; key++) {
        if (present[key]) {
            assert_ptr_equal(item_of(forward), &items[key]);
            forward = avl_next(forward);
        }
        if (present[KEYS - 1 - key]) {
            assert_ptr_equal(item_of(backward), &items[KEYS - 1 - key]);
            backward = avl_previous(backward);
        }
    }
    assert_null(forward);
    assert_null(backward);
}

static void test_random(void **state)
{
    uint64_t rng = 11;

    tree = (struct avl_tree){NULL, update};
    for (int step = 0; step < 20000; step++) {
        size_t key = host_random_below(&rng, KEYS);
        struct item *item = &items[key];

        if (!present[key]) {
            item->weight = (int)host_random_below(&rng, 1000);
            insert(item);
        } else if (host_random_below(&rng, 3) == 0) {
            item->weight = (int)host_random_below(&rng, 1000);
            avl_changed(&tree, &item->node);
            continue;
        } else {
            avl_remove(&tree, &item->node);
        }
        present[key] = !present[key];
        if (tree.root) {
            assert_null(tree.root->parent);
            check(tree.root, items, items + KEYS);
        }
        if (step % 50 == 0)
            check_order();
    }
}

static void test_without_update(void **state)
{
    struct item a[3];

    tree = (struct avl_tree){0};
    assert_null(avl_first(&tree));
    assert_null(avl_last(&tree));
    for (int i = 0; i < 3; i++)
        insert(&a[i]);
    avl_changed(&tree, &a[0].node);
    assert_ptr_equal(tree.root, &a[1].node);
    for (int i = 0; i < 3; i++)
        avl_remove(&tree, &a[i].node);
    assert_null(tree.root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_without_update),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
