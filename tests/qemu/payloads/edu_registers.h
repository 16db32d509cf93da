/* SPDX-License-Identifier: BSD-2-Clause */
/* The registers of QEMU's edu device and the bits of its command (docs/specs/edu.rst of QEMU). */
#ifndef TESTS_QEMU_PAYLOADS_EDU_REGISTERS_H
#define TESTS_QEMU_PAYLOADS_EDU_REGISTERS_H

enum {
    EDU_RAISE = 0x60,
    EDU_ACKNOWLEDGE = 0x64,
    EDU_SOURCE = 0x80,
    EDU_TARGET = 0x88,
    EDU_COUNT = 0x90,
    EDU_COMMAND = 0x98,
    EDU_BUFFER = 0x40000, /* 4 KiB in the device */
    EDU_RUN = 1,
    EDU_TO_MEMORY = 2,
    EDU_INTERRUPT = 4, /* when it is done */
};

#endif
