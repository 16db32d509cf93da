# SPDX-License-Identifier: BSD-2-Clause
# The kernel image: every C and assembler file of kernel/, drivers/ and the PVH door. It is compiled
# as a whole when it is linked (LTO), since a mapping runs through small functions of many files.
# Loops are not unrolled: most of them run once, for one page, and pay for it.

KERNEL_FLAGS := --target=x86_64-unknown-none-elf -std=gnu11 -O2 -fno-unroll-loops -g -ffreestanding -mcmodel=kernel \
                -mno-red-zone -mgeneral-regs-only -fno-pic -fno-stack-protector \
                -fno-omit-frame-pointer -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-strict-aliasing \
                -I. -Iinclude -Iinclude/uapi $(WARN)

KERNEL_SOURCES := $(sort $(wildcard kernel/*.c kernel/*/*.c kernel/*/*/*.c kernel/*/*.S drivers/*/*.c boot/pvh/*.c boot/pvh/*.S))
KERNEL_OBJECTS := $(patsubst %,$(BUILD)/obj/%.o,$(KERNEL_SOURCES))

$(BUILD)/obj/%.c.o: %.c
	@mkdir -p $(@D)
	$(call SAY,CC,$<)
	$(Q)$(CC) $(KERNEL_FLAGS) -flto -MMD -MP -c $< -o $@

$(BUILD)/obj/%.S.o: %.S
	@mkdir -p $(@D)
	$(call SAY,AS,$<)
	$(Q)$(CC) $(KERNEL_FLAGS) -MMD -MP -c $< -o $@

# What the report calls this build. The file is made anew only when the answer changes; where git
# gives none, as in the checkout of somebody else, what is there stays.
BUILD_VERSION := $(shell git describe --always --dirty 2>/dev/null)
VERSION_THERE := $(shell sed -n 's/.*"\(.*\)"/\1/p' $(BUILD)/version.h 2>/dev/null)

$(BUILD)/version.h: $(if $(filter-out $(VERSION_THERE),$(BUILD_VERSION)),FORCE)
	@mkdir -p $(@D)
	@echo '#define BUILD_VERSION "$(or $(BUILD_VERSION),unknown)"' >$@
$(BUILD)/obj/kernel/report/report.c.o: KERNEL_FLAGS += -I$(BUILD)
$(BUILD)/obj/kernel/report/report.c.o: $(BUILD)/version.h

# Twice the usual size of what is inlined: a fifth more code, and 120 instructions less for one page.
LINK := $(LD) -T linker/kernel.ld -z max-page-size=4096 --gc-sections -mllvm -inline-threshold=450

# An image $(1).elf of the objects $(2), with more options $(3) for the linker.
# It is linked twice: the second image carries the names of the first one's functions, for backtraces.
# They lie behind all code, so no function moves, which the last step checks. What the first link
# compiled is kept for the second.
define image_rules
$(BUILD)/$(1).first.elf: $(2) linker/kernel.ld
	$$(call SAY,LD,$$@)
	$$(Q)$$(LINK) $(3) --lto-obj-path=$(BUILD)/$(1).lto.o -o $$@ $(2)

$(BUILD)/$(1).symbols.S: $(BUILD)/$(1).first.elf tools/symbols.awk
	$$(Q)llvm-nm -n --defined-only $$< | awk -f tools/symbols.awk >$$@

$(BUILD)/$(1).symbols.o: $(BUILD)/$(1).symbols.S
	$$(Q)$$(CC) $$(KERNEL_FLAGS) -c $$< -o $$@

$(BUILD)/$(1).elf: $(BUILD)/$(1).symbols.o linker/kernel.ld
	$$(call SAY,LD,$$@)
	$$(Q)$$(LINK) $(3) -o $$@.new $(filter %.S.o,$(2)) $(BUILD)/$(1).lto.o $$<
	$$(Q)llvm-nm -n --defined-only $$@.new | awk -f tools/symbols.awk | cmp - $(BUILD)/$(1).symbols.S
	$$(Q)mv $$@.new $$@
endef
$(eval $(call image_rules,kernel,$(KERNEL_OBJECTS)))

.PHONY: FORCE
-include $(KERNEL_OBJECTS:.o=.d)
