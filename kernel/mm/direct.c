/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/mm/direct.h"

uint64_t direct_offset;
uint64_t image_offset;
