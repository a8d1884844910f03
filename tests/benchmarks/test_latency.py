from pathlib import Path

from rvos.benchmarks.latency import LatencyFigure, latency_table, measure_latency
from rvos.benchmarks.stream_request import StreamRequest


def test_every_mode_tells_what_it_waits_for(nano_weights: Path) -> None:
    request = StreamRequest(
        weights=str(nano_weights), height=64, width=96, window=4, device="cpu", frames_per_chunk=2
    )
    _, model = request.load()
    exact, windowed, causal = measure_latency(model, request, ["exact", "windowed", "causal"], 9)
    assert [exact.frames_needed, windowed.frames_needed, causal.frames_needed] == [9, 4, 1]
    assert windowed.mode == "windowed (4 frames, overlap 2)"
    assert (len(exact.frame_seconds), len(windowed.frame_seconds)) == (0, 0)
    assert len(causal.frame_seconds) == 9
    assert min(causal.frame_seconds) > 0
    assert causal.first_mask > 0


def test_the_tail_is_the_95th_percentile() -> None:
    (row,) = latency_table(
        [LatencyFigure("causal", 1.0, 1, [i / 1000 for i in range(1, 101)])]
    ).rows
    assert row == ["causal", "1000.0", "1", "50.5", "96.0"]
