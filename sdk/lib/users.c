/* SPDX-License-Identifier: BSD-2-Clause */
/* Users: the lines of /etc/passwd. */
#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS 7 /* name, password, uid, gid, comment, home, shell */

static bool parse(char *line, struct passwd *out)
{
    char *fields[FIELDS];

    line[strcspn(line, "\n")] = '\0';
    for (unsigned i = 0; i < FIELDS; i++) {
        fields[i] = strsep(&line, ":");
        if (!fields[i])
            return false;
    }
    *out = (struct passwd){.pw_name = fields[0],
                           .pw_passwd = fields[1],
                           .pw_uid = (uid_t)strtoul(fields[2], NULL, 10),
                           .pw_gid = (gid_t)strtoul(fields[3], NULL, 10),
                           .pw_comment = fields[4],
                           .pw_gecos = fields[4],
                           .pw_dir = fields[5],
                           .pw_shell = fields[6]};
    return true;
}

/* The first user of a name, or where that is NULL, of a number. It lasts until the next call. */
static struct passwd *find(const char *name, uid_t uid)
{
    static struct passwd found;
    static char *line;
    static size_t size;
    FILE *file = fopen("/etc/passwd", "r");
    bool fits = false;

    if (!file)
        return NULL;
    while (!fits && getline(&line, &size, file) > 0)
        fits =
            parse(line, &found) && (name ? strcmp(found.pw_name, name) == 0 : found.pw_uid == uid);
    fclose(file);
    return fits ? &found : NULL;
}

struct passwd *getpwnam(const char *name)
{
    return find(name, 0);
}

struct passwd *getpwuid(uid_t uid)
{
    return find(NULL, uid);
}

/* Nobody has logged in. */
char *getlogin(void)
{
    errno = ENXIO;
    return NULL;
}
