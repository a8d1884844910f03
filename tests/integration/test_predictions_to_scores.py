"""From `rvos predict` to `rvos evaluate`: scores equal those of the model's outputs themselves."""

import dataclasses
import json
import zipfile
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from rvos.cli import main
from rvos.datasets.a2d_sentences import A2DSentencesDataset
from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.jhmdb_sentences import JHMDBSentencesDataset
from rvos.datasets.mevis import MeViSDataset
from rvos.datasets.moving_shapes.vocabulary import Layout
from rvos.datasets.ref_youtube_vos import RefYouTubeVOSDataset
from rvos.datasets.refcoco import RefCOCODataset
from rvos.evaluation.davis_sequences import DavisSequences
from rvos.inference.object_merge import merge_objects
from rvos.inference.selection import resize_mask_logits
from rvos.metrics import JAndF, MaskAveragePrecision, MeanIoU, OverallIoU
from rvos.metrics.functional.proposal_assignment import TargetSequence
from rvos.ops.boxes import box_cxcywh_to_xyxy
from rvos.structures.predictions import TrackPredictions, VideoPrediction
from rvos.tasks import ReferringSegmentationTask, referring_segmentation
from rvos.tasks.whole_video import predict_batch

REPOSITORY = Path(__file__).parents[2]
SHORT_SIDE = 64
Predict = Callable[..., Path]


@pytest.fixture
def predictions(monkeypatch: pytest.MonkeyPatch) -> list[VideoPrediction]:
    """What the task hands to the callbacks, in order."""
    kept: list[VideoPrediction] = []

    def spy(*args: Any) -> list[VideoPrediction]:
        found = predict_batch(*args)
        # Copies, because the writer lets go of the tracks.
        kept.extend(dataclasses.replace(prediction) for prediction in found)
        return found

    monkeypatch.setattr(referring_segmentation, "predict_batch", spy)
    return kept


@pytest.fixture
def predict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Predict:
    """Predict a benchmark with the smallest model, through the command line."""
    monkeypatch.chdir(tmp_path)

    def run(experiment: str, root: Path, *more: str) -> Path:
        options = {
            "model.init_args.model": str(REPOSITORY / "tests/integration/referdino_nano.yaml"),
            "data.root": str(root),
            "data.num_workers": "0",
            "data.short_side": str(SHORT_SIDE),
            "trainer.accelerator": "cpu",
            "trainer.callbacks+": "rvos.callbacks.PredictionWriter",
            "trainer.callbacks.folder": "pred",
        }
        flags = [word for name, value in options.items() for word in (f"--{name}", value)]
        path = REPOSITORY / "configs" / "experiment" / f"{experiment}.yaml"
        assert main(["predict", "-c", str(path), *more, *flags]) == 0
        return tmp_path / "pred"

    return run


def evaluate(benchmark: str, predictions: Path, root: Path, *more: str) -> dict[str, Any]:
    """Score predictions through the command line."""
    options = ["--workers", "1", "--output", "scores", *more]
    assert main(["evaluate", benchmark, str(predictions), str(root), *options]) == 0
    content: dict[str, Any] = json.loads(Path("scores/scores.json").read_text())
    assert not content["missing"]
    return {name: value["value"] for name, value in content["measures"].items()}


def tracks_of(prediction: VideoPrediction) -> TrackPredictions:
    assert prediction.tracks is not None
    return prediction.tracks


def targets_of(dataset: ClipDataset) -> dict[str, Tensor]:
    """Annotated masks by sample."""
    samples = [dataset[index] for index in range(len(dataset))]
    return {sample.sample_id: sample.targets.masks.any(dim=0) for sample in samples}


@pytest.mark.parametrize("layout", ["ref_youtube_vos", "mevis"])
def test_archive_for_the_server(
    layout: Layout,
    predict: Predict,
    moving_shapes: dict[Layout, Path],
    predictions: list[VideoPrediction],
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = moving_shapes[layout]
    folder = predict(f"referdino_tiny_{layout}", root)
    assert f"submission: {Path('pred/submission.zip')} (" in capsys.readouterr().out
    youtube = layout == "ref_youtube_vos"
    dataset = (RefYouTubeVOSDataset if youtube else MeViSDataset)(root, "valid")
    prefix = "Annotations/" if youtube else ""
    expected = {
        f"{prefix}{video.video_id}/{expression.expression_id}/{frame}.png"
        for video in dataset.videos
        for expression in video.expressions
        for frame in video.frame_ids
    }
    with zipfile.ZipFile(folder / "submission.zip") as archive:
        assert set(archive.namelist()) == expected
        for name in archive.namelist():
            with archive.open(name) as file, Image.open(file) as image:
                assert (image.mode, image.size) == ("L", (192, 128))
                assert set(np.unique(image)) <= {0, 255}

    metric, targets = JAndF(), targets_of(dataset)
    for prediction in predictions:
        metric.update([prediction.masks], [targets[prediction.sample_id]], [prediction.sample_id])
    scores = evaluate(layout, folder / "submission.zip", root, "--split", "valid")
    assert scores["J&F"] == pytest.approx(metric.compute().overall.j_and_f.item(), abs=1e-9)


def test_label_maps_of_ref_davis17(
    predict: Predict, unpack_benchmark: Callable[[str], Path], predictions: list[VideoPrediction]
) -> None:
    root = unpack_benchmark("ref_davis")
    assert main(["data", "prepare", "ref_davis17", str(root)]) == 0
    folder = predict("referdino_tiny_ref_davis17", root)
    assert not list(folder.glob(".logits/**/*.npz"))
    logits: dict[tuple[str, int], list[TrackPredictions]] = defaultdict(list)
    for prediction in predictions:
        annotator = int(prediction.sample_id.rpartition("/")[2]) % 4
        logits[prediction.video_id, annotator].append(tracks_of(prediction))
    sequences, values = DavisSequences(root, "val"), []
    for (video_id, annotator), objects in logits.items():
        full = [
            resize_mask_logits(
                tracks.mask_logits[:, tracks.scores.argmax()],
                tracks.input_size,
                tracks.original_size,
            )
            for tracks in objects
        ]
        label_maps = merge_objects(torch.stack(full).sigmoid()).numpy()
        paths = sorted((folder / f"anno_{annotator}" / video_id).iterdir())
        written = [Image.open(path) for path in paths]
        assert {image.mode for image in written} == {"P"}
        np.testing.assert_array_equal(
            np.stack([np.asarray(image) for image in written]), label_maps
        )
        scores = TargetSequence(sequences.read_label_maps(video_id)).score(label_maps)
        values += [(each.j.mean() + each.f.mean()) / 2 for each in scores]
    assert len(logits) == 4 * len(sequences.names)
    assert evaluate("ref_davis17", folder, root)["J&F"] == pytest.approx(np.mean(values), abs=1e-9)


@pytest.mark.parametrize("benchmark", ["a2d_sentences", "jhmdb_sentences"])
def test_detections_of_annotated_frames(
    benchmark: str,
    predict: Predict,
    predictions: list[VideoPrediction],
    request: pytest.FixtureRequest,
) -> None:
    root: Path = request.getfixturevalue(f"{benchmark}_root")
    assert main(["data", "prepare", benchmark, str(root)]) == 0
    data_config = str(REPOSITORY / "configs" / "data" / f"{benchmark}.yaml")
    folder = predict("referdino_tiny_a2d_sentences", root, "--data", data_config)
    a2d = benchmark == "a2d_sentences"
    dataset = A2DSentencesDataset(root, "test") if a2d else JHMDBSentencesDataset(root)
    targets = targets_of(dataset)
    mean_iou, overall_iou, precision = MeanIoU(), OverallIoU(), MaskAveragePrecision()
    for prediction in predictions:
        (target,), names = targets[prediction.sample_id], [prediction.sample_id]
        for metric in (mean_iou, overall_iou):
            metric.update([prediction.masks[0]], [target], names)
        tracks = tracks_of(prediction)
        masks = resize_mask_logits(tracks.mask_logits[0], tracks.input_size, tracks.original_size)
        precision.update([masks > 0], [tracks.scores], [target], names)
    scores = evaluate(benchmark, folder / f"{benchmark}.json", root)
    assert scores["mean IoU"] == pytest.approx(mean_iou.compute().item(), abs=1e-9)
    assert scores["overall IoU"] == pytest.approx(overall_iou.compute().item(), abs=1e-9)
    found = scores["mAP 0.5:0.95, all queries"]
    assert found == pytest.approx(precision.compute().mean_ap.item(), abs=1e-9)


def test_detections_of_refcoco(
    predict: Predict, refcoco_root: Path, predictions: list[VideoPrediction]
) -> None:
    folder = predict("referdino_tiny_refcoco", refcoco_root)
    for name in ("refcoco", "refcoco+", "refcocog"):
        dataset = RefCOCODataset(refcoco_root, name, "val")
        targets, overall_iou, box_ious = targets_of(dataset), OverallIoU(), []
        boxes = {f"{name}/{dataset.sample_id(i)}": box for i, box in enumerate(_boxes(dataset))}
        for prediction in predictions:
            if not prediction.sample_id.startswith(f"{name}/"):
                continue
            (target,) = targets[prediction.sample_id.removeprefix(f"{name}/")]
            overall_iou.update([prediction.masks[0]], [target], [prediction.sample_id])
            tracks = tracks_of(prediction)
            height, width = tracks.original_size
            best = box_cxcywh_to_xyxy(tracks.boxes_cxcywh[0, tracks.scores.argmax()])
            corners = best * torch.tensor([width, height, width, height])
            box_ious.append(_box_iou(corners, boxes[prediction.sample_id]))
        scores = evaluate(name, folder / f"{name}.json", refcoco_root, "--split", "val")
        assert scores["RIS overall IoU"] == pytest.approx(overall_iou.compute().item(), abs=1e-9)
        assert scores["REC mean IoU"] == pytest.approx(np.mean(box_ious), abs=1e-5)


def _boxes(dataset: RefCOCODataset) -> list[Tensor]:
    """Annotated boxes in corners, by sample."""
    path = dataset.root / dataset.name / f"instances_{dataset.name}_val.json"
    entries = json.loads(path.read_text())["annotations"]
    by_id = {entry["image_id"]: torch.tensor(entry["bbox"]) for entry in entries}
    found = [by_id[int(expression_id)] for expression_id in dataset.index.expression_ids]
    return [torch.cat([box[:2], box[:2] + box[2:]]) for box in found]


def _box_iou(first: Tensor, second: Tensor) -> float:
    sides = (torch.minimum(first[2:], second[2:]) - torch.maximum(first[:2], second[:2])).clamp(0)
    areas = [(box[2:] - box[:2]).prod() for box in (first, second)]
    return float(sides.prod() / (sum(areas) - sides.prod()))


@pytest.mark.parametrize("benchmark", ["mevis", "ref_davis17", "a2d_sentences"])
def test_an_interrupted_run_goes_on(
    benchmark: str,
    predict: Predict,
    moving_shapes: dict[Layout, Path],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = moving_shapes["mevis"]
    if benchmark != "mevis":
        root = request.getfixturevalue(f"{benchmark}_root")
    predicted: list[str] = []
    original = ReferringSegmentationTask.predict_step

    def predict_step(self: Any, batch: Any, batch_idx: int = 0) -> list[VideoPrediction]:
        predicted.extend(batch.sample_ids)
        return original(self, batch, batch_idx)

    monkeypatch.setattr(ReferringSegmentationTask, "predict_step", predict_step)
    command = (f"referdino_tiny_{benchmark}", root, "--data.max_videos", "1")
    folder = predict(*command, "--trainer.limit_predict_batches", "2")
    out = capsys.readouterr().out
    assert "are not predicted yet: repeat the command" in out
    assert "submission:" not in out
    first = list(predicted)
    # What was written only in part is predicted again.
    next(folder.glob("*/*/*.png")).unlink()
    predicted.clear()
    predict(*command)
    assert "submission:" in capsys.readouterr().out
    assert len(set(predicted) & set(first)) == 1
    assert len(predicted) == len(set(predicted)) > 2
    files = {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")}
    predicted.clear()
    predict(*command)
    assert not predicted
    assert "submission:" in capsys.readouterr().out
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")} == files
