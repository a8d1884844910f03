import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rvos.datasets.targets import clip_targets, mask_boxes_cxcywh

masks = st.tuples(st.integers(0, 3), st.integers(1, 2), st.integers(1, 9), st.integers(1, 9))


@given(masks.flatmap(lambda shape: arrays(bool, shape)))
def test_boxes_enclose_the_masks_exactly(mask_array: np.ndarray) -> None:
    targets = clip_targets(mask_array, torch.zeros(len(mask_array), dtype=torch.bool))
    height, width = mask_array.shape[2:]
    for track, frame in np.ndindex(mask_array.shape[:2]):
        rows, columns = np.nonzero(mask_array[track, frame])
        assert bool(targets.present[track, frame]) == (len(rows) > 0)
        x, y, w, h = targets.boxes_cxcywh[track, frame].tolist()
        if len(rows) == 0:
            assert (x, y, w, h) == (0, 0, 0, 0)
            continue
        corners = [(x - w / 2) * width, (y - h / 2) * height]
        corners += [(x + w / 2) * width, (y + h / 2) * height]
        expected = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(corners, expected, atol=1e-4)


@given(st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(lambda s: arrays(bool, s)))
def test_boxes_mirror_with_the_mask(mask: np.ndarray) -> None:
    box = mask_boxes_cxcywh(torch.from_numpy(mask))
    mirrored = mask_boxes_cxcywh(torch.from_numpy(mask[:, ::-1].copy()))
    if mask.any():
        box[0] = 1 - box[0]
    torch.testing.assert_close(mirrored, box)
