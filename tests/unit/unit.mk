# SPDX-License-Identifier: BSD-2-Clause
# Host unit tests: the real source files, compiled for the host, under cmocka, ASan and UBSan.
# A test NAME is tests/unit/test_NAME.c plus tests/unit/NAME.list, which sets UNIT_NAME to the kernel
# sources it exercises (and shared stand-ins, which live in tests/unit/ without the test_ prefix).

HOST_FLAGS := -std=gnu11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
              -fno-omit-frame-pointer -I. -Iinclude -Iinclude/uapi $(WARN)
HOST_LIBS := -lcmocka

# The editor of page tables, of which a test takes all.
TABLE_EDITOR := kernel/table/map.c kernel/table/map_fast.c kernel/table/unmap.c kernel/table/read.c kernel/table/split.c kernel/table/graft.c \
                kernel/table/pool.c
CPU_TABLES := kernel/mm/paging/cpu_table.c kernel/mm/paging/cpu_runs.c kernel/mm/paging/cpu_runs_fast.c $(TABLE_EDITOR) \
              tests/unit/host_cache.c

include $(sort $(wildcard tests/unit/*.list))

UNIT_TESTS := $(patsubst tests/unit/%.list,%,$(sort $(wildcard tests/unit/*.list)))

# Every source is compiled once, for whichever tests want it.
UNIT_OBJECT := $(BUILD)/unit/objects
unit_objects = $(patsubst %,$(UNIT_OBJECT)/%.o,tests/unit/test_$(1).c $(UNIT_$(1)))

$(UNIT_OBJECT)/%.o: %
	@mkdir -p $(@D)
	$(call SAY,HOSTCC,$<)
	$(Q)$(CC) $(HOST_FLAGS) -MMD -MP -c $< -o $@

define unit_rule
$(BUILD)/unit/$(1): $(call unit_objects,$(1)) tests/unit/$(1).list
	$$(call SAY,HOSTLD,$$@)
	$$(Q)$(CC) $(HOST_FLAGS) $$(filter %.o,$$^) -o $$@ $(HOST_LIBS)
endef
$(foreach t,$(UNIT_TESTS),$(eval $(call unit_rule,$(t))))

unit: $(addprefix $(BUILD)/unit/,$(UNIT_TESTS))

-include $(patsubst %.o,%.d,$(sort $(foreach t,$(UNIT_TESTS),$(call unit_objects,$(t)))))
