/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/linux/program/archive.h"
#include "kernel/file/path.h"
#include "kernel/file/ramfile.h"
#include "kernel/file/tree.h"
#include "kernel/lib/error.h"
#include "kernel/lib/format.h"
#include "kernel/lib/string.h"
#include "kernel/linux/program/cpio.h"

#define MODE_READ_EXEC 0555

/* Names come as "a/b", "./a/b" or "/a/b"; NULL for the directory itself. */
static const char *relative_name(const char *name)
{
    while (name[0] == '/' || (name[0] == '.' && name[1] == '/'))
        name++;
    return name[0] == 0 || strcmp(name, ".") == 0 ? NULL : name;
}

/* A name that a walk would not find under itself cannot be put into the tree. */
static bool name_is_plain(const char *name)
{
    while (*name) {
        const char *end = strchr(name, '/');
        size_t length = end ? (size_t)(end - name) : strlen(name);
        if (length == 0 || path_is_dots(name, length))
            return false;
        name += length + (end != NULL);
    }
    return true;
}

static int add_file(const char *path, const struct cpio_entry *entry)
{
    struct ramfile *ram = ramfile_create(SEAL_ALL, false);
    if (!ram)
        return -ENOMEM;
    int error = ramfile_append(ram, entry->data, entry->size);
    if (!error)
        error = tree_add_ram(path, ram, entry->mode & MODE_READ_EXEC);
    if (error)
        ramfile_put(ram);
    return error;
}

static int add_link(const char *path, const struct cpio_entry *entry)
{
    char target[CPIO_NAME_MAX];
    if (entry->size == 0 || entry->size >= sizeof(target))
        return -ENAMETOOLONG;
    memcpy(target, entry->data, entry->size);
    target[entry->size] = 0;
    return tree_add_link(path, target);
}

/*
 * Makes the path one without links on its way, as rows have it; and what the archive brings, but no
 * directory, takes the place of a row that only says something.
 */
static void make_room(char path[CPIO_NAME_MAX + 1], bool directory)
{
    char name[CPIO_NAME_MAX + 1];
    struct place place;
    int length;
    if (path_walk(node_root(), path, PATH_PARENT, &place) || !place.parent ||
        (length = node_path(place.parent, name, sizeof(name))) < 0)
        return;
    if (length + strlen(place.name) + 1 <= CPIO_NAME_MAX)
        format(path, CPIO_NAME_MAX + 1, "%s/%s", length > 1 ? name : "", place.name);
    if (!directory && place.node &&
        (place.node->type == NODE_TEXT || place.node->type == NODE_LINK))
        tree_remove(path);
}

static int add_entry(const struct cpio_entry *entry, const char *name)
{
    char path[CPIO_NAME_MAX + 1];
    if (!name_is_plain(name))
        return -EINVAL;
    format(path, sizeof(path), "/%s", name);
    make_room(path, (entry->mode & MODE_TYPE) == MODE_DIRECTORY);
    switch (entry->mode & MODE_TYPE) {
    case MODE_REGULAR:
        return add_file(path, entry);
    case MODE_LINK:
        return add_link(path, entry);
    case MODE_DIRECTORY: {
        int error = tree_add_directory(path);
        return error == -EEXIST ? 0 : error; /* /dev or /tmp, which are there already */
    }
    default:
        return 0; /* device nodes and the like mean nothing here */
    }
}

static int unpack(struct cpio_reader *reader, const void **program, uint64_t *program_size,
                  struct refusal *why)
{
    struct cpio_entry entry;
    const char *reason;
    int next;
    while ((next = cpio_next(reader, &entry, &reason)) == 1) {
        const char *name = relative_name(entry.name);
        if (!name)
            continue;
        if (strcmp(name, ARCHIVE_PROGRAM) == 0) {
            *program = entry.data;
            *program_size = entry.size;
        }
        int error = add_entry(&entry, name);
        if (error)
            return refuse(why, error, "cannot add a file of the boot archive (%s): '%s'",
                          error_name(error), name);
    }
    return next < 0 ? refuse(why, next, "the boot archive is broken: %s", reason) : 0;
}

/* A program that comes alone is in the tree all the same. */
static int add_program(const void *program, uint64_t size, struct refusal *why)
{
    const struct cpio_entry entry = {.mode = 0755, .data = program, .size = (uint32_t)size};
    int error = size > UINT32_MAX ? -EFBIG : add_file("/" ARCHIVE_PROGRAM, &entry);
    return error ? refuse(why, error, "cannot keep the payload as a file: %s", error_name(error))
                 : 0;
}

int archive_unpack(const void *archive, uint64_t size, const void **program, uint64_t *program_size,
                   struct refusal *why)
{
    struct cpio_reader reader;
    *program = NULL;
    if (size == 0)
        return refuse(why, -ENOENT, "there is no payload: no boot archive was given");
    if (!cpio_detect(archive, size)) {
        *program = archive;
        *program_size = size;
        return add_program(archive, size, why);
    }
    cpio_open(&reader, archive, size);
    int error = unpack(&reader, program, program_size, why);
    if (!error && !*program)
        error = refuse(why, -ENOENT, "the boot archive holds no %s", ARCHIVE_PROGRAM);
    return error;
}
