import inspect
from typing import Any

import pytest

from rvos.datasets.clip_options import ClipOptions
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset
from rvos.datasets.referring_video import ReferringVideoDataset


def test_options_are_those_that_the_data_set_of_videos_takes() -> None:
    parameters = inspect.signature(ReferringVideoDataset).parameters
    optional = {name for name, each in parameters.items() if each.default is not each.empty}
    assert set(ClipOptions.__annotations__) == optional


@pytest.mark.parametrize(
    ("benchmark", "fixture"),
    [(MeViSDataset, "mevis_root"), (RefYouTubeVOSDataset, "ref_youtube_vos_root")],
)
def test_other_options_are_refused(
    benchmark: Any, fixture: str, request: pytest.FixtureRequest
) -> None:
    root = request.getfixturevalue(fixture)
    assert len(benchmark(root, "train", max_videos=1).videos) == 1
    with pytest.raises(TypeError, match="num_videos"):
        benchmark(root, "train", num_videos=1)
