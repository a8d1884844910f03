import pytest

from rvos.inference.announced_length import AnnouncedLength


@pytest.mark.parametrize(
    ("announced", "num_frames", "seconds", "expected"),
    [
        (AnnouncedLength(100, 4.0), 100, 4.0, None),
        # Players drop a frame or two of many files.
        (AnnouncedLength(100, 4.0), 97, 3.9, None),
        (AnnouncedLength(100, 4.0), 89, 4.0, "ends after 89 of 100 frames"),
        # Counted frames decide: the last one may be shown for long.
        (AnnouncedLength(100, 60.0), 100, 4.0, None),
        (AnnouncedLength(None, 60.0), 100, 4.0, "ends at 4.0 s of 60.0 s, after 100 frames"),
        (AnnouncedLength(None, None), 1, 0.0, None),
    ],
)
def test_missing_part(
    announced: AnnouncedLength, num_frames: int, seconds: float, expected: str | None
) -> None:
    found = announced.missing_after(num_frames, seconds)
    assert found is None if expected is None else str(found).startswith(expected)
