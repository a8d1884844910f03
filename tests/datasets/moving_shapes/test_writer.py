"""What is written is complete, resumable and the same however it came about."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.moving_shapes import writer
from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.video import make_video
from rvos.datasets.moving_shapes.write_job import WriteJob
from rvos.datasets.moving_shapes.writer import write_moving_shapes
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset

PRESET = replace(HELD_OUT, num_frames=4)


def contents(root: Path) -> dict[str, str]:
    """Hash of every file below a folder."""
    files = (path for path in sorted(root.rglob("*")) if path.is_file())
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def test_two_runs_write_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_moving_shapes(tmp_path / name, num_videos=3, preset=PRESET, progress=False)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_workers_do_not_matter(tmp_path: Path) -> None:
    write_moving_shapes(tmp_path / "a", num_videos=3, preset=PRESET, progress=False)
    write_moving_shapes(tmp_path / "b", num_videos=3, preset=PRESET, workers=2, progress=False)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")


def test_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_moving_shapes(tmp_path / "whole", num_videos=4, preset=PRESET, progress=False)
    written: list[int] = []

    def interrupted(job: WriteJob, index: int) -> None:
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(index)
        original(job, index)

    original = writer.write_video
    monkeypatch.setattr(writer, "write_video", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_moving_shapes(tmp_path / "parts", num_videos=4, preset=PRESET, progress=False)
    assert not (tmp_path / "parts/train/meta_expressions.json").exists()

    def counting(job: WriteJob, index: int) -> None:
        written.append(index)
        original(job, index)

    monkeypatch.setattr(writer, "write_video", counting)
    write_moving_shapes(tmp_path / "parts", num_videos=4, preset=PRESET, progress=False)
    assert written == [0, 1, 2, 3]
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_video_interrupted_half_way_is_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_moving_shapes(tmp_path / "whole", num_videos=1, preset=PRESET, progress=False)
    original = writer.write_json

    def failing(path: Path, content: object) -> None:
        if path.name == "000000.json":
            raise KeyboardInterrupt
        original(path, content)

    monkeypatch.setattr(writer, "write_json", failing)
    with pytest.raises(KeyboardInterrupt):
        write_moving_shapes(tmp_path / "parts", num_videos=1, preset=PRESET, progress=False)
    monkeypatch.setattr(writer, "write_json", original)
    write_moving_shapes(tmp_path / "parts", num_videos=1, preset=PRESET, progress=False)
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")


def test_more_videos_are_added(tmp_path: Path) -> None:
    write_moving_shapes(tmp_path / "at_once", num_videos=3, preset=PRESET, progress=False)
    for num_videos in (2, 3):
        write_moving_shapes(
            tmp_path / "in_steps", num_videos=num_videos, preset=PRESET, progress=False
        )
    assert contents(tmp_path / "at_once") == contents(tmp_path / "in_steps")


def test_another_seed_is_refused(tmp_path: Path) -> None:
    write_moving_shapes(tmp_path, num_videos=1, preset=PRESET, progress=False)
    with pytest.raises(MovingShapesError, match="another seed"):
        write_moving_shapes(tmp_path, num_videos=1, seed=1, preset=PRESET, progress=False)


def test_foreign_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "train/precious.txt").write_text("mine")
    with pytest.raises(MovingShapesError, match="not written by MovingShapes"):
        write_moving_shapes(tmp_path, num_videos=1, preset=PRESET, progress=False)
    assert contents(tmp_path).keys() == {"train/precious.txt"}


def test_destination_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MovingShapesError, match="choose another destination"):
        write_moving_shapes(tmp_path / "file", num_videos=1, preset=PRESET, progress=False)


@pytest.mark.parametrize("arguments", [{"num_videos": 0}, {"workers": 0}, {"seed": -1}])
def test_numbers_out_of_range(tmp_path: Path, arguments: dict[str, int]) -> None:
    with pytest.raises(MovingShapesError, match="at least"):
        write_moving_shapes(tmp_path, preset=PRESET, **arguments)  # type: ignore[arg-type]
    assert not any(tmp_path.iterdir())


def test_too_many_objects(tmp_path: Path) -> None:
    with pytest.raises(MovingShapesError, match="at most 7 objects"):
        write_moving_shapes(tmp_path, preset=replace(PRESET, num_objects=(2, 8)))


def test_kinds_restrict_the_expressions(tmp_path: Path) -> None:
    write_moving_shapes(tmp_path, num_videos=3, kinds=("motion",), progress=False)
    index = json.loads((tmp_path / "train/meta_expressions.json").read_text())
    expressions = [e for video in index["videos"].values() for e in video["expressions"].values()]
    assert {item["kind"] for item in expressions} == {"motion"}


def test_frames_are_close_to_the_rendered_ones(tmp_path: Path) -> None:
    folder = write_moving_shapes(tmp_path, num_videos=1, preset=PRESET, progress=False)
    video = make_video(PRESET, "train", 0, 0)
    with Image.open(folder / "JPEGImages" / video.video_id / "00002.jpg") as image:
        difference = np.array(image).astype(int) - video.render().frames[2]
    assert np.abs(difference).mean() < 3


def test_mevis_layout_is_read_by_its_dataset(tmp_path: Path) -> None:
    folder = write_moving_shapes(tmp_path, "mevis", "valid", 3, preset=PRESET, progress=False)
    assert folder == tmp_path / "valid_u"
    dataset = MeViSDataset(tmp_path, "valid_u")
    videos = {v.video_id: v for v in (make_video(PRESET, "valid", 0, i) for i in range(3))}
    assert len(dataset) == sum(len(video.expressions) for video in videos.values())
    for sample in (dataset[number] for number in range(len(dataset))):
        video = videos[sample.video_id]
        (expression,) = (e for e in video.expressions if e.sentence == sample.expression)
        assert sample.expression_kind == expression.kind
        expected = np.isin(video.render().instances, sorted(expression.denotes(video.world)))
        referred = sample.targets.masks[sample.targets.referred].any(dim=0).numpy()
        assert (referred == expected).all()


def test_ref_youtube_vos_layout_is_read_by_its_dataset(tmp_path: Path) -> None:
    write_moving_shapes(tmp_path, "ref_youtube_vos", "train", 3, preset=PRESET, progress=False)
    dataset = RefYouTubeVOSDataset(tmp_path, "train")
    videos = {v.video_id: v for v in (make_video(PRESET, "train", 0, i) for i in range(3))}
    single = [e for v in videos.values() for e in v.expressions if len(e.denotes(v.world)) == 1]
    assert len(dataset) == len(single)
    for sample in (dataset[number] for number in range(len(dataset))):
        video = videos[sample.video_id]
        (expression,) = (e for e in video.expressions if e.sentence == sample.expression)
        expected = np.isin(video.render().instances, sorted(expression.denotes(video.world)))
        referred = sample.targets.masks[sample.targets.referred].any(dim=0).numpy()
        assert (referred == expected).all()
