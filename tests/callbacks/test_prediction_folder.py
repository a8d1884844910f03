from pathlib import Path

import pytest
import torch

from rvos.callbacks.prediction_folder import PredictionFolder
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.moving_shapes.writer import write_moving_shapes
from rvos.structures.predictions import VideoPrediction


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> MeViSDataset:
    root = tmp_path_factory.mktemp("mevis")
    write_moving_shapes(root, split="valid", num_videos=1, progress=False)
    return MeViSDataset(root, "valid_u")


def _prediction(dataset: MeViSDataset, index: int) -> VideoPrediction:
    (video,) = dataset.videos
    masks = torch.zeros(len(video.frame_ids), 128, 192, dtype=torch.bool)
    sample_id, frames = dataset.sample_id(index), list(video.frame_ids)
    return VideoPrediction(sample_id, video.video_id, "it", frames, 0.5, masks)


def test_what_is_there_is_kept_and_the_rest_remains(dataset: MeViSDataset, tmp_path: Path) -> None:
    first = PredictionFolder(tmp_path, dataset)
    assert (first.kept, first.remaining()) == ([], list(range(len(dataset))))
    first.mine = {dataset.sample_id(0), dataset.sample_id(2)}
    for index in range(len(dataset)):
        first.write(_prediction(dataset, index))
    # Those of other processes were left to them.
    second = PredictionFolder(tmp_path, dataset)
    assert second.kept == [0, 2]
    assert sorted(second.kept + second.remaining()) == list(range(len(dataset)))
    assert "are not predicted yet" in second.finish(show_progress=False)[0]


def test_in_a_test_masks_alone_are_not_enough(dataset: MeViSDataset, tmp_path: Path) -> None:
    folder = PredictionFolder(tmp_path, dataset, with_scores=True)
    folder.mine = {dataset.sample_id(0), dataset.sample_id(1)}
    for index in (0, 1):
        folder.write(_prediction(dataset, index))
    assert folder.scores is not None
    folder.scores.keep(dataset.sample_id(1), {"j": {"values": torch.ones(1)}})
    assert PredictionFolder(tmp_path, dataset, with_scores=True).kept == [1]


def test_what_is_scored_together_is_done_again_together(
    dataset: MeViSDataset, tmp_path: Path
) -> None:
    folder = PredictionFolder(tmp_path, dataset, with_scores=True)
    names = [dataset.sample_id(index) for index in range(len(dataset))]
    folder.mine = set(names)
    assert folder.scores is not None
    for index in range(len(dataset)):
        folder.write(_prediction(dataset, index))
        # The second sample of the first pair lacks its scores.
        if index != 1:
            folder.scores.keep(names[index], {})

    def pair(sample_id: str) -> str:
        return str(names.index(sample_id) // 2)

    again = PredictionFolder(tmp_path, dataset, with_scores=True, scored_together=pair)
    assert again.to_do == [0, 1]
    assert PredictionFolder(tmp_path, dataset, scored_together=pair).to_do == []


def test_a_complete_folder_is_finished(dataset: MeViSDataset, tmp_path: Path) -> None:
    folder = PredictionFolder(tmp_path, dataset)
    folder.mine = {dataset.sample_id(index) for index in range(len(dataset))}
    for index in range(len(dataset)):
        folder.write(_prediction(dataset, index))
    (line,) = folder.finish(show_progress=False)
    assert line == f"submission: {tmp_path / 'submission.zip'} ({len(dataset)} expressions)"


def test_without_a_data_set_everything_is_written(dataset: MeViSDataset, tmp_path: Path) -> None:
    folder = PredictionFolder(tmp_path)
    folder.write(_prediction(dataset, 0))
    assert folder.remaining() == []
    assert folder.finish(show_progress=False) == []
    assert list(tmp_path.rglob("*.png"))
