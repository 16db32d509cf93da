/* SPDX-License-Identifier: BSD-2-Clause */
/* A good program file that tests spoil in one place at a time. */
#ifndef TESTS_UNIT_ELF_SAMPLE_H
#define TESTS_UNIT_ELF_SAMPLE_H

#include <elf.h>
#include <string.h>

#define SAMPLE_SIZE 0x3000
#define SAMPLE_TEXT 0x401000u
#define SAMPLE_DATA 0x403000u

struct elf_sample {
    union {
        unsigned char bytes[SAMPLE_SIZE];
        struct {
            Elf64_Ehdr header;
            Elf64_Phdr programs[8];
        };
    };
};

/* Headers and constants, code, data with room for zeroes; thread-local data and a stack note. */
static inline void elf_sample_make(struct elf_sample *s)
{
    memset(s, 0, sizeof(*s));
    memcpy(s->header.e_ident, ELFMAG, SELFMAG);
    s->header.e_ident[EI_CLASS] = ELFCLASS64;
    s->header.e_ident[EI_DATA] = ELFDATA2LSB;
    s->header.e_ident[EI_VERSION] = EV_CURRENT;
    s->header.e_type = ET_EXEC;
    s->header.e_machine = EM_X86_64;
    s->header.e_version = EV_CURRENT;
    s->header.e_entry = SAMPLE_TEXT + 0x10;
    s->header.e_phoff = sizeof(Elf64_Ehdr);
    s->header.e_phentsize = sizeof(Elf64_Phdr);
    s->header.e_phnum = 5;
    s->programs[0] = (Elf64_Phdr){.p_type = PT_LOAD,
                                  .p_flags = PF_R,
                                  .p_vaddr = 0x400000,
                                  .p_filesz = 0x800,
                                  .p_memsz = 0x800};
    s->programs[1] = (Elf64_Phdr){.p_type = PT_LOAD,
                                  .p_flags = PF_R | PF_X,
                                  .p_offset = 0x1000,
                                  .p_vaddr = SAMPLE_TEXT,
                                  .p_filesz = 0x100,
                                  .p_memsz = 0x100};
    s->programs[2] = (Elf64_Phdr){.p_type = PT_LOAD,
                                  .p_flags = PF_R | PF_W,
                                  .p_offset = 0x2020,
                                  .p_vaddr = SAMPLE_DATA + 0x20,
                                  .p_filesz = 0x80,
                                  .p_memsz = 0x5000};
    s->programs[3] = (Elf64_Phdr){.p_type = PT_TLS,
                                  .p_flags = PF_R,
                                  .p_offset = 0x2020,
                                  .p_vaddr = SAMPLE_DATA + 0x20,
                                  .p_filesz = 8,
                                  .p_memsz = 16};
    s->programs[4] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W};
}

#endif
