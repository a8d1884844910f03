"""The worst cases come first, and their pictures show target and prediction."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.evaluation.gallery import draw_case, worst_rows, write_gallery
from rvos.evaluation.protocols import GalleryCase
from rvos.evaluation.scorer import Scores, ScoringJob, score_predictions
from rvos.visualization import distinct_colours


@pytest.fixture(scope="module")
def scores(mevis: Path) -> Scores:
    return score_predictions(ScoringJob("mevis", mevis, mevis / "pred"))


def test_the_worst_come_first(scores: Scores) -> None:
    rows = worst_rows(scores, 3)
    values = [row.values["J&F"] for row in rows]
    assert rows[0].key == ("missingpred0", "0")
    assert values == sorted(row.values["J&F"] for row in scores.rows)[:3]
    assert len(worst_rows(scores, 99)) == 9


def test_one_picture_per_case_and_none_of_an_earlier_run(scores: Scores, tmp_path: Path) -> None:
    folder = tmp_path / "gallery"
    assert len(write_gallery(folder, scores, 4)) == 4
    (folder / "mine.png").write_bytes(b"kept")
    paths = write_gallery(folder, scores, 2)
    assert [path.name for path in paths] == ["001_missingpred0_0.png", paths[1].name]
    assert sorted(folder.iterdir()) == sorted([*paths, folder / "mine.png"])
    # Five frames (or all of fewer) side by side, target above prediction, below a title.
    width, height = Image.open(paths[0]).size
    assert width == 4 * 40 + 3 * 2
    assert height > 2 * 40 + 2


def test_target_is_above_and_prediction_below() -> None:
    target, pred = np.zeros((2, 1, 20, 30), bool)
    target[0, :10], pred[0, 10:] = True, True
    images = np.zeros((1, 20, 30, 3), np.uint8)
    case = GalleryCase(images, target, pred, ("00000",))
    picture = draw_case(case, "50.0  a dog")[-42:]
    pred_colour, target_colour = distinct_colours(2)
    assert tuple(picture[0, 0]) == target_colour
    assert not picture[15, 5].any()
    assert tuple(picture[22 + 19, 0]) == pred_colour
    assert not picture[22 + 2, 5].any()


def test_a_long_expression_is_wrapped() -> None:
    masks, images = np.zeros((1, 20, 90), bool), np.zeros((1, 20, 90, 3), np.uint8)
    case = GalleryCase(images, masks, masks, ("00000",))
    short, long = draw_case(case, "a dog"), draw_case(case, "a dog that runs " * 4)
    assert long.shape[0] > short.shape[0]
    assert long.shape[1] == short.shape[1] == 90
