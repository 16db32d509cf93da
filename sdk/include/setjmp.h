/* SPDX-License-Identifier: BSD-2-Clause */
/* newlib's own, and the pair that also keeps the signal mask. */
#ifndef BULKHEAD_SETJMP_H
#define BULKHEAD_SETJMP_H

#include_next <setjmp.h>
#include <sys/_sigset.h>
#include <sys/cdefs.h>

typedef struct {
    jmp_buf __jump;
    int __mask_saved;
    __sigset_t __mask;
} sigjmp_buf[1];

/* setjmp has to be called in the caller's own frame, hence a macro. */
#define sigsetjmp(environment, save)                                                               \
    (sdk_save_mask((environment), (save)), setjmp((environment)->__jump))

__BEGIN_DECLS
void sdk_save_mask(sigjmp_buf, int);
_Noreturn void siglongjmp(sigjmp_buf, int);
__END_DECLS

#endif
