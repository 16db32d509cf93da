# SPDX-License-Identifier: BSD-2-Clause
# The examples: examples/NAME/main.c becomes build/examples/NAME.elf, where there is a NAME/example.conf.
# All other C files in examples/ are parts, which any example may use.

EXAMPLES := $(patsubst examples/%/example.conf,%,$(sort $(wildcard examples/*/example.conf)))
EXAMPLE_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -I examples
EXAMPLE_PARTS := $(filter-out %/main.c,$(sort $(wildcard examples/*/*.c)))

$(BUILD)/examples/%.elf: $(BUILD)/examples/%/main.o $(BUILD)/examples/parts.a $(SDK) linker/payload.ld
	$(call SAY,PAYLOADLD,$@)
	$(Q)$(SDK_CC) -o $@ $< $(BUILD)/examples/parts.a

$(BUILD)/examples/parts.a: $(EXAMPLE_PARTS:examples/%.c=$(BUILD)/examples/%.o)
	$(call SAY,AR,$@)
	$(Q)rm -f $@ && llvm-ar rcs $@ $^

$(BUILD)/examples/%.o: examples/%.c sdk/cc $(NEWLIB)
	@mkdir -p $(@D)
	$(call SAY,PAYLOADCC,$<)
	$(Q)$(SDK_CC) $(EXAMPLE_FLAGS) -MMD -MP -c $< -o $@

# make would take them away, as made on the way to something else
.SECONDARY: $(EXAMPLES:%=$(BUILD)/examples/%/main.o)

examples: $(EXAMPLES:%=$(BUILD)/examples/%.elf)

-include $(wildcard $(BUILD)/examples/*/*.d)
