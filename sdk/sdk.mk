# SPDX-License-Identifier: BSD-2-Clause
# The SDK: newlib with our system headers, and libsdk.a, which makes its calls system calls.

NEWLIB := $(BUILD)/newlib.stamp
SDK_CC := BULKHEAD_BUILD=$(BUILD) sdk/cc
SDK_FLAGS := -D_GNU_SOURCE -std=gnu11 -O2 -g $(filter-out -Wshadow,$(WARN))
SDK_OBJECTS := $(patsubst sdk/lib/%.c,$(BUILD)/sdk/%.o,$(sort $(wildcard sdk/lib/*.c)))
SDK := $(BUILD)/sdk/libsdk.a $(BUILD)/sdk/libbulkhead-device.a $(BUILD)/sdk/start.o

# What newlib was compiled with; touching other parts of the SDK does not rebuild it.
NEWLIB_PARTS := sdk/build-newlib.sh $(addprefix sdk/include/,machine/_types.h sys/_default_fcntl.h \
                sys/errno.h sys/signal.h sys/stat.h time.h)

# newlib's own scripts take no blanks in names: it is built where there are none, through a link to here.
$(NEWLIB): $(NEWLIB_PARTS)
	@mkdir -p $(@D)
	$(Q)work=$$(TMPDIR=/tmp mktemp -d) && trap 'rm -rf "$$work"' EXIT && ln -s "$(CURDIR)" $$work/top && \
	    $$work/top/sdk/build-newlib.sh $$work/newlib && \
	    rm -rf $(BUILD)/newlib && mv $$work/newlib $(BUILD)/newlib
	@touch $@

$(BUILD)/sdk/%.o: sdk/lib/%.c sdk/cc $(NEWLIB)
	@mkdir -p $(@D)
	$(call SAY,PAYLOADCC,$<)
	$(Q)$(SDK_CC) $(SDK_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/sdk/start.o: sdk/lib/start.S sdk/cc
	@mkdir -p $(@D)
	$(call SAY,PAYLOADAS,$<)
	$(Q)$(SDK_CC) -c $< -o $@

$(BUILD)/sdk/libsdk.a: $(SDK_OBJECTS)
	$(call SAY,AR,$@)
	$(Q)rm -f $@ && llvm-ar rcs $@ $^

$(BUILD)/sdk/device/%.o: sdk/device/%.c sdk/cc $(NEWLIB)
	@mkdir -p $(@D)
	$(call SAY,PAYLOADCC,$<)
	$(Q)$(SDK_CC) $(SDK_FLAGS) -MMD -MP -c $< -o $@

# Optional for a payload: linked only where something of it is called.
$(BUILD)/sdk/libbulkhead-device.a: $(BUILD)/sdk/device/device.o
	$(call SAY,AR,$@)
	$(Q)rm -f $@ && llvm-ar rcs $@ $^

sdk: $(SDK)

-include $(wildcard $(BUILD)/sdk/*.d $(BUILD)/sdk/device/*.d)
