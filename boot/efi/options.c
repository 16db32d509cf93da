// SPDX-License-Identifier: BSD-2-Clause
/* Load options of the boot entry: text by convention only (UEFI specification, 9.1). */
#include "boot/efi/loader.h"

static bool is_text(const CHAR16 *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] > '~')
            return false;
    return true;
}

/* A shell starts the options with the program's own name: a first word without '='. */
static size_t program_name(const CHAR16 *text, size_t length)
{
    size_t end = 0;

    for (; end < length && text[end] != ' '; end++)
        if (text[end] == '=')
            return 0;
    return end >= 4 && text[end - 4] == '.' ? end : 0;
}

EFI_STATUS options_append(char *out, size_t *used, size_t size)
{
    EFI_GUID guid = LOADED_IMAGE_PROTOCOL;
    EFI_LOADED_IMAGE *image;
    const CHAR16 *text;
    size_t length, i;

    if (EFI_ERROR(firmware->BootServices->HandleProtocol(loader_image, &guid, (void **)&image)))
        return EFI_SUCCESS;
    text = image->LoadOptions;
    length = text ? image->LoadOptionsSize / sizeof(CHAR16) : 0;
    while (length && !text[length - 1])
        length--;
    if (!is_text(text, length)) {
        remark("the boot entry's load options are not text and are ignored", NULL);
        return EFI_SUCCESS;
    }
    i = program_name(text, length);
    if (i == length)
        return EFI_SUCCESS;
    if (length - i + 1 > size - *used)
        return refuse("the load options are too long", NULL);
    out[(*used)++] = ' ';
    while (i < length)
        out[(*used)++] = (char)text[i++];
    return EFI_SUCCESS;
}
