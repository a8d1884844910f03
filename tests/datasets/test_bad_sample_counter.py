from types import SimpleNamespace

import pytest

from rvos.datasets.bad_sample_counter import BadSampleCounter
from rvos.datasets.checked_samples import BadSampleError
from rvos.structures.video import BadSample


def _batch(*sample_ids: str) -> SimpleNamespace:
    return SimpleNamespace(bad_samples=[BadSample(each, "no end") for each in sample_ids])


def test_each_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    counter = BadSampleCounter(limit=3)
    for batch in (_batch("a/0"), _batch(), _batch("b/1", "c/2"), object()):
        counter.add(batch)
    assert counter.count == 3
    lines = [line for line in capsys.readouterr().err.splitlines() if line]
    assert lines[1] == "bad sample 2 of this epoch: b/1: no end; another one stands for it"
    assert len(lines) == 3


def test_limit_counts_per_epoch() -> None:
    counter = BadSampleCounter(limit=1)
    counter.add(_batch("a/0"))
    assert counter.restart() == 1
    counter.add(_batch("b/0"))
    with pytest.raises(BadSampleError, match=r"more than 1 bad samples .* c/0: no end; `rvos data"):
        counter.add(_batch("c/0"))
