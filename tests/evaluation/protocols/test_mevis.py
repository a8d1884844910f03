"""MeViS: equal to the official evaluator, and what that does not define."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.evaluation.prediction_source import PredictionError
from rvos.evaluation.protocols import ProtocolError
from rvos.evaluation.protocols.mevis import MeViSProtocol
from rvos.evaluation.scorer import Scores

NO_TARGET = ("0a1b2c3d4e5f", "4")


@pytest.fixture
def predictions(mevis: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(mevis / "pred", tmp_path / "pred"))


def values(root: Path, predictions: Path) -> dict[tuple[str, str], dict[str, float]]:
    protocol = MeViSProtocol(root, predictions)
    results = [protocol.score_video(video_id) for video_id in protocol.video_ids]
    table = {row.key: dict(row.values) for result in results for row in result.rows}
    return {**table, ("all", ""): Scores(protocol, tuple(results)).values}


def test_every_expression_equals_the_official_code(mevis: Path) -> None:
    expected = json.loads((mevis / "expected.json").read_text())
    table = values(mevis, mevis / "pred")
    overall = table.pop(("all", ""))
    assert len(table) == len(expected["per_expression"]) == 9
    for (video, expression), row in table.items():
        j, f = expected["per_expression"][f"{video}_{expression}"]
        assert row["J"] == pytest.approx(j, abs=1e-9)
        assert row["F"] == pytest.approx(f, abs=1e-9)
    assert overall["J"] == pytest.approx(expected["J"], abs=1e-9)
    assert overall["F"] == pytest.approx(expected["F"], abs=1e-9)
    assert overall["J&F"] == pytest.approx(expected["JF"], abs=1e-9)


def test_the_command_gives_the_official_values(
    mevis: Path, evaluate_command: Callable[..., dict[str, float]]
) -> None:
    expected = json.loads((mevis / "expected.json").read_text())
    found = evaluate_command("mevis", mevis / "pred", mevis)
    official = {"J&F": expected["JF"], "J": expected["J"], "F": expected["F"]}
    assert {name: found[name] for name in official} == pytest.approx(official, abs=1e-9)


def test_without_target_empty_frames_are_right_and_others_wrong(
    mevis: Path, predictions: Path
) -> None:
    folder = predictions.joinpath(*NO_TARGET)
    before = values(mevis, predictions)
    assert before[NO_TARGET]["J"] == 0.75
    assert (before[NO_TARGET]["N-acc"], before["all", ""]["N-acc"]) == (0.0, 0.0)
    for path in folder.iterdir():
        Image.fromarray(np.zeros((54, 96), np.uint8)).save(path)
    after = values(mevis, predictions)
    assert (after[NO_TARGET]["J"], after[NO_TARGET]["F"]) == (1.0, 1.0)
    assert after["all", ""]["N-acc"] == 1.0
    # All other expressions have a target, and one of these eight has no prediction.
    assert after["all", ""]["T-acc"] == 7 / 8


def test_what_is_missing_without_target_is_not_right(mevis: Path, predictions: Path) -> None:
    folder = predictions.joinpath(*NO_TARGET)
    for path in sorted(folder.iterdir()):
        Image.fromarray(np.zeros((54, 96), np.uint8)).save(path)
    (folder / "00003.png").unlink()
    row = values(mevis, predictions)[NO_TARGET]
    assert (row["J"], row["F"], row["N-acc"]) == (7 / 8, 7 / 8, 0.0)


def test_target_accuracy_asks_for_any_frame(mevis: Path, predictions: Path) -> None:
    folder = predictions / "ffee00112233" / "0"
    empty = Image.fromarray(np.zeros((72, 72), np.uint8))
    for path in sorted(folder.iterdir())[1:]:
        empty.save(path)
    assert values(mevis, predictions)["ffee00112233", "0"]["T-acc"] == 1.0
    empty.save(folder / "00000.png")
    assert values(mevis, predictions)["ffee00112233", "0"]["T-acc"] == 0.0


def test_where_all_have_targets_no_accuracy_is_shown(mevis: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(mevis, tmp_path / "mevis"))
    path = root / "valid_u" / "meta_expressions.json"
    content = json.loads(path.read_text())
    del content["videos"][NO_TARGET[0]]["expressions"][NO_TARGET[1]]
    path.write_text(json.dumps(content))
    assert sorted(values(root, root / "pred")["all", ""]) == ["F", "J", "J&F"]


def test_a_split_without_masks_is_refused(mevis: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(mevis, tmp_path / "mevis"))
    path = root / "valid_u" / "meta_expressions.json"
    content = json.loads(path.read_text())
    for video in content["videos"].values():
        for expression in video["expressions"].values():
            del expression["anno_id"], expression["obj_id"]
    path.write_text(json.dumps(content))
    with pytest.raises(ProtocolError, match="valid_u has no masks: only the server"):
        MeViSProtocol(root, root / "pred")


def test_a_wrong_size_names_the_file(mevis: Path, predictions: Path) -> None:
    path = predictions / "ffee00112233" / "1" / "00002.png"
    Image.fromarray(np.zeros((72, 71), np.uint8)).save(path)
    with pytest.raises(PredictionError, match=r"ffee00112233/1/00002\.png is 72x71 .* 72x72"):
        values(mevis, predictions)
