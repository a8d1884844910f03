from pathlib import Path

import numpy as np
import pytest

from rvos.benchmarks import end_to_end
from rvos.benchmarks.end_to_end import end_to_end_table, measure_end_to_end
from rvos.benchmarks.stream_request import StreamRequest


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_every_repeat_packs_every_mask(
    precision: str, nano_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = StreamRequest(
        weights=str(nano_weights), height=64, width=96, num_expressions=2, device="cpu"
    )
    _, model = request.load()
    passes = []
    original = end_to_end._segment
    monkeypatch.setattr(
        end_to_end, "_segment", lambda *given: passes.append(original(*given)) or passes[-1]
    )
    figures = measure_end_to_end(model, request, 5, [2, 4], precision, num_repeats=2)
    assert [len(figure.seconds) for figure in figures] == [2, 2]
    assert [len(figure.model_seconds) for figure in figures] == [2, 2]
    assert len(passes) == 2 * 3
    assert {len(frames) for frames in passes} == {5}
    assert {mask.shape for frames in passes for frame in frames for mask in frame} == {(64, 12)}
    # The number of frames at a time changes no mask but by rounding.
    differing = np.bitwise_count(np.array(passes[0]) ^ np.array(passes[1])).sum()
    assert differing <= (0 if precision == "float32" else 0.05) * 5 * 2 * 64 * 96
    assert len(end_to_end_table(figures, 5).rows) == 2
