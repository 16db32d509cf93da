# SPDX-License-Identifier: BSD-2-Clause
# The software FPGA: a host program, the peer of QEMU's ivshmem-doorbell device.

AFU_MODEL_SOURCES := $(sort $(wildcard tools/afu-model/*.c))

$(BUILD)/afu-model: $(AFU_MODEL_SOURCES) $(wildcard tools/afu-model/*.h)
	@mkdir -p $(@D)
	$(call SAY,HOSTCC,$@)
	$(Q)$(CC) -std=gnu11 -O2 -g $(WARN) $(AFU_MODEL_SOURCES) -o $@
