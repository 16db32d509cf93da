# SPDX-License-Identifier: BSD-2-Clause
# The kernel's judgement of what the user gives, as a program for this machine: ./bulkhead run and
# ./bulkhead image ask it before anything boots. It is made of the kernel's own sources.

CHECK_SOURCES := tools/check/main.c $(sort $(wildcard kernel/machine/config/*.c)) kernel/linux/program/elf.c \
                 kernel/lib/elf.c kernel/iommu/options.c kernel/lib/format.c kernel/lib/refusal.c
CHECK_HEADERS := $(wildcard kernel/machine/config/*.h kernel/machine/boot.h kernel/lib/*.h kernel/linux/program/elf.h kernel/iommu/*.h kernel/mm/paging/paging.h kernel/pci/pci.h kernel/pci/selector.h)

$(BUILD)/check: $(CHECK_SOURCES) $(CHECK_HEADERS)
	@mkdir -p $(@D)
	$(call SAY,HOSTCC,$@)
	$(Q)$(CC) -std=gnu11 -O2 -g -I. -Iinclude $(WARN) $(CHECK_SOURCES) -o $@
