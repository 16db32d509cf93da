/* SPDX-License-Identifier: BSD-2-Clause */
/* opendir and its family over getdents64, whose records are struct dirent cut to their length. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "call.h"

struct __directory {
    int fd;
    size_t next; /* offset of the next record in `records` */
    size_t end;
    long place; /* where the next record is, as telldir() says */
    _Alignas(struct dirent) char records[4096];
};

DIR *fdopendir(int fd)
{
    DIR *directory = malloc(sizeof(*directory));
    if (!directory)
        return NULL;
    *directory = (DIR){.fd = fd};
    return directory;
}

DIR *opendir(const char *path)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    DIR *directory = fdopendir(fd);
    if (!directory)
        close(fd);
    return directory;
}

struct dirent *readdir(DIR *directory)
{
    if (directory->next >= directory->end) {
        long got =
            CALL(SYS_getdents64, directory->fd, directory->records, sizeof(directory->records));
        if (got <= 0)
            return NULL;
        directory->next = 0;
        directory->end = (size_t)got;
    }
    struct dirent *entry = (struct dirent *)(directory->records + directory->next);
    directory->next += entry->d_reclen;
    directory->place = entry->d_off;
    return entry;
}

void rewinddir(DIR *directory)
{
    seekdir(directory, 0);
}

void seekdir(DIR *directory, long place)
{
    lseek(directory->fd, place, SEEK_SET);
    directory->next = directory->end = 0;
    directory->place = place;
}

long telldir(DIR *directory)
{
    return directory->place;
}

int dirfd(DIR *directory)
{
    return directory->fd;
}

int closedir(DIR *directory)
{
    int result = close(directory->fd);
    free(directory);
    return result;
}

int alphasort(const struct dirent **one, const struct dirent **other)
{
    return strcmp((*one)->d_name, (*other)->d_name);
}

static void free_entries(struct dirent **entries, size_t count)
{
    while (count > 0)
        free(entries[--count]);
    free(entries);
}

/* Adds a copy of an entry. The array doubles: its room is what the count is the next power of. */
static struct dirent **add_entry(struct dirent **entries, size_t count, const struct dirent *entry)
{
    struct dirent *copy = malloc(sizeof(*copy)); /* no record is longer */

    if (copy && (count & (count - 1)) == 0) {
        struct dirent **more = realloc(entries, (count ? 2 * count : 1) * sizeof(struct dirent *));
        if (!more) {
            free(copy);
            copy = NULL;
        } else {
            entries = more;
        }
    }
    if (!copy) {
        free_entries(entries, count);
        return NULL;
    }
    memcpy(copy, entry, entry->d_reclen);
    entries[count] = copy;
    return entries;
}

int scandir(const char *path, struct dirent ***out, int (*wanted)(const struct dirent *),
            int (*compare)(const struct dirent **, const struct dirent **))
{
    DIR *directory = opendir(path);
    struct dirent **entries = NULL, *entry;
    size_t count = 0;

    if (!directory)
        return -1;
    while ((entry = readdir(directory))) {
        if (wanted && !wanted(entry))
            continue;
        entries = add_entry(entries, count, entry);
        if (!entries) {
            closedir(directory);
            errno = ENOMEM;
            return -1;
        }
        count++;
    }
    closedir(directory);
    if (count > 0 && compare)
        qsort(entries, count, sizeof(struct dirent *),
              (int (*)(const void *, const void *))compare);
    *out = entries;
    return (int)count;
}
