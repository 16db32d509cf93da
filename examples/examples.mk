# SPDX-License-Identifier: BSD-2-Clause
# The examples: examples/NAME/*.c become build/examples/NAME.elf.

EXAMPLES := $(patsubst examples/%/example.conf,%,$(sort $(wildcard examples/*/example.conf)))
EXAMPLE_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror

define example_rule
$(BUILD)/examples/$(1).elf: $(patsubst examples/$(1)/%.c,$(BUILD)/examples/$(1)/%.o,$(sort $(wildcard examples/$(1)/*.c))) $(SDK) linker/payload.ld
	$$(call SAY,PAYLOADLD,$$@)
	$$(Q)$$(SDK_CC) -o $$@ $$(filter %.o,$$(filter-out $(SDK),$$^))

$(BUILD)/examples/$(1)/%.o: examples/$(1)/%.c sdk/cc $(NEWLIB)
	@mkdir -p $$(@D)
	$$(call SAY,PAYLOADCC,$$<)
	$$(Q)$$(SDK_CC) $(EXAMPLE_FLAGS) -MMD -MP -c $$< -o $$@
endef
$(foreach e,$(EXAMPLES),$(eval $(call example_rule,$(e))))

examples: $(EXAMPLES:%=$(BUILD)/examples/%.elf)

-include $(wildcard $(BUILD)/examples/*/*.d)
