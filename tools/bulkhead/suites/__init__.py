# SPDX-License-Identifier: BSD-2-Clause
"""The suites of ./bulkhead test: each module has run(results)."""
