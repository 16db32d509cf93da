/* SPDX-License-Identifier: BSD-2-Clause */
/* Files of the folder \bulkhead on the loader's own volume (UEFI specification, 13.4, 13.5). */
#include "boot/efi/internal.h"

/* Some firmware fails on very large reads; this much at a time is fast enough everywhere. */
#define CHUNK (UINT64_C(4) << 20)

static EFI_FILE_HANDLE folder;

EFI_STATUS volume_open(void)
{
    EFI_GUID image_guid = LOADED_IMAGE_PROTOCOL;
    EFI_GUID volume_guid = SIMPLE_FILE_SYSTEM_PROTOCOL;
    EFI_LOADED_IMAGE *image;
    EFI_FILE_IO_INTERFACE *volume;
    EFI_FILE_HANDLE root;
    EFI_STATUS status;

    status = firmware->BootServices->HandleProtocol(loader_image, &image_guid, (void **)&image);
    if (EFI_ERROR(status))
        return refuse("the firmware does not tell where the loader came from");
    status =
        firmware->BootServices->HandleProtocol(image->DeviceHandle, &volume_guid, (void **)&volume);
    if (EFI_ERROR(status) || EFI_ERROR(volume->OpenVolume(volume, &root)))
        return refuse("the loader did not come from a volume with files");
    status = root->Open(root, &folder, L"bulkhead", EFI_FILE_MODE_READ, 0);
    root->Close(root);
    if (EFI_ERROR(status))
        return refuse("there is no folder \\bulkhead on the volume the loader came from");
    return EFI_SUCCESS;
}

void volume_close(void)
{
    folder->Close(folder);
}

static EFI_STATUS file_size(EFI_FILE_HANDLE handle, uint64_t *size)
{
    /* EFI_FILE_INFO ends with the file's name, here one of our own short ones. */
    union {
        EFI_FILE_INFO info;
        char room[offsetof(EFI_FILE_INFO, FileName) + 512];
    } buffer;
    EFI_GUID guid = EFI_FILE_INFO_ID;
    UINTN length = sizeof(buffer);
    EFI_STATUS status = handle->GetInfo(handle, &guid, &length, &buffer);

    if (EFI_ERROR(status))
        return status;
    if (buffer.info.Attribute & EFI_FILE_DIRECTORY)
        return EFI_UNSUPPORTED;
    *size = buffer.info.FileSize;
    return EFI_SUCCESS;
}

static EFI_STATUS read_bytes(EFI_FILE_HANDLE handle, char *to, uint64_t size)
{
    while (size) {
        UINTN length = size < CHUNK ? size : CHUNK;
        EFI_STATUS status = handle->Read(handle, &length, to);

        if (EFI_ERROR(status))
            return status;
        if (!length || length > size)
            return EFI_END_OF_FILE;
        to += length;
        size -= length;
    }
    return EFI_SUCCESS;
}

static EFI_STATUS read_open(EFI_FILE_HANDLE handle, const char *name, uint64_t most,
                            struct file *out)
{
    uint64_t size;

    if (EFI_ERROR(file_size(handle, &size)))
        return refuse("\\bulkhead\\%s is not a file", name);
    if (!size)
        return EFI_SUCCESS;
    if (size > most)
        return refuse("\\bulkhead\\%s is larger than %llu bytes", name, most);
    out->data = pages_allocate((size + PAGE - 1) / PAGE);
    if (!out->data)
        return refuse("\\bulkhead\\%s (%llu bytes) does not fit in memory", name, size);
    out->size = size;
    if (!EFI_ERROR(read_bytes(handle, out->data, size)))
        return EFI_SUCCESS;
    file_free(out);
    return refuse("\\bulkhead\\%s cannot be read", name);
}

EFI_STATUS volume_read(const char *name, uint64_t most, struct file *out)
{
    CHAR16 wide[32] = {0};
    EFI_FILE_HANDLE handle;
    EFI_STATUS status;

    *out = (struct file){0};
    for (size_t i = 0; i < LENGTH(wide) - 1 && name[i]; i++)
        wide[i] = (CHAR16)name[i];
    status = folder->Open(folder, &handle, wide, EFI_FILE_MODE_READ, 0);
    if (status == EFI_NOT_FOUND)
        return EFI_SUCCESS;
    if (EFI_ERROR(status))
        return refuse("\\bulkhead\\%s cannot be opened", name);
    out->found = true;
    status = read_open(handle, name, most, out);
    handle->Close(handle);
    return status;
}

void file_free(struct file *file)
{
    if (file->data)
        pages_free(file->data, (file->size + PAGE - 1) / PAGE);
    *file = (struct file){0};
}
