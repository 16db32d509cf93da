# SPDX-License-Identifier: BSD-2-Clause
"""Static programs of other languages, from Debian's compilers, drive edu with the threads of their own runtimes.
Only with --long: the compilers are large."""

import os

if os.environ.get("BULKHEAD_LONG"):
    THREADS, ROUNDS = 4, 25

    def drive(guest, program):
        return guest(program, args=["0000:00:10.0", str(THREADS), str(ROUNDS)], devices=["edu"], memory="1G").run()

    def sentence(language):
        total = THREADS * ROUNDS
        return f"{language}: {THREADS} threads: {total} of {total} round trips ok, {2 * total} interrupts"

    def test_rust(guest, payload):
        ran = drive(guest, payload("runtimes/edu", "rust"))
        assert ran.output("rust: ") == [sentence("rust"), "rust: a panic is caught: true"], ran.log
        assert ran.status == 0 and ran.report["memory"]["pins"] == 0, ran.log

    def test_go(guest, payload):
        ran = drive(guest, payload("runtimes/edu", "go"))
        assert ran.output("go: ") == [sentence("go")], ran.log
        assert ran.status == 0 and ran.report["memory"]["pins"] == 0, ran.log
