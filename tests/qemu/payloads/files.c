/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tells of each file of a list whether it is there, its permissions, and what is in it, a line
 * each:
 *
 *   files: PATH<tab>MODE<tab>CONTENT    MODE in octal; CONTENT escaped, and cut; "-> TARGET" of a
 * link files: PATTERN<tab>absent
 *
 * The list (tests/interface/files.txt) has a path in front of a tab in each line; '*' in it stands
 * for any name, or part of one, and {pci} for the device. Lines behind [SECTION] count only if that
 * section is asked for. What has to be open to be seen (/dev/uio0) can be opened meanwhile.
 *
 * usage: files ADDRESS LIST [SECTION | open=PATH]...
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE    512
#define CONTENT_SIZE 800

static void print_escaped(const char *bytes, ssize_t length)
{
    for (ssize_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)bytes[i];

        if (c == '\n')
            printf("\\n");
        else if (c == '\t')
            printf("\\t");
        else if (c == '\\')
            printf("\\\\");
        else if (c < ' ' || c > '~')
            printf("\\x%02x", c);
        else
            putchar(c);
    }
}

static ssize_t read_whole(const char *path, char *content, size_t size)
{
    int fd = open(path, O_RDONLY);
    ssize_t n, total = 0;

    if (fd < 0)
        return -1;
    while ((size_t)total < size && (n = read(fd, content + total, size - (size_t)total)) > 0)
        total += n;
    if (n < 0)
        total = -1;
    close(fd);
    return total;
}

static void print_content(const char *path, const struct stat *st)
{
    char content[CONTENT_SIZE];
    ssize_t n = 0;

    if (S_ISLNK(st->st_mode)) {
        n = readlink(path, content, sizeof(content));
        printf("-> ");
    } else if (S_ISCHR(st->st_mode)) {
        printf("character device");
    } else if (S_ISDIR(st->st_mode)) {
        printf("directory");
    } else if (st->st_mode & S_IRUSR) {
        n = read_whole(path, content, sizeof(content));
    }
    if (n < 0)
        printf("cannot be read: %s", strerror(errno));
    else
        print_escaped(content, n);
}

static unsigned tell(const char *path)
{
    struct stat st;

    if (lstat(path, &st))
        return 0;
    printf("files: %s\t%o\t", path, (unsigned)st.st_mode & 07777);
    print_content(path, &st);
    printf("\n");
    return 1;
}

/* Does a name match a pattern with at most one '*'? */
static bool matches(const char *name, const char *pattern)
{
    const char *star = strchr(pattern, '*');
    size_t before, behind;

    if (!star)
        return strcmp(name, pattern) == 0;
    before = (size_t)(star - pattern);
    behind = strlen(star + 1);
    return strlen(name) >= before + behind && strncmp(name, pattern, before) == 0 &&
           strcmp(name + strlen(name) - behind, star + 1) == 0;
}

/* Tells of all that the rest of a pattern leads to from a folder ("" is the root). How many. */
static unsigned expand(const char *folder, const char *rest)
{
    char name[PATH_SIZE], path[PATH_SIZE];
    const char *slash;
    const struct dirent *entry;
    unsigned found = 0;
    DIR *directory;

    while (*rest == '/')
        rest++;
    slash = strchr(rest, '/');
    snprintf(name, sizeof(name), "%.*s", slash ? (int)(slash - rest) : PATH_SIZE - 1, rest);
    if (!strchr(name, '*')) {
        snprintf(path, sizeof(path), "%s/%s", folder, name);
        return slash ? expand(path, slash) : tell(path);
    }
    directory = opendir(*folder ? folder : "/");
    if (!directory)
        return 0;
    while ((entry = readdir(directory))) {
        if (entry->d_name[0] == '.' || !matches(entry->d_name, name))
            continue;
        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        found += slash ? expand(path, slash) : tell(path);
    }
    closedir(directory);
    return found;
}

static void walk(const char *pattern, const char *address)
{
    char path[PATH_SIZE];
    const char *mark = strstr(pattern, "{pci}");

    if (mark)
        snprintf(path, sizeof(path), "%.*s%s%s", (int)(mark - pattern), pattern, address,
                 mark + strlen("{pci}"));
    else
        snprintf(path, sizeof(path), "%s", pattern);
    if (!expand("", path))
        printf("files: %s\tabsent\n", path);
}

static bool asked_for(const char *section, char **sections)
{
    for (; *sections; sections++)
        if (strncmp(section, *sections, strlen(*sections)) == 0 &&
            section[strlen(*sections)] == ']')
            return true;
    return false;
}

int main(int argc, char **argv)
{
    char line[PATH_SIZE * 2];
    bool wanted = true;
    FILE *list;

    if (argc < 3 || !(list = fopen(argv[2], "r"))) {
        printf("usage: files ADDRESS LIST [SECTION | open=PATH]...\n");
        return 2;
    }
    for (char **word = argv + 3; *word; word++)
        if (strncmp(*word, "open=", 5) == 0 && open(*word + 5, O_RDWR) < 0)
            printf("files: cannot open %s: %s\n", *word + 5, strerror(errno));
    while (fgets(line, sizeof(line), list)) {
        char *tab = strchr(line, '\t');

        if (line[0] == '[')
            wanted = asked_for(line + 1, argv + 3);
        if (line[0] != '/' || !tab || !wanted)
            continue;
        *tab = '\0';
        walk(line, argv[1]);
    }
    printf("files: done\n");
    return 0;
}
