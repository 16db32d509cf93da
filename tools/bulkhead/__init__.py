# SPDX-License-Identifier: BSD-2-Clause
"""What stands behind ./bulkhead: one module per command, Python's standard library only."""
