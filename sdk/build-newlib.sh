#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Builds newlib from Debian's newlib-source for x86-64 payloads, with clang as the cross compiler.
# usage: build-newlib.sh OUTPUT_DIR    leaves OUTPUT_DIR/x86_64-elf/{include,lib}; takes a minute.
set -eu

sdk=$(cd "$(dirname "$0")" && pwd)
out=$1
set -- "$out" /usr/src/newlib/newlib-*.tar.xz
tarball=$2
[ -f "$tarball" ] || { echo "newlib: /usr/src/newlib holds no tarball; install newlib-source" >&2; exit 1; }

work=$out.work
rm -rf "$out" "$work"
mkdir -p "$out" "$work/build"
out=$(cd "$out" && pwd)
cd "$work"
work_dir=$PWD
log=$PWD/build.log

# Runs one step with its output in the log; on failure shows the end of it.
step() {
    printf '  NEWLIB\t%s\n' "$1"
    shift
    "$@" >>"$log" 2>&1 || { tail -n 20 "$log" >&2; echo "newlib: failed; the log is $log" >&2; exit 1; }
}

target_cc="clang --target=x86_64-unknown-none-elf -fno-pic -mcmodel=small -ffreestanding -Wno-everything -isystem $sdk/include"
target_flags="-O2 -g -ffunction-sections -fdata-sections -ffile-prefix-map=$work_dir=."

configure_newlib() {
    cd build
    CC=clang ../"$source"/configure \
        --target=x86_64-elf --prefix="$out" \
        --disable-multilib --disable-newlib-supplied-syscalls --disable-libgloss --disable-nls \
        --enable-newlib-io-long-long --enable-newlib-io-c99-formats \
        --enable-newlib-retargetable-locking \
        CC_FOR_TARGET="$target_cc" \
        AS_FOR_TARGET=as AR_FOR_TARGET=ar RANLIB_FOR_TARGET=ranlib NM_FOR_TARGET=nm \
        CFLAGS_FOR_TARGET="$target_flags"
    cd ..
}

# POSIX has optind at 1 from the start, and programs may set it so; newlib's getopt() begins only where it is 0.
mend_getopt() {
    sed -i 's/^int optind = 0;/int optind = 1;/; s/^static int optwhere = 0;/static int optwhere = 1;/' "$source/newlib/libc/stdlib/getopt.c"
    [ "$(grep -cE '^(int optind|static int optwhere) = 1;' "$source/newlib/libc/stdlib/getopt.c")" = 2 ]
}

# newlib has these, and leaves them out for a target without a system. glob() gets a name of its own, because the SDK's
# goes around it.
posix="posix/collcmp posix/fnmatch posix/glob posix/regcomp posix/regerror posix/regexec posix/regfree unix/basename unix/dirname"

add_posix() {
    for part in $posix; do
        # shellcheck disable=SC2086 # lists of words
        $target_cc $target_flags -D_GNU_SOURCE -Dglob=newlib_glob -isystem "$out/x86_64-elf/include" \
            -c "$source/newlib/libc/$part.c" -o "$(basename "$part").posix.o" || return 1
    done
    ar r "$out/x86_64-elf/lib/libc.a" ./*.posix.o
}

step "unpack $tarball" tar xf "$tarball"
set -- newlib-*
source=$1
step "mend getopt" mend_getopt
step "configure" configure_newlib
# The jobs of the make that called us are not ours to share: ask for our own.
unset MAKEFLAGS MFLAGS
step "compile (about a minute)" make -C build -j"$(nproc)" all-target-newlib
step "install" make -C build install-target-newlib
step "add what it has of POSIX" add_posix
cd ..
rm -rf "$work"
