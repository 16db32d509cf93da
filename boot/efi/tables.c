/* SPDX-License-Identifier: BSD-2-Clause */
/* What the firmware knows of the machine and the kernel wants: ACPI's root, the framebuffer. */
#include "boot/efi/internal.h"

#include "kernel/lib/string.h"

uint64_t find_rsdp(void)
{
    /* In the order of preference: revision 2 and later, then 1. */
    static const EFI_GUID guids[] = {ACPI_20_TABLE_GUID, ACPI_TABLE_GUID};

    for (size_t i = 0; i < LENGTH(guids); i++) {
        for (UINTN j = 0; j < firmware->NumberOfTableEntries; j++) {
            const EFI_CONFIGURATION_TABLE *table = &firmware->ConfigurationTable[j];

            if (memcmp(&table->VendorGuid, &guids[i], sizeof(guids[i])) == 0)
                return (uint64_t)table->VendorTable;
        }
    }
    return 0;
}

/* Masks of a 32-bit pixel; all zero for a format without one. */
static EFI_PIXEL_BITMASK pixel_masks(const EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *mode)
{
    static const EFI_PIXEL_BITMASK rgb = {0x0000ff, 0x00ff00, 0xff0000, 0};
    static const EFI_PIXEL_BITMASK bgr = {0xff0000, 0x00ff00, 0x0000ff, 0};
    static const EFI_PIXEL_BITMASK none = {0, 0, 0, 0};

    switch (mode->PixelFormat) {
    case PixelRedGreenBlueReserved8BitPerColor:
        return rgb;
    case PixelBlueGreenRedReserved8BitPerColor:
        return bgr;
    case PixelBitMask:
        return mode->PixelInformation;
    default:
        return none;
    }
}

void find_framebuffer(struct boot_framebuffer *out)
{
    EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
    EFI_GRAPHICS_OUTPUT_PROTOCOL *graphics;
    EFI_PIXEL_BITMASK masks;

    *out = (struct boot_framebuffer){0};
    if (EFI_ERROR(firmware->BootServices->LocateProtocol(&guid, NULL, (void **)&graphics)) ||
        !graphics->Mode || !graphics->Mode->Info || !graphics->Mode->FrameBufferBase)
        return;
    masks = pixel_masks(graphics->Mode->Info);
    if (!masks.RedMask)
        return;
    *out = (struct boot_framebuffer){
        .base = graphics->Mode->FrameBufferBase,
        .size = graphics->Mode->FrameBufferSize,
        .width = graphics->Mode->Info->HorizontalResolution,
        .height = graphics->Mode->Info->VerticalResolution,
        .pitch = graphics->Mode->Info->PixelsPerScanLine * 4,
        .bits_red = masks.RedMask,
        .bits_green = masks.GreenMask,
        .bits_blue = masks.BlueMask,
    };
}
