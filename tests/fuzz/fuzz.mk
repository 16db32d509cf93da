# SPDX-License-Identifier: BSD-2-Clause
# libFuzzer targets: the real source files under the fuzzer, ASan and UBSan. A target NAME is
# tests/fuzz/fuzz_NAME.c plus tests/fuzz/NAME.list, which sets FUZZ_NAME to the kernel sources it
# exercises; seeds, if any, are the files of tests/fuzz/corpus/NAME/.

include $(sort $(wildcard tests/fuzz/*.list))

FUZZ_TARGETS := $(patsubst tests/fuzz/%.list,%,$(sort $(wildcard tests/fuzz/*.list)))

define fuzz_rule
$(BUILD)/fuzz/$(1): tests/fuzz/fuzz_$(1).c $$(FUZZ_$(1)) tests/fuzz/$(1).list $$(wildcard kernel/*/*.h kernel/*/*/*.h include/bulkhead/*.h tests/*/*.h)
	@mkdir -p $$(@D)
	$$(call SAY,FUZZCC,$$@)
	$$(Q)$(CC) $(HOST_FLAGS) -fsanitize=fuzzer -Wno-missing-prototypes $$(filter %.c,$$^) -o $$@
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call fuzz_rule,$(t))))

fuzz: $(addprefix $(BUILD)/fuzz/,$(FUZZ_TARGETS))
