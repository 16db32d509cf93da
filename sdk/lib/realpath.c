/* SPDX-License-Identifier: BSD-2-Clause */
/* realpath(): the name of a file without links, dots and doubled slashes. */
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_SIZE 4096 /* of a path, with its end */
#define LINKS_MAX 40

/* The part that was resolved, and the one that was not. */
struct walk {
    char done[NAME_SIZE], todo[NAME_SIZE];
    unsigned links;
};

static bool fail(int error)
{
    errno = error;
    return false;
}

/* Adds "/NAME" to what was resolved; ".." takes the last part away. */
static bool add_part(struct walk *walk, const char *part, size_t length)
{
    size_t had = strlen(walk->done);

    if (length == 1 && part[0] == '.')
        return true;
    if (length == 2 && part[0] == '.' && part[1] == '.') {
        char *slash = strrchr(walk->done, '/');
        if (slash)
            *slash = '\0';
        return true;
    }
    if (had + length + 2 > NAME_SIZE)
        return fail(ENAMETOOLONG);
    walk->done[had] = '/';
    memcpy(walk->done + had + 1, part, length);
    walk->done[had + 1 + length] = '\0';
    return true;
}

/* Puts a link's target before what is still to do. */
static bool follow(struct walk *walk)
{
    char target[NAME_SIZE];
    ssize_t length = readlink(walk->done, target, sizeof(target) - 1);

    if (length < 0)
        return false;
    if (++walk->links > LINKS_MAX)
        return fail(ELOOP);
    if ((size_t)length + strlen(walk->todo) + 1 > NAME_SIZE)
        return fail(ENAMETOOLONG);
    memmove(walk->todo + length, walk->todo, strlen(walk->todo) + 1);
    memcpy(walk->todo, target, (size_t)length);
    char *slash = target[0] == '/' ? walk->done : strrchr(walk->done, '/');
    *slash = '\0';
    return true;
}

/* Takes one part of what is to do. Only the last one may be no directory. */
static bool step(struct walk *walk)
{
    char *part = walk->todo + strspn(walk->todo, "/");
    size_t length = strcspn(part, "/");
    bool last = part[length] == '\0';
    struct stat status;

    if (length == 0) {
        walk->todo[0] = '\0';
        return true;
    }
    if (!add_part(walk, part, length))
        return false;
    memmove(walk->todo, part + length, strlen(part + length) + 1);
    if (walk->done[0] == '\0')
        return true;
    if (lstat(walk->done, &status) < 0)
        return false;
    if (S_ISLNK(status.st_mode))
        return follow(walk);
    return last || S_ISDIR(status.st_mode) || fail(ENOTDIR);
}

static bool resolve(struct walk *walk, const char *path)
{
    if (!path || !path[0])
        return fail(path ? ENOENT : EINVAL);
    if (strlen(path) >= NAME_SIZE)
        return fail(ENAMETOOLONG);
    if (path[0] != '/' && !getcwd(walk->done, sizeof(walk->done)))
        return false;
    if (strcmp(walk->done, "/") == 0)
        walk->done[0] = '\0';
    memcpy(walk->todo, path, strlen(path) + 1);
    while (walk->todo[0]) {
        if (!step(walk))
            return false;
    }
    if (!walk->done[0])
        memcpy(walk->done, "/", 2);
    return true;
}

char *realpath(const char *restrict path, char *restrict out)
{
    struct walk *walk = calloc(1, sizeof(*walk));
    char *result = NULL;

    if (!walk)
        return NULL;
    if (resolve(walk, path)) {
        result = out ? out : malloc(strlen(walk->done) + 1);
        if (result)
            memcpy(result, walk->done, strlen(walk->done) + 1);
    }
    free(walk);
    return result;
}
