/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/self/fd and fdinfo: the open files, by descriptor. */
#include "kernel/file/fdtable.h"
#include "kernel/file/node.h"
#include "kernel/file/path.h"
#include "kernel/file/pipe.h"
#include "kernel/file/ramfile.h"
#include "kernel/lib/string.h"
#include "kernel/linux/proc/nodes.h"

static int fd_of(void *context)
{
    return (int)(uintptr_t)context;
}

/* A name in the tree, or what Linux calls files that have none. */
static void show_target(void *context, struct text *out)
{
    struct file *file = fd_get_path(fd_of(context));
    if (!file) {
        out->error = -ENOENT;
        return;
    }
    const struct node *node = file->node;
    int length = node ? node_path(node, out->buffer, out->size) : 0;
    if (length > 0)
        out->length = (size_t)length;
    else if (node)
        text_printf(out, "/%s (deleted)", node->name);
    else if (file_ramfile(file))
        text_printf(out, "/memfd:%s (deleted)", file->name);
    else
        text_printf(out, file_is_pipe(file) ? "%s:[%d]" : "anon_inode:[%s]", file->name,
                    fd_of(context));
    file_put(file);
}

static struct node *follow(struct node *link)
{
    struct file *file = fd_get_path(fd_of(link->to.context));
    struct node *to = !file ? NULL : file->node ? file->node : link;
    file_put(file); /* never the last: the descriptor has one */
    return to;
}

static struct file *file_behind(const struct node *link)
{
    return fd_get_path(fd_of(link->to.context));
}

static int add_fd(int fd)
{
    static const struct node_link link = {show_target, follow, file_behind};
    return tree_add_told_link(format_short("/proc/1/fd/%d", fd), &link, (void *)(uintptr_t)fd);
}

static void show_info(void *context, struct text *out)
{
    struct file *file = fd_get_path(fd_of(context));
    if (!file) {
        out->error = -ENOENT;
        return;
    }
    unsigned flags = file->flags | (fd_close_on_exec(fd_of(context)) > 0 ? FILE_CLOEXEC : 0u);
    text_printf(out, "pos:\t%lu\nflags:\t0%o\nmnt_id:\t1\nino:\t%lu\n", file->position, flags,
                file->node ? file->node->inode : 0);
    file_put(file);
}

static int add_info(int fd)
{
    return tree_add_text(format_short("/proc/1/fdinfo/%d", fd), show_info, (void *)(uintptr_t)fd);
}

int nodes_add_fd(void)
{
    static const struct node_numbers fds = {fd_next, add_fd};
    static const struct node_numbers infos = {fd_next, add_info};
    int error = tree_add_numbers("/proc/1/fd", &fds);
    return error ? error : tree_add_numbers("/proc/1/fdinfo", &infos);
}
