/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/lib/itree.h"

struct itree_node *itree_find(const struct itree *tree, uint64_t first, uint64_t last)
{
    struct itree_node *node = itree_of(tree->nodes.root);
    struct itree_node *found = NULL;

    while (node) {
        int side = RB_LEFT;

        if (node->last < first)
            side = RB_RIGHT;
        else if (node->first <= first)
            return node; /* nothing lower can reach into the range */
        else if (node->first <= last)
            found = node;
        node = itree_of(node->links.child[side]);
    }
    return found;
}
