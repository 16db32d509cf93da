/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Balanced trees against lists that are searched whole: order, links, balance and what nodes keep
 * about their subtrees are checked on the way; then the search for ranges that is built on them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/lib/itree.h"
#include "kernel/lib/rbtree.h"
#include "tests/unit/host_memory.h"

#define NODES 300
#define STEPS 20000

static uint64_t rng = 1;

static int height(const struct rb_node *node)
{
    return node ? 1 + MAX(height(node->child[RB_LEFT]), height(node->child[RB_RIGHT])) : 0;
}

/* Checks links and colours of a subtree; returns how many black nodes every way down meets. */
static int check_balance(const struct rb_node *node, const struct rb_node *parent)
{
    int left, right;

    if (!node)
        return 0;
    assert_ptr_equal(node->parent, parent);
    assert_false(node->red && (!parent || parent->red));
    left = check_balance(node->child[RB_LEFT], node);
    right = check_balance(node->child[RB_RIGHT], node);
    assert_int_equal(left, right);
    return left + !node->red;
}

/* ---- elements that keep something about their subtrees ---- */

struct item {
    struct rb_node node;
    int weight;
    int heaviest; /* of the subtree */
};

static struct item items[NODES]; /* the key is the index */
static bool present[NODES];
static struct rb_tree tree;

static struct item *item_of(struct rb_node *node)
{
    return rb_entry(node, struct item, node);
}

static int heaviest_of(const struct item *item)
{
    int heaviest = item->weight;

    for (int side = RB_LEFT; side <= RB_RIGHT; side++) {
        const struct item *child = item_of(item->node.child[side]);

        if (child)
            heaviest = MAX(heaviest, child->heaviest);
    }
    return heaviest;
}

static bool update(struct rb_node *node)
{
    struct item *item = item_of(node);
    int before = item->heaviest;

    item->heaviest = heaviest_of(item);
    return item->heaviest != before;
}

static void insert(struct item *item)
{
    struct rb_node *parent = NULL, *at = tree.root;
    enum rb_side side = RB_LEFT;

    while (at) {
        parent = at;
        side = item > item_of(at) ? RB_RIGHT : RB_LEFT;
        at = at->child[side];
    }
    rb_insert(&tree, &item->node, parent, side);
}

static void check_items(void)
{
    struct rb_node *forward = rb_first(&tree), *backward = rb_last(&tree);

    check_balance(tree.root, NULL);
    for (int key = 0; key < NODES; key++) {
        if (present[key]) {
            assert_ptr_equal(item_of(forward), &items[key]);
            assert_int_equal(items[key].heaviest, heaviest_of(&items[key]));
            forward = rb_next(forward);
        }
        if (present[NODES - 1 - key]) {
            assert_ptr_equal(item_of(backward), &items[NODES - 1 - key]);
            backward = rb_previous(backward);
        }
    }
    assert_null(forward);
    assert_null(backward);
}

static void what_nodes_keep_is_true_after_every_step(void **state)
{
    tree = (struct rb_tree){NULL, update};
    for (int step = 0; step < STEPS; step++) {
        size_t key = host_random_below(&rng, NODES);
        struct item *item = &items[key];

        if (!present[key]) {
            item->weight = (int)host_random_below(&rng, 1000);
            insert(item);
        } else if (host_random_below(&rng, 3) == 0) {
            item->weight = (int)host_random_below(&rng, 1000);
            rb_changed(&tree, &item->node);
            continue;
        } else {
            rb_remove(&tree, &item->node);
        }
        present[key] = !present[key];
        check_items();
    }
}

static void nodes_need_not_keep_anything(void **state)
{
    struct item a[3];

    tree = (struct rb_tree){0};
    assert_null(rb_first(&tree));
    assert_null(rb_last(&tree));
    for (int i = 0; i < 3; i++)
        insert(&a[i]);
    rb_changed(&tree, &a[0].node);
    assert_ptr_equal(tree.root, &a[1].node);
    for (int i = 0; i < 3; i++)
        rb_remove(&tree, &a[i].node);
    assert_null(tree.root);
}

/* ---- ranges ---- */

static struct itree ranges;
static struct itree_node nodes[NODES];
static bool inside[NODES];

static void check_ranges(void)
{
    const struct itree_node *node, *last = NULL;
    size_t walked = 0;

    check_balance(ranges.nodes.root, NULL);
    for (node = itree_first(&ranges); node; last = node, node = itree_next(node)) {
        assert_true(inside[node - nodes]);
        if (last)
            assert_true(last->last < node->first);
        walked++;
    }
    assert_int_equal(walked, ranges.count);
}

/* What itree_find() must answer, by looking at everything. */
static const struct itree_node *find_slowly(uint64_t first, uint64_t last)
{
    const struct itree_node *found = NULL;

    for (size_t i = 0; i < NODES; i++)
        if (inside[i] && nodes[i].first <= last && nodes[i].last >= first &&
            (!found || nodes[i].first < found->first))
            found = &nodes[i];
    return found;
}

/* Ranges cluster, so that they overlap often, and touch both ends of the numbers. */
static void random_range(uint64_t *first, uint64_t *last)
{
    uint64_t length = host_random_below(&rng, 40);

    *first = host_random_below(&rng, 4000) - 2000;
    *last = *first > UINT64_MAX - length ? UINT64_MAX : *first + length;
}

static void step(void)
{
    size_t i = host_random_below(&rng, NODES);
    uint64_t first, last;

    random_range(&first, &last);
    assert_ptr_equal(itree_find(&ranges, first, last), find_slowly(first, last));
    if (inside[i]) {
        inside[i] = false;
        itree_remove(&ranges, &nodes[i]);
        return;
    }
    nodes[i].first = first;
    nodes[i].last = last;
    if (find_slowly(first, last)) {
        assert_false(itree_insert(&ranges, &nodes[i]));
    } else {
        assert_true(itree_insert(&ranges, &nodes[i]));
        inside[i] = true;
    }
}

static void start_without_ranges(void)
{
    itree_init(&ranges);
    memset(inside, 0, sizeof(inside));
}

static void ranges_are_found_as_by_looking_at_all(void **state)
{
    start_without_ranges();
    for (size_t i = 0; i < STEPS; i++) {
        step();
        if (i % 16 == 0)
            check_ranges();
    }
    check_ranges();
}

static void sorted_input_stays_flat(void **state)
{
    start_without_ranges();
    for (size_t i = 0; i < NODES; i++) {
        nodes[i].first = nodes[i].last = i;
        assert_true(itree_insert(&ranges, &nodes[i]));
        inside[i] = true;
        check_ranges();
    }
    assert_in_range(height(ranges.nodes.root), 9, 16); /* 2 * log2(300) */
    for (size_t i = 0; i < NODES; i++) {
        itree_remove(&ranges, &nodes[i]);
        inside[i] = false;
        check_ranges();
    }
    assert_null(ranges.nodes.root);
}

static void one_range_may_hold_all_numbers(void **state)
{
    start_without_ranges();
    nodes[0].first = 0;
    nodes[0].last = UINT64_MAX;
    nodes[1].first = nodes[1].last = UINT64_MAX;
    assert_null(itree_find(&ranges, 0, UINT64_MAX));
    assert_null(itree_first(&ranges));
    assert_true(itree_insert(&ranges, &nodes[0]));
    assert_false(itree_insert(&ranges, &nodes[1]));
    assert_ptr_equal(itree_find(&ranges, 77, 77), &nodes[0]);
    itree_remove(&ranges, &nodes[0]);
    assert_true(itree_insert(&ranges, &nodes[1]));
    assert_null(itree_find(&ranges, 0, UINT64_MAX - 1));
    assert_ptr_equal(itree_find(&ranges, 0, UINT64_MAX), &nodes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_nodes_keep_is_true_after_every_step),
        cmocka_unit_test(nodes_need_not_keep_anything),
        cmocka_unit_test(ranges_are_found_as_by_looking_at_all),
        cmocka_unit_test(sorted_input_stays_flat),
        cmocka_unit_test(one_range_may_hold_all_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
