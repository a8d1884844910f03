import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from rvos.ops.mask_bits import masks_to_host, pack_bits, unpack_bits
from rvos.ops.packed_masks import pack_mask


@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 40))
def test_bits_come_back(seed: int, height: int, width: int) -> None:
    masks = torch.from_numpy(np.random.default_rng(seed).random((2, height, width)) > 0.5)
    packed = pack_bits(masks)
    assert packed.shape == (2, height, -(-width // 8))
    assert torch.equal(unpack_bits(packed, width), masks)
    assert torch.equal(masks_to_host(masks), masks)


@given(st.integers(0, 10_000), st.integers(1, 140))
def test_bits_lie_where_numpy_and_packed_masks_put_them(seed: int, width: int) -> None:
    mask = np.random.default_rng(seed).random((3, width)) > 0.5
    packed = pack_bits(torch.from_numpy(mask)).numpy()
    assert np.array_equal(packed, np.packbits(mask, axis=1, bitorder="little"))
    assert np.array_equal(pack_mask(mask).words.view(np.uint8)[:, : packed.shape[1]], packed)
