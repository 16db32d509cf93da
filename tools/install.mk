# SPDX-License-Identifier: BSD-2-Clause
# make install PREFIX=/usr/local [DESTDIR=]: Bulkhead away from its source tree, with all that was built.
# lib/bulkhead has the places of the source tree, so that everything finds everything in the same way.

PREFIX ?= /usr/local
DESTDIR ?=
INSTALL_FOLDER := $(DESTDIR)$(PREFIX)/lib/bulkhead
INSTALL_COMMAND := $(DESTDIR)$(PREFIX)/bin/bulkhead
INSTALL_COMPLETION := $(DESTDIR)$(PREFIX)/share/bash-completion/completions/bulkhead
# Copied as they are.
INSTALLED_TREES := LICENSE README.md bulkhead docs examples include linker sdk/cc sdk/device sdk/include tools/bulkhead \
                   tools/install.sh tools/iommu-map tools/iommu_map tools/packages
INSTALLED_BUILDS := kernel.elf bulkhead.efi check afu-model newlib $(SDK:$(BUILD)/%=%) \
                    $(EXAMPLES:%=examples/%.elf)

.PHONY: install uninstall
install: kernel efi sdk examples $(BUILD)/check $(BUILD)/afu-model
	$(call SAY,INSTALL,$(INSTALL_FOLDER))
	$(Q)rm -rf "$(INSTALL_FOLDER)" && mkdir -p "$(INSTALL_FOLDER)/build" "$(dir $(INSTALL_COMMAND))" "$(dir $(INSTALL_COMPLETION))"
	$(Q)tar -cf "$(INSTALL_FOLDER)/all.tar" --exclude=__pycache__ --exclude=suites --exclude='*.mk' $(INSTALLED_TREES)
	$(Q)tar -xf "$(INSTALL_FOLDER)/all.tar" --no-same-owner -C "$(INSTALL_FOLDER)"
	$(Q)tar -cf "$(INSTALL_FOLDER)/all.tar" -C $(BUILD) $(INSTALLED_BUILDS)
	$(Q)tar -xf "$(INSTALL_FOLDER)/all.tar" --no-same-owner -C "$(INSTALL_FOLDER)/build" && rm "$(INSTALL_FOLDER)/all.tar"
	$(Q)echo "$(or $(BUILD_VERSION),unknown)" >"$(INSTALL_FOLDER)/VERSION"
	$(Q)chmod -R u=rwX,go=rX "$(INSTALL_FOLDER)"
	$(Q)ln -sfn ../lib/bulkhead/bulkhead "$(INSTALL_COMMAND)"
	$(Q)PYTHONPATH=tools python3 -B -m bulkhead completion >"$(INSTALL_COMPLETION)" && chmod 644 "$(INSTALL_COMPLETION)"

uninstall:
	rm -rf "$(INSTALL_FOLDER)"
	rm -f "$(INSTALL_COMMAND)" "$(INSTALL_COMPLETION)"
