import inspect
from pathlib import Path

import pytest

from rvos.datasets import errors
from rvos.structures.errors import RvosError

PATH = Path("root/valid/thing.json")
EXAMPLES = [
    errors.DatasetNotFoundError(PATH, "MeViS"),
    errors.FrameNotFoundError(PATH),
    errors.UnreadableImageError(PATH, "truncated"),
    errors.UnreadableVideoError(PATH, "no frame in it"),
    errors.FramePastEndError(PATH, "00012", 10),
    errors.UnpreparedDatasetError(PATH, "ref_davis17"),
    errors.MaskSizeError(str(PATH), (1, 2), (3, 4)),
    errors.UnknownObjectError(PATH, "v", "0", "7", Path("meta.json")),
    errors.MalformedAnnotationError(PATH, "no entry 'videos'"),
]


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_messages_name_file_and_remedy_on_one_line(error: errors.DatasetError) -> None:
    message = str(error)
    assert str(PATH) in message
    assert "\n" not in message
    assert ": " in message.partition(str(PATH))[2]  # cause, then remedy
    assert isinstance(error, RvosError)


def test_every_error_has_an_example() -> None:
    classes = {cls for _, cls in inspect.getmembers(errors, inspect.isclass)}
    # The settings of a sampler are in no file.
    without_file = {errors.DatasetError, errors.ClipLengthError, Path, RvosError}
    assert classes - {type(e) for e in EXAMPLES} == without_file
