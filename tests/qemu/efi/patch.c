/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Firmware as it should not be: applies the patches of \EFI\bulkhead\patches to the ACPI tables,
 * then starts the loader. tests/qemu/firmware_patch.py writes the file.
 */
#include "tests/qemu/efi/start.h"

/* What a record of the file asks for. */
enum {
    PATCH_TABLE = 1, /* bytes in the table with a signature ("RSDP" and "XSDT" are known as well) */
    PATCH_ENTRY = 2, /* XSDT entry `offset` becomes `value` + address of the signature's table */
};

#pragma pack(push, 1)
struct patch {
    UINT8 kind;
    UINT8 mend_checksum;
    char signature[4];
    UINT32 offset;
    UINT64 value;
    UINT32 length; /* of the bytes that follow the record */
};

struct rsdp {
    char signature[8];
    UINT8 checksum;
    char oem[6];
    UINT8 revision;
    UINT32 rsdt;
    UINT32 length;
    UINT64 xsdt;
    UINT8 extended_checksum;
};

struct table {
    char signature[4];
    UINT32 length;
    UINT8 revision;
    UINT8 checksum;
    UINT8 rest[26];
    UINT64 entries[];
};
#pragma pack(pop)

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table);

static BOOLEAN equal(const void *a, const void *b, UINTN length)
{
    const UINT8 *x = a, *y = b;

    for (UINTN i = 0; i < length; i++)
        if (x[i] != y[i])
            return FALSE;
    return TRUE;
}

static struct rsdp *find_rsdp(void)
{
    EFI_GUID guid = ACPI_20_TABLE_GUID;

    for (UINTN i = 0; i < firmware->NumberOfTableEntries; i++)
        if (equal(&firmware->ConfigurationTable[i].VendorGuid, &guid, sizeof(guid)))
            return firmware->ConfigurationTable[i].VendorTable;
    return NULL;
}

static UINT8 *find_table(const char signature[4])
{
    struct rsdp *rsdp = find_rsdp();
    struct table *xsdt = (struct table *)rsdp->xsdt;

    if (equal(signature, "RSDP", 4))
        return (UINT8 *)rsdp;
    if (equal(signature, "XSDT", 4))
        return (UINT8 *)xsdt;
    for (UINTN i = 0; i < (xsdt->length - sizeof(*xsdt)) / 8; i++)
        if (equal((const void *)xsdt->entries[i], signature, 4))
            return (UINT8 *)xsdt->entries[i];
    return NULL;
}

static UINT8 sum(const UINT8 *bytes, UINTN length)
{
    UINT8 total = 0;

    for (UINTN i = 0; i < length; i++)
        total = (UINT8)(total + bytes[i]);
    return total;
}

static void mend(UINT8 *at)
{
    struct table *table = (struct table *)at;
    struct rsdp *rsdp = (struct rsdp *)at;

    if (rsdp == find_rsdp()) {
        rsdp->checksum = (UINT8)(rsdp->checksum - sum(at, 20));
        rsdp->extended_checksum = (UINT8)(rsdp->extended_checksum - sum(at, 36));
    } else {
        table->checksum = (UINT8)(table->checksum - sum(at, table->length));
    }
}

static BOOLEAN apply(const struct patch *patch)
{
    UINT8 *table = find_table(patch->signature);
    struct table *xsdt = (struct table *)find_rsdp()->xsdt;

    if (patch->kind == PATCH_ENTRY) {
        xsdt->entries[patch->offset] = patch->value + (UINT64)table;
        table = (UINT8 *)xsdt;
    } else if (table) {
        services->CopyMem(table + patch->offset, (void *)(patch + 1), patch->length);
    } else {
        return FALSE;
    }
    if (patch->mend_checksum)
        mend(table);
    return TRUE;
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *table)
{
    EFI_HANDLE loader;
    void *data;
    UINTN size;

    start_init(image, table);
    if (EFI_ERROR(read_file(L"\\EFI\\bulkhead\\patches", &data, &size)) ||
        EFI_ERROR(load_loader(&loader))) {
        say(L"patch: failed\r\n");
        return EFI_ABORTED;
    }
    for (UINT8 *at = data; at < (UINT8 *)data + size;) {
        struct patch *patch = (struct patch *)at;

        if (!apply(patch))
            say(L"patch: a patch does not apply\r\n");
        at += sizeof(*patch) + patch->length;
    }
    say(L"patch: done\r\n");
    services->StartImage(loader, NULL, NULL);
    say(L"patch: the loader came back\r\n");
    return EFI_ABORTED;
}
