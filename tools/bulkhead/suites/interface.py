# SPDX-License-Identifier: BSD-2-Clause
"""Interface numbers and layouts of include/uapi against Debian's linux-libc-dev."""


def run(_results):
    pass
