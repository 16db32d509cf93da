# SPDX-License-Identifier: BSD-2-Clause
# Kernels with something taken out, for tests that must fail with them: build/variants/NAME/kernel.elf
# is the kernel, and test-kernel.elf beside it the test kernel, with the sources below build/variants/NAME/
# in the place of its own, which tests/qemu/variant.py puts there. Nothing of this is in the kernel itself.

$(BUILD)/variants/%.c.o: $(BUILD)/variants/%.c
	$(call SAY,CC,$<)
	$(Q)$(CC) $(KERNEL_FLAGS) -w -flto -c $< -o $@

variant_sources = $(shell find $(BUILD)/variants/$(1)/ -name '*.c')
variant_objects = $(patsubst %,%.o,$(variant_sources)) \
                  $(filter-out $(patsubst $(BUILD)/variants/$(1)/%,$(BUILD)/obj/%.o,$(variant_sources)),$(KERNEL_OBJECTS))

.SECONDEXPANSION:
$(BUILD)/variants/%/kernel.elf: $$(call variant_objects,$$*) linker/kernel.ld
	$(call SAY,LD,$@)
	$(Q)$(LINK) -o $@ $(filter %.o,$^)

$(BUILD)/variants/%/test-kernel.elf: $$(call variant_objects,$$*) $(TEST_OBJECTS) linker/kernel.ld
	$(call SAY,LD,$@)
	$(Q)$(LINK) $(TEST_LINK) -o $@ $(filter %.o,$^)

# The host tests with such sources: build/variants/NAME/PROGRAM for tests/unit/test_PROGRAM.c.
define variant_unit_rule
$(BUILD)/variants/%/$(1): tests/unit/test_$(1).c $$$$(call variant_sources,$$$$*) FORCE
	$(Q)$(CC) $(HOST_FLAGS) -w $$(filter %.c,$$^) \
	    $$(filter-out $$(patsubst $(BUILD)/variants/$$*/%,%,$$(call variant_sources,$$*)),$(UNIT_$(1))) -o $$@ $(HOST_LIBS)
endef
$(foreach t,$(filter iommu_% irq,$(UNIT_TESTS)),$(eval $(call variant_unit_rule,$(t))))
