"""Mean, recall and decay against the released tool, and where that is wrong."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rvos.metrics.functional.sequence_statistics import sequence_statistics

DATA = Path(__file__).parents[1] / "data" / "golden_jf_sequences.npz"


@settings(max_examples=30)
@given(st.integers(1, 700), st.floats(0, 1))
def test_a_constant_score_does_not_decay(num_frames: int, value: float) -> None:
    found = sequence_statistics(np.full(num_frames, value))
    assert found.mean == pytest.approx(value)
    assert found.recall == float(value > 0.5)
    assert found.decay == pytest.approx(0, abs=1e-12)


@settings(max_examples=30)
@given(st.integers(4, 700))
def test_a_falling_score_decays(num_frames: int) -> None:
    falling = np.linspace(1, 0, num_frames)
    assert sequence_statistics(falling).decay == pytest.approx(0.75, abs=0.3)
    rising = sequence_statistics(falling[::-1])
    assert rising.decay == pytest.approx(-sequence_statistics(falling).decay)


@pytest.mark.parity
def test_equals_the_official_values() -> None:
    with np.load(DATA) as data:
        golden = json.loads(str(data["expected_json"]))["statistics"]
    assert max(int(name.partition("_")[0]) for name in golden) > 255
    for name, expected in golden.items():
        found = sequence_statistics(np.array(expected["values"], dtype=np.float64))
        assert found.mean == pytest.approx(expected["M"], abs=1e-12), name
        assert found.recall == pytest.approx(expected["R"], abs=1e-12), name
        assert found.decay == pytest.approx(expected["D"], abs=1e-12), name


def test_a_half_is_no_recall() -> None:
    assert sequence_statistics(np.array([0.5, 0.6])).recall == 0.5


def test_no_frame_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        sequence_statistics(np.zeros(0))
