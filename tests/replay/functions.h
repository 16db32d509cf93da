/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration space of the collected functions: what is there, and which bits keep what is
 * written. */
#ifndef TESTS_REPLAY_FUNCTIONS_H
#define TESTS_REPLAY_FUNCTIONS_H

#include "tests/replay/file.h"

void functions_place(const struct replay_file *file);
/* Where there is no function, and behind what it has, all reads give ones. */
uint64_t functions_read(uint16_t segment, uint16_t rid, unsigned offset, unsigned width);
void functions_write(uint16_t segment, uint16_t rid, unsigned offset, unsigned width,
                     uint64_t value);

#endif
