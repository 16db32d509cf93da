/* SPDX-License-Identifier: BSD-2-Clause */
/* Load options as boot managers, shells and firmware hand them over. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "boot/efi/load_options.h"

/* Appends `text` (with its closing zeros) behind "a=b" in a text of `size` bytes. */
static void expect(const char *text, size_t length, size_t size, enum load_options taken,
                   const char *wanted)
{
    uint16_t *wide = malloc((length ? length : 1) * sizeof(*wide)); /* exact, for ASan */
    char *out = malloc(size + 1);
    size_t used = 3;

    memcpy(out, "a=b", 3);
    for (size_t i = 0; i < length; i++)
        wide[i] = (unsigned char)text[i];
    assert_int_equal(load_options_append(wide, length, out, &used, size), taken);
    out[used] = 0;
    assert_string_equal(out, wanted);
    free(wide);
    free(out);
}

#define EXPECT(text, taken, wanted) expect(text, sizeof(text) - 1, 100, taken, wanted)

static void options_follow_the_built_in_ones(void **state)
{
    EXPECT("", LOAD_OPTIONS_TAKEN, "a=b");
    EXPECT("\0\0", LOAD_OPTIONS_TAKEN, "a=b");
    EXPECT("c=d", LOAD_OPTIONS_TAKEN, "a=b c=d");
    EXPECT("c=d e=\"f g\"\0", LOAD_OPTIONS_TAKEN, "a=b c=d e=\"f g\"");
    EXPECT("c=d.efi", LOAD_OPTIONS_TAKEN, "a=b c=d.efi");
}

static void the_name_of_the_program_is_no_option(void **state)
{
    EXPECT("bulkhead.efi", LOAD_OPTIONS_TAKEN, "a=b");
    EXPECT("bulkhead.efi c=d\0", LOAD_OPTIONS_TAKEN, "a=b  c=d");
    EXPECT("fs0:\\EFI\\bulkhead\\bulkhead.efi c=d", LOAD_OPTIONS_TAKEN, "a=b  c=d");
    EXPECT("nonsense c=d", LOAD_OPTIONS_TAKEN, "a=b nonsense c=d");
}

static void what_is_no_text_is_refused(void **state)
{
    EXPECT("\1\2\3", LOAD_OPTIONS_NOT_TEXT, "a=b");
    EXPECT("c=d\0e=f", LOAD_OPTIONS_NOT_TEXT, "a=b");
    EXPECT("c=\xe4", LOAD_OPTIONS_NOT_TEXT, "a=b");
    EXPECT("c=d\n", LOAD_OPTIONS_NOT_TEXT, "a=b");
}

static void what_does_not_fit_is_refused(void **state)
{
    expect("c=d", 3, 7, LOAD_OPTIONS_TAKEN, "a=b c=d");
    expect("c=d", 3, 6, LOAD_OPTIONS_TOO_LONG, "a=b");
    expect("c=d", 3, 3, LOAD_OPTIONS_TOO_LONG, "a=b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_follow_the_built_in_ones),
        cmocka_unit_test(the_name_of_the_program_is_no_option),
        cmocka_unit_test(what_is_no_text_is_refused),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
