/* SPDX-License-Identifier: BSD-2-Clause */
/* The interval tree against a list: order, balance, overlap, neighbours, the ends of the numbers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "kernel/lib/itree.h"
#include "tests/unit/host_memory.h"

#define NODES 300
#define STEPS 20000

static struct itree tree;
static struct itree_node nodes[NODES];
static bool inside[NODES];
static uint64_t rng = 1;

/* Checks the subtree and returns how many black nodes every way down meets. */
static int check_subtree(const struct itree_node *node, const struct itree_node *parent,
                         size_t *count)
{
    int below, above;

    if (!node)
        return 0;
    assert_ptr_equal(node->parent, parent);
    assert_true(inside[node - nodes]);
    assert_false(node->red && (!parent || parent->red));
    (*count)++;
    below = check_subtree(node->child[0], node, count);
    above = check_subtree(node->child[1], node, count);
    assert_int_equal(above, below);
    return below + !node->red;
}

static int height(const struct itree_node *node)
{
    int below, above;

    if (!node)
        return 0;
    below = height(node->child[0]);
    above = height(node->child[1]);
    return (below > above ? below : above) + 1;
}

static void check_tree(void)
{
    const struct itree_node *node, *last = NULL;
    size_t count = 0, walked = 0;

    check_subtree(tree.root, NULL, &count);
    assert_int_equal(count, tree.count);
    for (node = itree_first(&tree); node; last = node, node = itree_next(node)) {
        if (last)
            assert_true(last->last < node->first);
        assert_ptr_equal(itree_previous(node), last);
        walked++;
    }
    assert_int_equal(walked, count);
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
    assert_ptr_equal(itree_find(&tree, first, last), find_slowly(first, last));
    if (inside[i]) {
        inside[i] = false;
        itree_remove(&tree, &nodes[i]);
        return;
    }
    nodes[i].first = first;
    nodes[i].last = last;
    if (find_slowly(first, last)) {
        assert_false(itree_insert(&tree, &nodes[i]));
    } else {
        assert_true(itree_insert(&tree, &nodes[i]));
        inside[i] = true;
    }
}

static void start(void)
{
    itree_init(&tree);
    memset(inside, 0, sizeof(inside));
}

static void random_operations(void **state)
{
    start();
    for (size_t i = 0; i < STEPS; i++) {
        step();
        if (i % 16 == 0)
            check_tree();
    }
    check_tree();
}

static void sorted_input_stays_flat(void **state)
{
    start();
    for (size_t i = 0; i < NODES; i++) {
        nodes[i].first = nodes[i].last = i;
        assert_true(itree_insert(&tree, &nodes[i]));
        inside[i] = true;
        check_tree();
    }
    assert_in_range(height(tree.root), 9, 16); /* 2 * log2(300) */
    for (size_t i = 0; i < NODES; i++) {
        itree_remove(&tree, &nodes[i]);
        inside[i] = false;
        check_tree();
    }
    assert_null(tree.root);
}

static void whole_range(void **state)
{
    start();
    nodes[0].first = 0;
    nodes[0].last = UINT64_MAX;
    nodes[1].first = nodes[1].last = UINT64_MAX;
    assert_null(itree_find(&tree, 0, UINT64_MAX));
    assert_null(itree_first(&tree));
    assert_true(itree_insert(&tree, &nodes[0]));
    assert_false(itree_insert(&tree, &nodes[1]));
    assert_ptr_equal(itree_find(&tree, 77, 77), &nodes[0]);
    itree_remove(&tree, &nodes[0]);
    assert_true(itree_insert(&tree, &nodes[1]));
    assert_null(itree_find(&tree, 0, UINT64_MAX - 1));
    assert_ptr_equal(itree_find(&tree, 0, UINT64_MAX), &nodes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_operations),
        cmocka_unit_test(sorted_input_stays_flat),
        cmocka_unit_test(whole_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
