/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of everything the payload can name under /dev, /sys and /proc. Rows are added by the
 * layers that own the things; directories exist because something is in them.
 */
#ifndef KERNEL_FILE_TREE_H
#define KERNEL_FILE_TREE_H

#include "kernel/file/file.h"
#include "kernel/lib/format.h"

/* Opens the device: fills *out or returns a negative error. flags: enum file_flags. */
typedef int (*tree_open)(void *context, unsigned flags, struct file **out);
/* Writes the whole text of a small file. */
typedef void (*tree_show)(void *context, struct text *out);
/*
 * Takes what one write(2) gave to a small file, without the line feed at its end; `show` is that of
 * the same row. May sleep. 0 or a negative error, which is what the call answers.
 */
typedef int (*tree_store)(void *context, tree_show show, const char *text);
#define TREE_STORE_MAX 128 /* bytes, with a zero at the end; more is -EINVAL */
/* For what cannot be changed: takes what the file shows already, and else gives -EINVAL. */
int tree_store_same(void *context, tree_show show, const char *text);
/* One that writes values and a line feed; `it` is its context. */
#define TREE_SHOW(function, type, format, ...)                                                     \
    static void function(void *context, struct text *out)                                          \
    {                                                                                              \
        const type *it __attribute__((unused)) = context;                                          \
        text_printf(out, format "\n", __VA_ARGS__);                                                \
    }

/*
 * Absolute paths without a trailing slash. -EEXIST, -ENOMEM, -ENAMETOOLONG; the strings are copied.
 */
int tree_add_device(const char *path, unsigned major, unsigned minor, tree_open open,
                    void *context);
/* A regular file whose bytes `open` gives access to; `size` is what stat(2) tells of it. */
int tree_add_file(const char *path, uint32_t mode, uint64_t size, tree_open open, void *context);
int tree_add_text(const char *path, tree_show show, void *context);
/*
 * Rows below a folder of the caller's own, which is gone again if one of them cannot be added; ""
 * for rows that are anywhere, of which those before stay.
 */
struct tree_text {
    const char *names; /* without the folder; a blank before each further one */
    tree_show show;    /* NULL: it can only be written */
    tree_store store;  /* NULL: it can only be read; neither: it is a link to `data` */
    const void *data;  /* for the functions; NULL: the context of all rows */
};
/* A row that is only read. */
/* clang-format off */
#define TREE_READ(is, how) {.names = (is), .show = (how)}
/* clang-format on */
int tree_add_texts(const char *folder, const struct tree_text *texts, size_t count, void *context);
int tree_add_link(const char *path, const char *target);
/*
 * A link that is told anew each time: `show` writes what readlink(2) gets, and a walk follows if
 * there is no open file, referenced, that it stands for (`file` may be NULL).
 */
typedef struct file *(*tree_file)(void *context);
int tree_add_told_link(const char *path, tree_show show, tree_file file, void *context);
/* A directory that is not stored but told: kernel/file/node.h. */
struct node_numbers;
int tree_add_numbers(const char *path, const struct node_numbers *numbers);
int tree_add_directory(const char *path);
/* A file in RAM; the reference is taken over on success. `mode`: permission bits. */
struct ramfile;
int tree_add_ram(const char *path, struct ramfile *file, uint32_t mode);
/* Removes a node and everything below it. Files already open stay open. */
void tree_remove(const char *path);

/* Everything added after the mark was taken goes: nodes, and what the payload made. */
uint64_t tree_mark(void);
void tree_remove_since(uint64_t mark);

#endif
