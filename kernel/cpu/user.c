/* SPDX-License-Identifier: BSD-2-Clause */
#include "kernel/cpu/user.h"
#include "kernel/cpu/cpu.h"
#include "kernel/lib/error.h"
#include "kernel/mm/paging/paging.h"

/* user_copy.S */
int user_copy(void *to, const void *from, size_t length);
int user_clear(void *to, size_t length);
int64_t user_copy_string(char *to, const char *from, size_t size);

/* The window in which supervisor-mode access prevention lets the kernel through. */
static void open_window(void)
{
    if (cpu_features.smap)
        __asm__ volatile("stac" : : : "memory", "cc");
}

static void close_window(void)
{
    if (cpu_features.smap)
        __asm__ volatile("clac" : : : "memory", "cc");
}

bool user_range_ok(uaddr_t address, uint64_t length)
{
    return length <= USER_END && address <= USER_END - length;
}

int copy_from_user(void *to, uaddr_t from, size_t length)
{
    if (!user_range_ok(from, length))
        return -EFAULT;
    open_window();
    int result = user_copy(to, (const void *)(uintptr_t)from, length);
    close_window();
    return result;
}

int copy_to_user(uaddr_t to, const void *from, size_t length)
{
    if (!user_range_ok(to, length))
        return -EFAULT;
    open_window();
    int result = user_copy((void *)(uintptr_t)to, from, length);
    close_window();
    return result;
}

int clear_user(uaddr_t to, size_t length)
{
    if (!user_range_ok(to, length))
        return -EFAULT;
    open_window();
    int result = user_clear((void *)(uintptr_t)to, length);
    close_window();
    return result;
}

int copy_string_from_user(char *to, uaddr_t from, size_t size)
{
    if (from >= USER_END)
        return -EFAULT;
    size_t room = MIN(size, USER_END - from);
    open_window();
    int64_t length = user_copy_string(to, (const char *)(uintptr_t)from, room);
    close_window();
    if (length < 0)
        return (int)length;
    if ((size_t)length < room)
        return (int)length;
    return room < size ? -EFAULT : -ENAMETOOLONG;
}
