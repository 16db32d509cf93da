# SPDX-License-Identifier: BSD-2-Clause
# Plugins for QEMU, tests/qemu/plugins/NAME.c: build/plugins/NAME.V.so for version V of QEMU's plugin
# interface, of which a QEMU takes some.

$(BUILD)/plugins/stretch.%.so: tests/qemu/plugins/stretch.c
	@mkdir -p $(@D)
	$(call SAY,PLUGINCC,$@)
	$(Q)$(CC) -std=gnu11 -O2 $(WARN) -Wno-missing-prototypes -DSTRETCH_VERSION=$* -fPIC -shared -fvisibility=hidden -o $@ $<
