# SPDX-License-Identifier: BSD-2-Clause
"""A short run of every libFuzzer target; each is one case. Findings stay in build/fuzz/."""

import concurrent.futures
import os
import subprocess

from bulkhead import cli
from bulkhead.suites.unit import tail


def run_target(name):
    """Runs one target over its corpora: (passed, output)."""
    program = cli.BUILD / "fuzz" / name
    if not program.exists():
        return False, "not built"
    grown = cli.BUILD / "fuzz" / "corpus" / name
    grown.mkdir(parents=True, exist_ok=True)
    corpora = [grown, *(path for path in [cli.TOP / "tests/fuzz/corpus" / name] if path.is_dir())]
    seconds = os.environ["BULKHEAD_FUZZ_SECONDS"]
    done = subprocess.run([program, f"-max_total_time={seconds}", "-timeout=60", "-rss_limit_mb=1024",
                           f"-artifact_prefix={program}.", "-verbosity=1", *corpora],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.returncode == 0, done.stdout.decode(errors="replace")


def run(results):
    names = sorted(path.stem for path in (cli.TOP / "tests/fuzz").glob("*.list"))
    cli.make("fuzz", keep_going=True)
    with concurrent.futures.ThreadPoolExecutor(cli.jobs()) as pool:
        for name, (passed, output) in zip(names, pool.map(run_target, names)):
            results.case(f"fuzz/{name}", passed, tail(output))
            results.note(f"{name}: {output.splitlines()[-1] if output else ''}")
