/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the kernel enters a payload: the stack holds argc, argv, envp and the auxiliary vector. */
        .section .text._start, "ax", @progbits
        .globl  _start
        .type   _start, @function
_start:
        xor     %ebp, %ebp              /* ends every backtrace */
        mov     %rsp, %rdi
        and     $-16, %rsp
        call    sdk_start
        ud2
        .size   _start, . - _start

        .section .text.sdk_signal_return, "ax", @progbits
        .globl  sdk_signal_return
        .type   sdk_signal_return, @function
sdk_signal_return:
        mov     $15, %eax               /* SYS_rt_sigreturn */
        syscall
        ud2
        .size   sdk_signal_return, . - sdk_signal_return

        .section .note.GNU-stack, "", @progbits
