"""Ref-YouTube-VOS: both forms of ground truth, and the mean over expressions."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.datasets.errors import FrameNotFoundError, MaskSizeError
from rvos.evaluation.protocols import ProtocolError, VideoResult
from rvos.evaluation.protocols.ref_youtube_vos import RefYouTubeVOSProtocol
from rvos.evaluation.scorer import Scores


def score(root: Path, predictions: Path) -> tuple[list[VideoResult], dict[str, float]]:
    protocol = RefYouTubeVOSProtocol(root, predictions)
    results = [protocol.score_video(video_id) for video_id in protocol.video_ids]
    return results, Scores(protocol, tuple(results)).values


@pytest.fixture
def per_expression(youtube: Path, tmp_path: Path) -> Path:
    """The same benchmark with one folder of masks per expression and no object ids."""
    root = Path(shutil.copytree(youtube, tmp_path / "per_expression"))
    path = root / "meta_expressions" / "valid" / "meta_expressions.json"
    content = json.loads(path.read_text())
    for video_id, video in content["videos"].items():
        folder = root / "valid" / "Annotations" / video_id
        for expression_id, expression in video["expressions"].items():
            object_id = int(expression.pop("obj_id"))
            (folder / expression_id).mkdir()
            for frame_id in video["frames"]:
                pixels = np.array(Image.open(folder / f"{frame_id}.png"))
                mask = (pixels == object_id).astype(np.uint8) * 255
                Image.fromarray(mask).save(folder / expression_id / f"{frame_id}.png")
        for file in folder.glob("*.png"):
            file.unlink()
    path.write_text(json.dumps(content))
    (root / "valid" / "meta.json").unlink(missing_ok=True)
    return root


def naive_j_and_f(pred: np.ndarray, target: np.ndarray) -> tuple[float, float]:
    """The definitions of DAVIS, pixel by pixel."""

    def boundary(mask: np.ndarray) -> np.ndarray:
        padded = np.pad(mask, ((0, 1), (0, 1)), mode="edge")
        return (
            (mask != padded[1:, :-1]) | (mask != padded[:-1, 1:]) | (mask != padded[1:, 1:])
        ).nonzero()

    union = (pred | target).sum()
    j = (pred & target).sum() / union if union else 1.0
    a, b = np.stack(boundary(pred), 1), np.stack(boundary(target), 1)
    if len(a) == 0 or len(b) == 0:
        return j, float(len(a) == len(b))
    near = ((a[:, None] - b[None]) ** 2).sum(-1) <= np.ceil(0.008 * np.hypot(*pred.shape)) ** 2
    precision, recall = near.any(1).mean(), near.any(0).mean()
    both = precision + recall
    return j, 2 * precision * recall / both if both else 0.0


def test_scores_are_those_of_the_definition(youtube: Path, youtube_predictions: Path) -> None:
    results, overall = score(youtube, youtube_predictions)
    index = json.loads((youtube / "meta_expressions/valid/meta_expressions.json").read_text())
    means = []
    for result in results:
        for row in result.rows:
            video = index["videos"][row.video_id]
            object_id = int(video["expressions"][row.expression_id]["obj_id"])
            frames = []
            for frame in video["frames"]:
                truth = youtube / "valid/Annotations" / row.video_id / f"{frame}.png"
                place = youtube_predictions / "Annotations" / row.video_id / row.expression_id
                pred = np.array(Image.open(place / f"{frame}.png")) > 0
                frames.append(naive_j_and_f(pred, np.array(Image.open(truth)) == object_id))
            means.append(np.mean(frames, axis=0))
            assert (row.values["J"], row.values["F"]) == pytest.approx(tuple(means[-1]), abs=1e-9)
    j, f = np.mean(means, axis=0)
    expected = {"J&F": (j + f) / 2, "J": j, "F": f}
    assert overall == pytest.approx(expected, abs=1e-9)
    assert 0.3 < overall["J"] < 0.999


def test_both_forms_of_ground_truth_give_the_same(
    youtube: Path, per_expression: Path, youtube_predictions: Path
) -> None:
    assert score(youtube, youtube_predictions) == score(per_expression, youtube_predictions)


def test_the_layouts_of_folders_give_the_same(
    youtube: Path, youtube_predictions: Path, tmp_path: Path
) -> None:
    plain = score(youtube, youtube_predictions)
    renamed = tmp_path / "pred"
    shutil.copytree(youtube_predictions / "Annotations", renamed / "valid")
    assert score(youtube, renamed) == plain
    assert score(youtube, renamed / "valid") == plain
    archive = shutil.make_archive(str(tmp_path / "sent"), "zip", youtube_predictions)
    assert score(youtube, Path(archive)) == plain
    notes = RefYouTubeVOSProtocol(youtube, renamed).notes()
    assert notes == ["the videos lie in valid/; the server wants them in Annotations/"]
    assert RefYouTubeVOSProtocol(youtube, Path(archive)).notes() == []


def test_without_ground_truth_it_says_where_to_put_it(
    youtube: Path, youtube_predictions: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(youtube, tmp_path / "root"))
    shutil.rmtree(root / "valid" / "Annotations")
    with pytest.raises(ProtocolError, match=r"valid/Annotations is missing: put the published"):
        RefYouTubeVOSProtocol(root, youtube_predictions)


def test_object_ids_without_names_are_refused(
    youtube: Path, youtube_predictions: Path, tmp_path: Path
) -> None:
    root = Path(shutil.copytree(youtube, tmp_path / "root"))
    path = root / "meta_expressions" / "valid" / "meta_expressions.json"
    content = json.loads(path.read_text())
    del next(iter(content["videos"].values()))["expressions"]["0"]["obj_id"]
    path.write_text(json.dumps(content))
    with pytest.raises(ProtocolError, match="names no obj_id for expression 0"):
        RefYouTubeVOSProtocol(root, youtube_predictions)


def test_damaged_ground_truth_is_named(per_expression: Path, youtube_predictions: Path) -> None:
    folder = next((per_expression / "valid" / "Annotations").iterdir()) / "0"
    path = sorted(folder.iterdir())[0]
    Image.fromarray(np.zeros((3, 4), np.uint8)).save(path)
    with pytest.raises(MaskSizeError, match=f"{path.name} is 3x4"):
        score(per_expression, youtube_predictions)
    path.unlink()
    with pytest.raises(FrameNotFoundError, match=path.name):
        score(per_expression, youtube_predictions)
