/* SPDX-License-Identifier: BSD-2-Clause */
/* From the first instruction to main(): environment, thread-local storage, constructors. */
#include "main.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include "call.h"

#define ARCH_SET_FS 0x1002

extern const Elf64_Ehdr __ehdr_start; /* the linker's: this program's own headers */
extern int main(int argc, char **argv, char **envp);
extern void (*const __preinit_array_start[])(void), (*const __preinit_array_end[])(void);
extern void (*const __init_array_start[])(void), (*const __init_array_end[])(void);
extern void (*const __fini_array_start[])(void), (*const __fini_array_end[])(void);
_Noreturn void sdk_start(uintptr_t *stack);

char *program_invocation_name = "payload", *program_invocation_short_name = "payload";
static const uintptr_t *auxiliary;

static void run_constructors(void)
{
    for (void (*const *f)(void) = __preinit_array_start; f < __preinit_array_end; f++)
        (*f)();
    for (void (*const *f)(void) = __init_array_start; f < __init_array_end; f++)
        (*f)();
}

static void run_destructors(void)
{
    for (void (*const *f)(void) = __fini_array_end; f > __fini_array_start; f--)
        f[-1]();
}

const char *sdk_program_name(void)
{
    return program_invocation_short_name;
}

unsigned long getauxval(unsigned long type)
{
    for (const uintptr_t *entry = auxiliary; entry[0] != AT_NULL; entry += 2) {
        if (entry[0] == type)
            return entry[1];
    }
    errno = ENOENT;
    return 0;
}

static const Elf64_Phdr *find_tls(void)
{
    const char *table = (const char *)&__ehdr_start + __ehdr_start.e_phoff;

    for (unsigned i = 0; i < __ehdr_start.e_phnum; i++) {
        const void *at = table + (size_t)i * __ehdr_start.e_phentsize;
        const Elf64_Phdr *segment = at;
        if (segment->p_type == PT_TLS && segment->p_memsz > 0)
            return segment;
    }
    return NULL;
}

/* The one thread's storage ends where the FS base points; that word holds its own address. */
static void setup_tls(void)
{
    const Elf64_Phdr *tls = find_tls();
    if (!tls)
        return;
    size_t align = tls->p_align > sizeof(void *) ? tls->p_align : sizeof(void *);
    size_t size = (tls->p_memsz + align - 1) & ~(align - 1);
    char *block = mmap(NULL, size + sizeof(void *) + align, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        _exit(127);
    uintptr_t base = ((uintptr_t)block + align - 1) & ~(align - 1);
    void **thread = (void **)(base + size);
    memcpy((void *)base, (const void *)tls->p_vaddr, tls->p_filesz);
    *thread = thread;
    if (CALL_RAW(SYS_arch_prctl, ARCH_SET_FS, thread) < 0)
        _exit(127);
}

void sdk_start(uintptr_t *stack)
{
    int argc = (int)stack[0];
    char **argv = (char **)(stack + 1);

    environ = argv + argc + 1;
    char **end = environ;
    while (*end)
        end++;
    auxiliary = (const uintptr_t *)(end + 1);
    if (argc > 0) {
        char *slash = strrchr(argv[0], '/');
        program_invocation_name = argv[0];
        program_invocation_short_name = slash ? slash + 1 : argv[0];
    }
    setup_tls();
    atexit(run_destructors);
    run_constructors();
    exit(main(argc, argv, environ));
}
