# SPDX-License-Identifier: BSD-2-Clause
"""tools/iommu-map: a report of the kernel as a picture of the IOVA space."""
