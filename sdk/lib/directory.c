/* SPDX-License-Identifier: BSD-2-Clause */
/* opendir and its family over getdents64, whose records are struct dirent cut to their length. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "call.h"

struct __directory {
    int fd;
    size_t next; /* offset of the next record in `records` */
    size_t end;
    _Alignas(struct dirent) char records[4096];
};

DIR *fdopendir(int fd)
{
    DIR *directory = malloc(sizeof(*directory));
    if (!directory)
        return NULL;
    directory->fd = fd;
    directory->next = directory->end = 0;
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
    return entry;
}

void rewinddir(DIR *directory)
{
    lseek(directory->fd, 0, SEEK_SET);
    directory->next = directory->end = 0;
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
