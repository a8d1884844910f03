"""Two methods on the same videos: who is better, by how much, and in which rows."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.evaluation.bootstrap import paired_difference
from rvos.evaluation.comparison import Comparison
from rvos.evaluation.scorer import Scores, ScoringJob, score_predictions


@pytest.fixture(scope="module")
def good(mevis: Path) -> Scores:
    return score_predictions(ScoringJob("mevis", mevis, mevis / "pred"))


@pytest.fixture(scope="module")
def bad(mevis: Path, tmp_path_factory: pytest.TempPathFactory) -> Scores:
    """The same predictions, moved by some pixels."""
    predictions = Path(shutil.copytree(mevis / "pred", tmp_path_factory.mktemp("bad") / "pred"))
    for path in predictions.rglob("*.png"):
        Image.fromarray(np.roll(np.array(Image.open(path)), 5, axis=1)).save(path)
    return score_predictions(ScoringJob("mevis", mevis, predictions))


def test_differences_are_those_of_the_values(good: Scores, bad: Scores) -> None:
    found = Comparison(good, bad).differences
    assert set(found) == set(good.values) == set(bad.values)
    for name, difference in found.items():
        assert difference.value == pytest.approx(good.values[name] - bad.values[name], abs=1e-12)
    assert found["J"].value > 0
    (j,) = [measure for measure in good.protocol.measures if measure.name == "J"]
    assert found["J"] == paired_difference(good.results, bad.results, j)


def test_the_other_way_round_the_sign_changes(good: Scores, bad: Scores) -> None:
    there, back = Comparison(good, bad).differences, Comparison(bad, good).differences
    for name, difference in there.items():
        assert back[name].value == -difference.value


def test_rows_are_paired_by_name_and_not_by_place(good: Scores, bad: Scores) -> None:
    turned = Scores(bad.protocol, bad.results[::-1])
    pairs = Comparison(good, turned).row_values
    rows = zip(good.rows, bad.rows, strict=True)
    assert pairs == [(a.values["J&F"], b.values["J&F"]) for a, b in rows]
    alone = Scores(bad.protocol, bad.results[:1])
    num_shared = len(alone.rows)
    pairs = Comparison(good, alone).row_values
    assert [np.isnan(b) for _, b in pairs] == [k >= num_shared for k in range(len(pairs))]
