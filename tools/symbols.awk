# SPDX-License-Identifier: BSD-2-Clause
# usage: llvm-nm -n --defined-only kernel.elf | awk -f tools/symbols.awk > symbols.S
# Turns the functions of a linked kernel into the table that kernel/lib/symbol.c reads.

BEGIN {
    count = 0
    at = 0
}

$2 ~ /^[tT]$/ && $3 !~ /^(image_|\$)/ {
    address[count] = $1
    name[count] = $3
    count++
}

END {
    print ".section .symbols, \"a\""
    print ".globl symbol_table, symbol_table_end, symbol_names"
    print ".balign 4"
    print "symbol_table:"
    for (i = 0; i < count; i++) {
        printf ".long 0x%s, %d\n", substr(address[i], 9), at
        at += length(name[i]) + 1
    }
    print "symbol_table_end:"
    print "symbol_names:"
    for (i = 0; i < count; i++)
        printf ".asciz \"%s\"\n", name[i]
}
