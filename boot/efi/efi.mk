# SPDX-License-Identifier: BSD-2-Clause
# The UEFI loader: a PE file made by clang and lld-link from GNU-EFI's headers alone. No stack probes
# and no vector registers, since no C runtime is there to provide or save them.

EFI_INCLUDE ?= /usr/include/efi
EFI_FLAGS := --target=x86_64-unknown-windows -std=gnu11 -O2 -ffreestanding -fno-builtin -fshort-wchar \
             -mno-red-zone -fno-stack-protector -mno-stack-arg-probe -mno-sse -mno-mmx \
             -I. -Iinclude -isystem $(EFI_INCLUDE) -isystem $(EFI_INCLUDE)/x86_64 \
             -isystem $(EFI_INCLUDE)/protocol $(WARN)
EFI_LINK := lld-link /nodefaultlib /entry:efi_main /subsystem:efi_application /timestamp:0

EFI_SOURCES := $(sort $(wildcard boot/efi/*.c boot/efi/*.S kernel/machine/config/*.c) kernel/lib/elf.c \
               kernel/lib/format.c kernel/lib/string.c)
EFI_OBJECTS := $(patsubst %,$(BUILD)/efi/%.o,$(EFI_SOURCES))

$(BUILD)/efi/%.c.o: %.c
	@mkdir -p $(@D)
	$(call SAY,EFICC,$<)
	$(Q)$(CC) $(EFI_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/efi/%.S.o: %.S
	@mkdir -p $(@D)
	$(call SAY,EFIAS,$<)
	$(Q)$(CC) $(EFI_FLAGS) -MMD -MP -c $< -o $@

$(BUILD)/bulkhead.efi: $(EFI_OBJECTS)
	$(call SAY,EFILD,$@)
	$(Q)$(EFI_LINK) /out:$@ $^

# For tests only: the loader without the step that ends the firmware's DMA.
$(BUILD)/efi/boot/efi/main-dma.c.o: boot/efi/main.c
	@mkdir -p $(@D)
	$(call SAY,EFICC,$@)
	$(Q)$(CC) $(EFI_FLAGS) -DLOADER_STOPS_DMA=0 -MMD -MP -c $< -o $@

$(BUILD)/tests/bulkhead-leaves-dma.efi: $(BUILD)/efi/boot/efi/main-dma.c.o \
                                 $(filter-out %/main.c.o,$(EFI_OBJECTS))
	@mkdir -p $(@D)
	$(call SAY,EFILD,$@)
	$(Q)$(EFI_LINK) /out:$@ $^

# EFI applications that tests start before the loader.
$(BUILD)/tests/%.efi: $(BUILD)/efi/tests/qemu/efi/%.c.o $(BUILD)/efi/tests/qemu/efi/start.c.o \
                      $(BUILD)/efi/boot/efi/levels.S.o
	@mkdir -p $(@D)
	$(call SAY,EFILD,$@)
	$(Q)$(EFI_LINK) /out:$@ $^

.PRECIOUS: $(BUILD)/efi/tests/qemu/efi/%.c.o
.PHONY: efi
efi: $(BUILD)/bulkhead.efi

-include $(EFI_OBJECTS:.o=.d)
