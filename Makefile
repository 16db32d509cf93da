# SPDX-License-Identifier: BSD-2-Clause
# Builds the kernel, the UEFI loader, the SDK, the examples and the host tests into build/.
# People type ./bulkhead; this file is what it calls.

.DEFAULT_GOAL := all
BUILD ?= build
CC := clang
LD := ld.lld
OBJCOPY := llvm-objcopy
V ?=

ifeq ($(V),)
Q := @
SAY = @echo "  $(1)	$(2)"
else
Q :=
SAY =
endif

WARN := -Wall -Wextra -Werror -Wmissing-prototypes -Wstrict-prototypes -Wshadow -Wundef \
        -Wpointer-arith -Wvla -Wimplicit-fallthrough -Wno-unused-parameter -Wno-address-of-packed-member

include boot/pvh/kernel.mk
include tests/kernel/kernel.mk
include boot/efi/efi.mk
include tools/afu-model/afu-model.mk
include tools/check/check.mk
include tests/unit/unit.mk
include tests/replay/replay.mk
include tests/fuzz/fuzz.mk
include sdk/sdk.mk
include examples/examples.mk
include bench/bench.mk
include tests/qemu/payloads.mk
include tests/qemu/variants.mk
include tests/qemu/plugins.mk
include tools/install.mk

.PHONY: all kernel test-kernel objects sdk examples unit fuzz clean
all: kernel efi examples $(BUILD)/check
kernel: $(BUILD)/kernel.elf $(BUILD)/compile_commands.json

# For clangd and editors. A file that comes or goes changes its folder.
$(BUILD)/compile_commands.json: $(filter %.mk Makefile,$(MAKEFILE_LIST)) tools/bulkhead/compile_commands.py sdk/cc \
                                $(sort $(dir $(KERNEL_SOURCES))) sdk/lib $(wildcard examples/*/.)
	$(call SAY,JSON,$@)
	$(Q)BULKHEAD_BUILD=$(BUILD) PYTHONPATH=tools PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 -m bulkhead.compile_commands

objects: $(KERNEL_OBJECTS) $(TEST_OBJECTS)

clean:
	rm -rf $(BUILD)
