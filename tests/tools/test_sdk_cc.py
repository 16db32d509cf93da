# SPDX-License-Identifier: BSD-2-Clause
"""sdk/cc says at once what the linker could not finish."""

import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
THREAD = "a program of the SDK has one thread: build it with 'musl-gcc -static -pthread' or 'gcc -static -pthread' instead; such a program"
LANGUAGE = "the SDK compiles C, not C++: build it with 'g++ -static' instead; such a program runs as it is"


@pytest.mark.parametrize("words, refused, sentence", [
    (["-O2", "-pthread", "-o", "x.elf", "x.c"], "-pthread", THREAD), (["-c", "-pthread", "x.c"], "-pthread", THREAD),
    (["x.c", "-lpthread"], "-lpthread", THREAD), (["-o", "x.elf", "x.cc"], "x.cc", LANGUAGE), (["-c", "a/x.cpp"], "a/x.cpp", LANGUAGE),
    (["-x", "c++", "x.c"], "c++", LANGUAGE), (["-xc++", "x.c"], "-xc++", LANGUAGE), (["x.o", "-lstdc++"], "-lstdc++", LANGUAGE)])
def test_what_the_sdk_does_not_do(words, refused, sentence, tmp_path):
    done = subprocess.run([TOP / "sdk/cc", *words], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith(f"sdk/cc: {refused}: {sentence}"), done.stderr


@pytest.mark.parametrize("words", [["-E", "x.c", "-o", "odd.cc"], ["-E", "-DNAME=x.cc", "x.c"]])
def test_words_that_only_look_like_it(words, tmp_path):
    (tmp_path / "x.c").write_text("int x;\n")
    done = subprocess.run([TOP / "sdk/cc", *words], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_threads_without_their_option(tmp_path):
    """What <pthread.h> declares and nobody has is the linker's to find."""
    (tmp_path / "x.c").write_text("#include <pthread.h>\nstatic void *f(void *x) { return x; }\n"
                                  "int main(void) { pthread_t t; return pthread_create(&t, 0, f, 0); }\n")
    subprocess.run(["make", "-s", "sdk"], cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    done = subprocess.run([TOP / "sdk/cc", "-w", "-D_POSIX_THREADS", "-Wno-error=implicit-function-declaration", "x.c"], cwd=tmp_path,
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and f"sdk/cc: {THREAD}" in done.stderr, done.stderr


def test_threads_of_c11(tmp_path):
    """newlib has a <threads.h> that includes a file which is not there."""
    (tmp_path / "x.c").write_text("#include <threads.h>\n")
    done = subprocess.run([TOP / "sdk/cc", "-c", "x.c"], cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and THREAD in done.stderr and "1 error" in done.stderr, done.stderr
