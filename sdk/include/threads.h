/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of newlib's, which declares what no library here has. */
/* clang-format off */
#error "a program of the SDK has one thread: build it with 'musl-gcc -static -pthread' or 'gcc -static -pthread' instead; such a program runs as it is (docs/sdk.md)"
/* clang-format on */
