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
/* Writes the whole text of a small read-only file. */
typedef void (*tree_show)(void *context, struct text *out);
/* One that writes a member of its context and a line feed. */
#define TREE_SHOW(function, type, format, member)                                                  \
    static void function(void *context, struct text *out)                                          \
    {                                                                                              \
        text_printf(out, format "\n", ((const type *)context)->member);                            \
    }

/*
 * Absolute paths without a trailing slash. -EEXIST, -ENOMEM, -ENAMETOOLONG; the strings are copied.
 */
int tree_add_device(const char *path, unsigned major, unsigned minor, tree_open open,
                    void *context);
int tree_add_text(const char *path, tree_show show, void *context);
/* Texts below a folder of the caller's own, which is gone again if one of them cannot be added. */
struct tree_text {
    const char *name; /* without the folder */
    tree_show show;
};
int tree_add_texts(const char *folder, const struct tree_text *texts, size_t count, void *context);
int tree_add_link(const char *path, const char *target);
/* kernel/file/node.h: a link, and a directory, that are not stored but told. */
struct node_link;
struct node_numbers;
int tree_add_told_link(const char *path, const struct node_link *told, void *context);
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
