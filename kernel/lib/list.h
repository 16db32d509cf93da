/* SPDX-License-Identifier: BSD-2-Clause */
/* Circular doubly linked list with the links inside the elements. */
#ifndef KERNEL_LIB_LIST_H
#define KERNEL_LIB_LIST_H

#include "kernel/lib/types.h"

struct list {
    struct list *next;
    struct list *prev;
};

/* Versions of clang-format differ in this. */
/* clang-format off */
#define LIST_INIT(name) {&(name), &(name)}
/* clang-format on */

static inline void list_init(struct list *l)
{
    l->next = l;
    l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

static inline void list_add_after(struct list *at, struct list *node)
{
    node->prev = at;
    node->next = at->next;
    at->next->prev = node;
    at->next = node;
}

static inline void list_push_front(struct list *head, struct list *node)
{
    list_add_after(head, node);
}

static inline void list_push_back(struct list *head, struct list *node)
{
    list_add_after(head->prev, node);
}

/* Takes a node out and leaves it as an empty list, so removing twice is harmless. */
static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

#define list_entry(node, type, member) container_of(node, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)

#define list_for_each_entry(it, head, member)                                                      \
    for (it = list_entry((head)->next, __typeof__(*it), member); &it->member != (head);            \
         it = list_entry(it->member.next, __typeof__(*it), member))

/* The current element may be removed inside the loop. */
#define list_for_each_entry_safe(it, tmp, head, member)                                            \
    for (it = list_entry((head)->next, __typeof__(*it), member),                                   \
        tmp = list_entry(it->member.next, __typeof__(*it), member);                                \
         &it->member != (head);                                                                    \
         it = tmp, tmp = list_entry(it->member.next, __typeof__(*it), member))

#endif
