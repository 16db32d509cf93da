# SPDX-License-Identifier: BSD-2-Clause
# Test payloads: tests/qemu/payloads/NAME.c, or all of tests/qemu/payloads/NAME/*.c, as
# build/payloads/NAME.CC.elf, where CC is the C library it is linked with: sdk, musl or glibc (both
# static), pie (glibc, static and position-independent), dpdk (glibc, static, with DPDK's libraries and its driver for
# e1000e), or raw (nothing but the file itself). NAME.linux is for Linux alone, not static. NAME.rs and NAME.go become
# NAME.rust.elf and NAME.go.elf, also static. Those of the SDK may use the parts of the examples: their drivers.

PAYLOAD_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wno-unused-parameter \
                 -I tests/qemu/payloads -isystem sdk/device
PAYLOAD_HEADERS := $(wildcard sdk/device/bulkhead/*.h tests/qemu/payloads/*.h tests/qemu/payloads/*/*.h include/uapi/linux/*.h)
MUSL := /usr/lib/x86_64-linux-musl
MUSL_FLAGS := -nostdinc -isystem /usr/include/x86_64-linux-musl -isystem include/uapi \
              -isystem $(shell $(CC) -print-resource-dir)/include -idirafter /usr/include \
              -idirafter /usr/include/x86_64-linux-gnu

# A driver of DPDK is found only if it is linked whole. Of the rest the linker takes what is called: which library has it
# differs between versions.
DPDK_FLAGS := -include rte_config.h -march=corei7 -isystem /usr/include/dpdk -isystem /usr/include/x86_64-linux-gnu/dpdk
DPDK_DRIVERS := -l:librte_net_e1000.a -l:librte_bus_pci.a -l:librte_mempool_ring.a
DPDK_LIBS = -Wl,--whole-archive $(DPDK_DRIVERS) -Wl,--no-whole-archive \
            -Wl,--start-group $(wildcard /usr/lib/x86_64-linux-gnu/librte_*.a) -Wl,--end-group -lnuma -lbsd -lmd -lm

PAYLOAD_SOURCES = $(or $(wildcard tests/qemu/payloads/$1/*.c),tests/qemu/payloads/$1.c)
# Those that call <bulkhead/device.h>, which the SDK has built in.
WITH_DEVICE := library clients/job_from_input
LINUX_SOURCES = $(call PAYLOAD_SOURCES,$1) $(if $(filter $1,$(WITH_DEVICE)),sdk/device/device.c)
# What becomes of a source on the way to the program $@.
PROGRAM_OBJECT = $(@:.elf=).$(subst /,.,$(basename $1)).o

# $(call MUSL_LINK,FLAGS,SOURCES): compiles them and links $@ statically with musl.
MUSL_LINK = $(foreach s,$2,$(CC) $1 $(MUSL_FLAGS) -fno-pic -c -o $(call PROGRAM_OBJECT,$s) $s &&) \
            $(LD) -static -o $@ $(MUSL)/crt1.o $(MUSL)/crti.o $(foreach s,$2,$(call PROGRAM_OBJECT,$s)) $(MUSL)/libc.a $(MUSL)/crtn.o

.SECONDEXPANSION:

$(BUILD)/payloads/%.sdk.elf: $$(call PAYLOAD_SOURCES,$$*) $(PAYLOAD_HEADERS) $(BUILD)/examples/parts.a $(SDK) \
                           linker/payload.ld
	@mkdir -p $(@D)
	$(call SAY,PAYLOADCC,$@)
	$(Q)$(SDK_CC) $(PAYLOAD_FLAGS) -I examples -o $@ $(call PAYLOAD_SOURCES,$*) $(BUILD)/examples/parts.a

$(BUILD)/payloads/%.musl.elf: $$(call LINUX_SOURCES,$$*) $(PAYLOAD_HEADERS)
	@mkdir -p $(@D)
	$(call SAY,MUSLCC,$@)
	$(Q)$(call MUSL_LINK,$(PAYLOAD_FLAGS),$(call LINUX_SOURCES,$*))

$(BUILD)/payloads/%.glibc.elf: $$(call LINUX_SOURCES,$$*) $(PAYLOAD_HEADERS)
	@mkdir -p $(@D)
	$(call SAY,GLIBCCC,$@)
	$(Q)$(CC) $(PAYLOAD_FLAGS) -isystem include/uapi -static -pthread -o $@ $(call LINUX_SOURCES,$*)

$(BUILD)/payloads/%.linux: $$(call PAYLOAD_SOURCES,$$*) $(PAYLOAD_HEADERS)
	@mkdir -p $(@D)
	$(call SAY,LINUXCC,$@)
	$(Q)$(CC) $(PAYLOAD_FLAGS) -isystem include/uapi -pthread -o $@ $(call LINUX_SOURCES,$*)

$(BUILD)/payloads/%.pie.elf: $$(call LINUX_SOURCES,$$*) $(PAYLOAD_HEADERS)
	@mkdir -p $(@D)
	$(call SAY,PIECC,$@)
	$(Q)$(CC) $(PAYLOAD_FLAGS) -isystem include/uapi -static-pie -fPIE -pthread -o $@ $(call LINUX_SOURCES,$*)

# The linker remarks that DPDK's plugins would want a shared C library; there are none.
$(BUILD)/payloads/%.dpdk.elf: $$(call PAYLOAD_SOURCES,$$*)
	@mkdir -p $(@D)
	$(call SAY,DPDKCC,$@)
	$(Q)$(CC) $(PAYLOAD_FLAGS) $(DPDK_FLAGS) -static -pthread -o $@ $(call PAYLOAD_SOURCES,$*) $(DPDK_LIBS)

# Debian's compilers, which only ./bulkhead test --long installs, and nothing but their standard libraries.
$(BUILD)/payloads/%.rust.elf: tests/qemu/payloads/%.rs
	@mkdir -p $(@D)
	$(call SAY,RUSTC,$@)
	$(Q)/usr/bin/rustc --edition 2021 -D warnings -O -C target-feature=+crt-static -C linker=$(CC) -o $@ $<

$(BUILD)/payloads/%.go.elf: tests/qemu/payloads/%.go
	@mkdir -p $(@D)
	$(call SAY,GO,$@)
	$(Q)GO111MODULE=off CGO_ENABLED=0 GOCACHE=$(abspath $(BUILD))/go-cache /usr/bin/go build -o $@ $<

$(BUILD)/payloads/%.raw.elf: tests/qemu/payloads/%.S
	@mkdir -p $(@D)
	$(call SAY,PAYLOADAS,$@)
	$(Q)$(CC) --target=x86_64-unknown-none-elf -c -o $@.o $<
	$(Q)$(LD) -static -o $@ $@.o
