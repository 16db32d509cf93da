# SPDX-License-Identifier: BSD-2-Clause
# What the kernel makes of a machine that ./bulkhead collect described, as a program for this machine.
# Of the kernel it takes what it calls, and what that calls; the rest has stand-ins.

REPLAY_OWN := $(sort $(wildcard tests/replay/*.c)) tests/unit/vtd_unit.c tests/unit/host_heap.c \
              tests/unit/host_memory.c tests/unit/host_panic.c tests/unit/host_trace.c
REPLAY_KERNEL := $(sort $(wildcard kernel/machine/acpi/*.c kernel/pci/*.c kernel/iommu/*.c kernel/irq/*.c \
                 kernel/pcie/*.c)) kernel/report/show_devices.c $(TABLE_EDITOR) kernel/cpu/mutex.c \
                 $(addprefix kernel/lib/,error_name.c format.c json.c log.c refusal.c)

$(BUILD)/replay.a: $(patsubst %,$(UNIT_OBJECT)/%.o,$(REPLAY_KERNEL))
	$(Q)rm -f $@
	$(Q)llvm-ar rcs $@ $^

$(BUILD)/replay: $(patsubst %,$(UNIT_OBJECT)/%.o,$(REPLAY_OWN)) $(BUILD)/replay.a
	$(call SAY,HOSTLD,$@)
	$(Q)$(CC) $(HOST_FLAGS) $^ -o $@

-include $(patsubst %,$(UNIT_OBJECT)/%.d,$(REPLAY_OWN) $(REPLAY_KERNEL))
