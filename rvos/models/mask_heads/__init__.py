"""The Protocol of a mask head and the paper's baselines behind it."""

from rvos.models.mask_heads.base import MaskFeatures, MaskHead, MaskQueries
from rvos.models.mask_heads.dynamic import DynamicMaskHead
from rvos.models.mask_heads.static import StaticMaskHead

__all__ = ["DynamicMaskHead", "MaskFeatures", "MaskHead", "MaskQueries", "StaticMaskHead"]
