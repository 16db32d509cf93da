/* SPDX-License-Identifier: BSD-2-Clause */
/* What the test applications share: they do something to the machine, then start the loader. */
#ifndef TESTS_QEMU_EFI_START_H
#define TESTS_QEMU_EFI_START_H

#include <efi.h>
#include <efilib.h>
#include <efipciio.h>

extern EFI_SYSTEM_TABLE *firmware;
extern EFI_BOOT_SERVICES *services;

/* To be called first. */
void start_init(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);
void say(const CHAR16 *text);
/* The function with a vendor and device id (device in the upper half); NULL if there is none. */
EFI_PCI_IO_PROTOCOL *find_pci(UINT32 id);
/* Copies the volume we came from into memory and goes on with the copy, so that the time the loader
 * takes to read its files is not a matter of the disk's. */
EFI_STATUS copy_volume(void);
/* Loads \EFI\bulkhead\bulkhead.efi of the volume we came from, or of its copy. */
EFI_STATUS load_loader(EFI_HANDLE *loader);
/* Reads a file of that volume into memory from the pool. */
EFI_STATUS read_file(const CHAR16 *name, void **data, UINTN *size);

#endif
