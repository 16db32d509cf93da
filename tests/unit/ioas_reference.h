/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The reference of the model test (ioas_model.h), as simple as can be: which areas and pages there
 * are, found by looking at all of them, and what must follow from that.
 */
#ifndef TESTS_UNIT_IOAS_REFERENCE_H
#define TESTS_UNIT_IOAS_REFERENCE_H

#include <stdio.h>
#include <stdlib.h>
#include "kernel/ioas/ioas.h"
#include "tests/unit/ioas_source.h"

#define SPACES    2
#define AREAS     96
#define TABLES    4
#define RANGES    4
#define INTR      UINT64_C(0xfee00000)
#define INTR_LAST UINT64_C(0xfeefffff)

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "%s:%d: seed %llu, step %llu (%s): %s\n", __FILE__, __LINE__,          \
                    (unsigned long long)m.seed, (unsigned long long)m.step, m.step_name,           \
                    #condition);                                                                   \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* Whole pages of the source, shared by areas. While pinned, what they were when they were. */
struct m_pages {
    unsigned areas; /* 0: free */
    unsigned users;
    unsigned first, count; /* source pages; may leave the source */
    bool writable, ram_only, revoked;
    paddr_t frame[SOURCE_PAGES];
    uint64_t charged;
};

struct m_area {
    bool used;
    int space, pages;
    uint64_t first, last;
    uint64_t offset; /* bytes into the pages */
    unsigned permissions;
};

struct m_range {
    uint64_t first, last;
};

struct m_space {
    struct ioas *ioas;
    bool small;
    struct m_range allowed[RANGES];
    size_t allowed_count;
    struct m_range reserved[RANGES]; /* [i] is owned by &reserved[i]; last 0: none */
};

struct m_table {
    struct iommu_domain *domain;
    unsigned bits;
    int space; /* -1: not attached */
};

extern struct model {
    struct m_pages pages[AREAS];
    struct m_area areas[AREAS];
    struct m_space spaces[SPACES];
    struct m_table tables[TABLES];
    struct ioas_account account;
    struct mutex lock; /* of all spaces; always held */
    bool ended;        /* an end was asked for in this step */
    uint64_t charge;   /* what the reference says is used of the account */
    uint64_t seed, step;
    const char *step_name;
} m;

static inline bool meets(uint64_t a, uint64_t a_last, uint64_t b, uint64_t b_last)
{
    return a <= b_last && b <= a_last;
}

/* Has the space a page table? */
bool m_populated(int space);
uint64_t m_alignment(int space);
/* Every reserved range of a space, one after the other; false at the end. */
bool m_reserved_range(int space, size_t i, struct m_range *range);
bool m_usable(int space, uint64_t first, uint64_t last);
bool m_occupied(int space, uint64_t first, uint64_t last);
/* Could this range be reserved? */
bool m_reservable(int space, uint64_t first, uint64_t last);
/* Free slots; -1: none. */
int m_free_pages(void);
int m_free_area(void);
size_t m_area_count(int space);
/* The area of a space with the lowest start at or after `from`, or NULL. */
struct m_area *m_area_from(int space, uint64_t from);
struct m_area *m_area_at(int space, uint64_t iova);
/* Adds a user: takes the picture of the source if it is the first, page by page. Error if not. */
int m_pin(struct m_pages *p);
void m_unpin(struct m_pages *p);

/* Compares everything: translations, pins, charge, trees. */
void m_check_all(void);
/* The usable ranges begin and end where the reference says so, and leave none out. */
void m_check_ranges(int space);

/* ---- new areas (ioas_judge.c) ---- */

/* New areas in the making, one after the other. */
struct plan {
    struct m_area parts[AREAS];
    size_t count;
    uint64_t length;
};

/* Large leaves that an IOVA of the ioas' own choice kept. */
extern uint64_t model_large;

/* What the request alone, without place and memory, must be answered. */
int m_check_request(int space, uint64_t offset, uint64_t length, unsigned flags);
/* Was the answer right? An injected failure may replace success by -ENOMEM, and nothing else. */
bool m_agree(int got, int expected);
/*
 * The last part of every operation that adds areas: `got` is what the kernel answered for a plan,
 * whose own errors (`expected`) come before those of the place and of the memory.
 */
int m_judge_new(int space, struct plan *plan, bool fixed, uint64_t iova, int expected, int got);

#endif
