/* SPDX-License-Identifier: BSD-2-Clause */
/* From a node to an open file. */
#include "kernel/file/open.h"
#include "kernel/cpu/user.h"
#include "kernel/file/path.h"
#include "kernel/file/ramfile.h"
#include "kernel/lib/string.h"
#include "kernel/mm/heap.h"

/* The flags that stay with a file. */
#define FLAGS_KEPT                                                                                 \
    (FILE_ACCMODE | FILE_NONBLOCK | FILE_APPEND | FILE_DIRECT | OPEN_DIRECTORY | OPEN_NOFOLLOW)

#define NUMBER_WORK 3000 /* of finding, or making, a node that is a number: breathe_after() */

#define PATH_FLAGS_KEPT (FILE_PATH | OPEN_DIRECTORY | OPEN_NOFOLLOW)

/* The entries behind a position: from where the directory was read last, if that is before it. */
static struct list *entries_behind(struct node *directory, uint64_t position)
{
    struct list *at = &directory->children;

    if (directory->read_last && directory->read_last->order <= position)
        at = &directory->read_last->link;
    do
        at = at->next;
    while (at != &directory->children && list_entry(at, struct node, link)->order <= position);
    return at;
}

/* Of a directory whose entries are numbers: the position after one follows from it. */
static int numbers_iterate(struct node *directory, uint64_t *position, file_emit emit,
                           void *context)
{
    int error = *position > INT32_MAX ? -EINVAL : 0, number;
    while (!error &&
           (number = directory->is.numbers->next((int)(*position - NODE_ORDER_PARENT))) >= 0) {
        const char *name = format_short("%d", number);
        const struct node *node = path_number(directory, name, strlen(name));
        const uint64_t order = NODE_ORDER_PARENT + 1 + (uint64_t)number;
        struct file_stat stat;
        if (!node)
            return -ENOMEM;
        node_stat(node, &stat);
        if (!emit(context, name, node->inode, stat.mode, order))
            return 0;
        *position = order;
        error = breathe_after(NUMBER_WORK, "directory");
    }
    return error;
}

/* A position is the order of the entry before it: it survives additions and removals. */
static int directory_iterate(struct file *file, uint64_t *position, file_emit emit, void *context)
{
    struct node *directory = file->node;
    const struct node *parent = directory->parent ? directory->parent : directory;
    for (; *position < NODE_ORDER_PARENT; ++*position) {
        bool up = *position > 0;
        if (!emit(context, up ? ".." : ".", up ? parent->inode : directory->inode, MODE_DIRECTORY,
                  *position + 1))
            return 0;
    }
    if (directory->is.numbers)
        return numbers_iterate(directory, position, emit, context);
    for (struct list *at = entries_behind(directory, *position); at != &directory->children;
         at = at->next) {
        struct node *node = list_entry(at, struct node, link);
        struct file_stat stat;

        node_stat(node, &stat);
        if (!emit(context, node->name, node->inode, stat.mode, node->order))
            return 0;
        *position = node->order;
        directory->read_last = node;
    }
    return 0;
}

static int64_t directory_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    return -EISDIR;
}

static int64_t directory_seek(struct file *file, int64_t offset, int whence)
{
    if (whence != 0 || offset < 0)
        return -EINVAL;
    file->position = (uint64_t)offset;
    return offset;
}

static const struct file_ops directory_ops = {
    .seekable = true, .read = directory_read, .seek = directory_seek, .iterate = directory_iterate};

struct text_file {
    struct mutex lock; /* of the text, which others may be reading */
    size_t size;
    char *bytes; /* NULL: there is none yet */
};

/* The text in a buffer that is doubled until it fits; the text before it goes. */
static int text_capture(const struct node *node, struct text_file *file)
{
    for (size_t room = PAGE_SIZE;; room *= 2) {
        char *bytes = kmalloc(room);
        if (!bytes)
            return -ENOMEM;
        struct text text;
        text_init(&text, bytes, room);
        node->is.text.show(node->is.text.context, &text);
        if (!text.error && (!text.truncated || room >= TEXT_FILE_MAX)) {
            kfree(file->bytes);
            file->bytes = bytes;
            file->size = text.length;
            return 0;
        }
        kfree(bytes);
        if (text.error)
            return text.error;
    }
}

/* Whoever reads from the start gets a new text, and further on what belongs to that start. */
static int64_t read_text(const struct node *node, struct text_file *text, uaddr_t buffer,
                         size_t length, uint64_t *position)
{
    int error = 0;
    if (*position == 0 || !text->bytes)
        error = node->parent ? text_capture(node, text) : -ENODEV;
    if (error || *position >= text->size)
        return error;
    size_t n = MIN(MIN(length, FILE_PIECE), text->size - *position);
    error = copy_to_user(buffer, text->bytes + *position, n);
    if (error)
        return error;
    *position += n;
    return (int64_t)n;
}

static int64_t text_read(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    struct text_file *text = file->context;
    return mutex_run(&text->lock, "text file",
                     read_text(file->node, text, buffer, length, position));
}

static int64_t text_write(struct file *file, uaddr_t buffer, size_t length, uint64_t *position)
{
    const struct node *node = file->node;
    char text[TREE_STORE_MAX] = {0};
    if (length == 0 || length >= sizeof(text))
        return length ? -EINVAL : 0;
    int error = copy_from_user(text, buffer, length);
    if (text[length - 1] == '\n')
        text[length - 1] = 0;
    if (!error)
        error = node->is.text.store(node->is.text.context, node->is.text.show, text);
    if (error)
        return error;
    *position += length;
    return (int64_t)length;
}

static int64_t text_seek(struct file *file, int64_t offset, int whence)
{
    const struct text_file *text = file->context;
    return file_seek(file, offset, whence, text->size);
}

static void text_release(struct file *file)
{
    struct text_file *text = file->context;
    kfree(text->bytes);
    kfree(text);
}

static const struct file_ops text_ops = {.seekable = true,
                                         .read = text_read,
                                         .write = text_write,
                                         .seek = text_seek,
                                         .release = text_release};

static int text_open(const struct node *node, unsigned flags, struct file **out)
{
    unsigned access = flags & FILE_ACCMODE;
    if ((access != FILE_WRONLY && !node->is.text.show) ||
        (access != FILE_RDONLY && !node->is.text.store))
        return -EACCES;
    struct text_file *text = kzalloc(sizeof(*text));
    if (!text)
        return -ENOMEM;
    mutex_init(&text->lock);
    *out = file_create(&text_ops, text, flags & FLAGS_KEPT, "text");
    if (!*out)
        kfree(text);
    return *out ? 0 : -ENOMEM;
}

/* An open file without a name: Linux opens one in RAM anew, and most others not at all. */
static int reopen(const struct node *link, unsigned flags, struct file **out)
{
    struct file *file = path_file(link);
    struct ramfile *ram = file ? file_ramfile(file) : NULL;
    if (ram)
        *out = ramfile_open(ram, flags & FLAGS_KEPT, file->name);
    file_put(file);
    return !file ? -ELOOP : !ram ? -ENXIO : *out ? 0 : -ENOMEM;
}

/* O_PATH: names the node and can do nothing else. */
static const struct file_ops path_ops = {0};

static int open_by_type(struct node *node, unsigned flags, struct file **out)
{
    bool write = (flags & FILE_ACCMODE) != FILE_RDONLY;
    *out = NULL;
    if (flags & FILE_PATH) {
        *out = file_create(&path_ops, NULL, flags & PATH_FLAGS_KEPT, "path");
        return *out ? 0 : -ENOMEM;
    }
    switch (node->type) {
    case NODE_DIRECTORY:
        if (write)
            return -EISDIR;
        *out = file_create(&directory_ops, NULL, flags & FLAGS_KEPT, "directory");
        return *out ? 0 : -ENOMEM;
    case NODE_DEVICE:
    case NODE_FILE:
        return node->is.device.open(node->is.device.context,
                                    flags & (FILE_ACCMODE | FILE_EXCL | FILE_NONBLOCK), out);
    case NODE_TEXT:
        return text_open(node, flags, out);
    case NODE_RAM:
        if (write && !node->writable)
            return -EROFS;
        *out = ramfile_open(node->is.ram, flags & FLAGS_KEPT, "ram file");
        return *out ? 0 : -ENOMEM;
    case NODE_LINK:
        return reopen(node, flags, out);
    }
    return -ENXIO;
}

int node_open(struct node *node, unsigned flags, struct file **out)
{
    /* A device's open may sleep while the node is removed. */
    node_get(node);
    int error = open_by_type(node, flags, out);
    if (error) {
        node_put(node);
        return error;
    }
    if (node->type == NODE_LINK && !(flags & FILE_PATH))
        node_put(node); /* still without a name */
    else
        (*out)->node = node;
    return 0;
}
