/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the compiler's own functions do, for the proofs. The compiler guarantees it; nothing proves
 * it here.
 */
#ifndef TESTS_PROOFS_BUILTINS_H
#define TESTS_PROOFS_BUILTINS_H

/* Zero bits above the highest one. */
/*@ requires x > 0;
    assigns \nothing;
    ensures 0 <= \result <= 63;
    ensures \forall integer k; 0 <= k <= 63 - \result ==> (1 << k) <= x;
    ensures \forall integer k; 63 - \result < k <= 64 ==> x < (1 << k); */
int __builtin_clzll(unsigned long long x);

/* Zero bits below the lowest one. */
/*@ requires x > 0;
    assigns \nothing;
    ensures 0 <= \result <= 63;
    ensures \forall integer k; 0 <= k <= \result ==> x % (1 << k) == 0;
    ensures \forall integer k; \result < k <= 63 ==> x % (1 << k) != 0; */
int __builtin_ctzll(unsigned long long x);

#endif
