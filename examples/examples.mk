# SPDX-License-Identifier: BSD-2-Clause
# The examples: examples/NAME/main.c becomes build/examples/NAME.elf, where there is a NAME/example.conf.
# All other C files in examples/ are parts, which any example may use. NAME.musl.elf and NAME.glibc.elf are the same
# program, linked statically with these C libraries; NAME.linux is one for the build machine's Linux.

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

# With other compilers the library of <bulkhead/device.h> is one source more.
EXAMPLE_SOURCES = examples/$*/main.c $(EXAMPLE_PARTS) sdk/device/device.c
EXAMPLE_HEADERS := $(wildcard examples/*/*.h sdk/device/bulkhead/*.h include/uapi/linux/*.h)
LINUX_EXAMPLE_FLAGS := $(EXAMPLE_FLAGS) -isystem include/uapi -I sdk/device

$(BUILD)/examples/%.musl.elf: examples/%/main.c $(EXAMPLE_PARTS) sdk/device/device.c $(EXAMPLE_HEADERS)
	@mkdir -p $(@D)
	$(call SAY,MUSLCC,$@)
	$(Q)$(call MUSL_LINK,$(LINUX_EXAMPLE_FLAGS),$(EXAMPLE_SOURCES))

$(BUILD)/examples/%.glibc.elf: examples/%/main.c $(EXAMPLE_PARTS) sdk/device/device.c $(EXAMPLE_HEADERS)
	@mkdir -p $(@D)
	$(call SAY,GLIBCCC,$@)
	$(Q)$(CC) $(LINUX_EXAMPLE_FLAGS) -static -o $@ $(EXAMPLE_SOURCES)

$(BUILD)/examples/%.linux: examples/%/main.c $(EXAMPLE_PARTS) sdk/device/device.c $(EXAMPLE_HEADERS)
	@mkdir -p $(@D)
	$(call SAY,LINUXCC,$@)
	$(Q)$(CC) $(LINUX_EXAMPLE_FLAGS) -o $@ $(EXAMPLE_SOURCES)

# make would take them away, as made on the way to something else
.SECONDARY: $(EXAMPLES:%=$(BUILD)/examples/%/main.o)

examples: $(EXAMPLES:%=$(BUILD)/examples/%.elf)

-include $(wildcard $(BUILD)/examples/*/*.d)
