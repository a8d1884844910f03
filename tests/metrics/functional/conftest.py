from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

DATA = Path(__file__).parents[1] / "data" / "golden_jf_frames.npz"


@dataclass
class GoldenFrame:
    """One pair of masks with the J and F that the official evaluation gives it."""

    name: str
    pred: Tensor
    target: Tensor
    void: Tensor | None
    bound_th: float
    j: float
    f: float


class GoldenFrames:
    """330 pairs of masks, unpacked one at a time."""

    def __init__(self) -> None:
        with np.load(DATA) as data:
            self.data = dict(data)

    def __len__(self) -> int:
        return len(self.data["name"])

    def __iter__(self) -> Iterator[GoldenFrame]:
        for index, name in enumerate(self.data["name"]):
            yield GoldenFrame(
                name=str(name),
                pred=self._mask("pred_bits", "mask_offsets", index),
                target=self._mask("target_bits", "mask_offsets", index),
                void=self._mask("void_bits", "void_offsets", index)
                if self.data["has_void"][index]
                else None,
                bound_th=float(self.data["bound_th"][index]),
                j=float(self.data["j"][index]),
                f=float(self.data["f"][index]),
            )

    def _mask(self, bits: str, offsets: str, index: int) -> Tensor:
        height, width = self.data["shape"][index]
        start, stop = self.data[offsets][index : index + 2]
        flat = np.unpackbits(self.data[bits][start:stop])[: height * width]
        return torch.from_numpy(flat.reshape(height, width).astype(bool))


@pytest.fixture(scope="session")
def golden_frames() -> GoldenFrames:
    return GoldenFrames()
