import random
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from rvos.metrics.records import RecordMetric


class Records(RecordMetric):
    """The smallest metric: returns its unique records."""

    def update(self, sample_ids: Sequence[str], records: Sequence[bytes]) -> None:
        self.append_records(sample_ids, records)

    def compute(self) -> list[bytes]:
        return self.unique_records()


@given(st.lists(st.binary(max_size=9), max_size=6), st.integers(1, 3), st.randoms())
def test_records_of_any_length_come_back_once(
    records: list[bytes], size: int, draw: random.Random
) -> None:
    samples = [(f"clip{index}", record) for index, record in enumerate(records)]
    shuffled = draw.sample(samples * 2, 2 * len(samples))
    found = []
    for order in (samples, shuffled):
        metric = Records()
        metric.update([], [])
        for start in range(0, len(order), size):
            batch = order[start : start + size]
            metric.update([name for name, _ in batch], [record for _, record in batch])
        found.append(metric.compute())
    assert sorted(found[0]) == sorted(records)
    assert found[1] == found[0]


def test_empty_states_fit_the_real_ones() -> None:
    metric = Records()
    metric.update(["a"], [b"abc"])
    assert set(metric.empty_states()) == {"sample_keys", "sample_values", "payload"}
    for name, empty in metric.empty_states().items():
        (real,) = getattr(metric, name)
        assert empty.dtype == real.dtype
        assert empty.shape[1:] == real.shape[1:]
