# SPDX-License-Identifier: BSD-2-Clause
# The kernel image: every C and assembler file of kernel/, drivers/ and the PVH door.

KERNEL_FLAGS := --target=x86_64-unknown-none-elf -std=gnu11 -O2 -g -ffreestanding -mcmodel=kernel \
                -mno-red-zone -mgeneral-regs-only -fno-pic -fno-stack-protector \
                -fno-omit-frame-pointer -fno-asynchronous-unwind-tables -fno-strict-aliasing \
                -I. -Iinclude -Iinclude/uapi $(WARN)

KERNEL_SOURCES := $(sort $(wildcard kernel/*.c kernel/*/*.c kernel/*/*.S drivers/*/*.c boot/pvh/*.c boot/pvh/*.S))
KERNEL_OBJECTS := $(patsubst %,$(BUILD)/obj/%.o,$(KERNEL_SOURCES))

$(BUILD)/obj/%.c.o: %.c
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(CC) $(KERNEL_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/obj/%.S.o: %.S
	@mkdir -p $(@D)
	$(call SAY,AS,$<)
	$(Q)$(CC) $(KERNEL_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/kernel.elf: $(KERNEL_OBJECTS) linker/kernel.ld
	$(call SAY,LD,$@)
	$(Q)$(LD) -T linker/kernel.ld -z max-page-size=4096 --gc-sections -o $@ $(KERNEL_OBJECTS)

-include $(KERNEL_OBJECTS:.o=.d)
