/* SPDX-License-Identifier: BSD-2-Clause */
/* COPY and UNMAP. */
#define _GNU_SOURCE
#include "iommufd.h"

/* ---- COPY ---- */

static void copy_sweep(void)
{
    NEW_IOAS(from);
    NEW_IOAS(to);
    CHECK_OK(map(from, IOVA, memory, 4 * PAGE));
    CHECK_OK(map(from, IOVA + 4 * PAGE, memory + 8 * PAGE, 4 * PAGE));
    for (uint64_t start = 0; start < 8 * PAGE; start += 511)
        for (uint64_t length = 511; start + length <= 8 * PAGE; length += 8 * 511) {
            CHECK_OK(copy(to, MIB, from, IOVA + start, length));
            CHECK_EQUAL(unmap(to, MIB, length), length);
        }
}

static void copy_within_one_space(void)
{
    NEW_ATTACHED(ioas);
    CHECK_OK(map(ioas, IOVA, memory, 4 * PAGE));
    CHECK_OK(copy(ioas, IOVA + MIB, ioas, IOVA + PAGE, 2 * PAGE));
    CHECK_ERROR(copy(ioas, IOVA + PAGE, ioas, IOVA, PAGE), EEXIST);
    CHECK_EQUAL(unmap(ioas, IOVA, 4 * PAGE), 4 * PAGE);
    CHECK_EQUAL(unmap(ioas, IOVA + MIB, 2 * PAGE), 2 * PAGE);
}

static void copy_refusals(void)
{
    NEW_IOAS(ioas);
    CHECK_OK(map(ioas, IOVA, memory, PAGE));
    CHECK_OK(map(ioas, IOVA + 2 * PAGE, memory, PAGE));
    CHECK_ERROR(copy(ioas, MIB, ioas, IOVA, 3 * PAGE), ENOENT);
    CHECK_ERROR(copy(ioas, MIB, ioas, IOVA - PAGE, 2 * PAGE), ENOENT);
    CHECK_ERROR(copy(ioas, MIB, ioas, IOVA + PAGE, PAGE), ENOENT);
    CHECK_ERROR(copy(ioas, UINT64_MAX, ioas, IOVA, PAGE), EOVERFLOW);
    CHECK_ERROR(copy(ioas, MIB, ioas, IOVA, UINT64_MAX), EOVERFLOW);
    CHECK_ERROR(unmap(ioas, MIB, PAGE), ENOENT);
}

/* ---- UNMAP ---- */

static void unmap_several_with_holes(void)
{
    NEW_IOAS(ioas);
    CHECK_OK(map(ioas, IOVA, memory, PAGE));
    CHECK_OK(map(ioas, IOVA + 4 * PAGE, memory, 2 * PAGE));
    CHECK_EQUAL(unmap(ioas, IOVA - MIB, 2 * MIB), 3 * PAGE);
    CHECK_ERROR(unmap(ioas, IOVA, PAGE), ENOENT);
}

static void unmap_refuses_to_cut(void)
{
    NEW_IOAS(ioas);
    CHECK_OK(map(ioas, IOVA, memory, 4 * PAGE));
    CHECK_OK(map(ioas, IOVA + 4 * PAGE, memory, 4 * PAGE));
    CHECK_ERROR(unmap(ioas, IOVA, PAGE), ENOENT);
    CHECK_ERROR(unmap(ioas, IOVA + PAGE, 3 * PAGE), ENOENT);
    CHECK_ERROR(unmap(ioas, IOVA, 6 * PAGE), ENOENT);
    CHECK_ERROR(unmap(ioas, IOVA + 2 * PAGE, 6 * PAGE), ENOENT);
    CHECK_EQUAL(unmap(ioas, IOVA, 8 * PAGE), 8 * PAGE);
}

static void unmap_all(void)
{
    NEW_IOAS(ioas);
    CHECK_EQUAL(unmap(ioas, 0, UINT64_MAX), 0);
    CHECK_OK(map(ioas, 0, memory, PAGE));
    CHECK_OK(map(ioas, -PAGE, memory, PAGE));
    CHECK_EQUAL(unmap(ioas, 0, UINT64_MAX), 2 * PAGE);
    CHECK_EQUAL(unmap(ioas, 0, UINT64_MAX), 0);
}

static void unmap_overflow(void)
{
    NEW_IOAS(ioas);
    CHECK_ERROR(unmap(ioas, UINT64_MAX, PAGE), EOVERFLOW);
    CHECK_ERROR(unmap(ioas, PAGE, UINT64_MAX), EOVERFLOW);
    CHECK_ERROR(unmap(ioas, -PAGE, 2 * PAGE), EOVERFLOW);
}

const struct conform_case unmap_cases[] = {
    CASE(copy_sweep),           CASE(copy_within_one_space),
    CASE(copy_refusals),        CASE(unmap_several_with_holes),
    CASE(unmap_refuses_to_cut), CASE(unmap_all),
    CASE(unmap_overflow),       LAST_CASE,
};
