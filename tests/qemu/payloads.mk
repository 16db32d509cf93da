# SPDX-License-Identifier: BSD-2-Clause
# Test payloads: tests/qemu/payloads/NAME.c as build/payloads/NAME.CC.elf, where CC is the C library
# it is linked with: sdk, musl or glibc (both static), or raw (nothing but the file itself).

PAYLOAD_FLAGS := -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wno-unused-function -Wno-unused-parameter
PAYLOAD_HEADERS := $(wildcard tests/qemu/payloads/*.h include/uapi/linux/*.h)
MUSL := /usr/lib/x86_64-linux-musl
MUSL_FLAGS := -nostdinc -isystem /usr/include/x86_64-linux-musl -isystem include/uapi \
              -isystem $(shell $(CC) -print-resource-dir)/include -idirafter /usr/include \
              -idirafter /usr/include/x86_64-linux-gnu

$(BUILD)/payloads/%.sdk.elf: tests/qemu/payloads/%.c $(PAYLOAD_HEADERS) $(SDK) linker/payload.ld
	@mkdir -p $(@D)
	$(call SAY,PAYLOADCC,$@)
	$(Q)$(SDK_CC) $(PAYLOAD_FLAGS) -o $@ $<

$(BUILD)/payloads/%.musl.elf: tests/qemu/payloads/%.c $(PAYLOAD_HEADERS)
	@mkdir -p $(@D)
	$(call SAY,MUSLCC,$@)
	$(Q)$(CC) $(PAYLOAD_FLAGS) $(MUSL_FLAGS) -fno-pic -c -o $@.o $<
	$(Q)$(LD) -static -o $@ $(MUSL)/crt1.o $(MUSL)/crti.o $@.o $(MUSL)/libc.a $(MUSL)/crtn.o

$(BUILD)/payloads/%.glibc.elf: tests/qemu/payloads/%.c $(PAYLOAD_HEADERS)
	@mkdir -p $(@D)
	$(call SAY,GLIBCCC,$@)
	$(Q)$(CC) $(PAYLOAD_FLAGS) -isystem include/uapi -static -pthread -o $@ $<

$(BUILD)/payloads/%.raw.elf: tests/qemu/payloads/%.S
	@mkdir -p $(@D)
	$(call SAY,PAYLOADAS,$@)
	$(Q)$(CC) --target=x86_64-unknown-none-elf -c -o $@.o $<
	$(Q)$(LD) -static -o $@ $@.o
