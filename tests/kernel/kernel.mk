# SPDX-License-Identifier: BSD-2-Clause
# The test kernel, build/test-kernel.elf: the kernel's objects and those of tests/kernel/, one of which the
# linker puts in front of payload_load(). The kernel itself has no line for it.

TEST_OBJECTS := $(patsubst %,$(BUILD)/obj/%.o,$(sort $(wildcard tests/kernel/*.c)))
TEST_LINK := --wrap=payload_load

$(eval $(call image_rules,test-kernel,$(KERNEL_OBJECTS) $(TEST_OBJECTS),$(TEST_LINK)))

test-kernel: $(BUILD)/test-kernel.elf

-include $(TEST_OBJECTS:.o=.d)
