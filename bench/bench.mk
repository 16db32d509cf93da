# SPDX-License-Identifier: BSD-2-Clause
# The benchmark: one program for the payload's side, and the loop it is compared with.

BENCH_SOURCES := bench/bench.c bench/limit.c
BENCH_FLAGS := -std=gnu11 -O2 -fno-unroll-loops -g -Wall -Wextra -Werror

$(BUILD)/bench.elf: $(BENCH_SOURCES) bench/bench.h $(SDK) linker/payload.ld
	@mkdir -p $(@D)
	$(call SAY,PAYLOADCC,$@)
	$(Q)$(SDK_CC) $(BENCH_FLAGS) -o $@ $(BENCH_SOURCES)
