"""Referring video object segmentation with ReferDINO."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rvos.models.loading import load_model

__all__ = ["load_model"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import the model code only when it is asked for, so that ``rvos --help`` stays quick."""
    if name == "load_model":
        from rvos.models.loading import load_model

        return load_model
    message = f"module 'rvos' has no attribute {name!r}"
    raise AttributeError(message)
