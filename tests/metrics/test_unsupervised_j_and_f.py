"""The protocol of Ref-DAVIS17 as a metric, against the released tool."""

import json
import zipfile
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from rvos.metrics import UnsupervisedJAndF, UnsupervisedResult, unsupervised_j_and_f
from rvos.metrics.functional.proposal_assignment import TargetSequence

TESTS = Path(__file__).parents[1]
ANNOTATORS = [f"anno_{index}" for index in range(4)]
SEQUENCES = ["aa-one", "bb-two", "cc-three"]
NAMES = {
    "J&F": "J&F-Mean",
    "J": "J-Mean",
    "J recall": "J-Recall",
    "J decay": "J-Decay",
    "F": "F-Mean",
    "F recall": "F-Recall",
    "F decay": "F-Decay",
}
Update = tuple[list[Tensor], list[Tensor], list[str], list[str]]


def read(folder: Path) -> Tensor:
    maps = [np.array(Image.open(path)) for path in sorted(folder.glob("*.png"))]
    return torch.from_numpy(np.stack(maps))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with `DAVIS`, `results` and `expected.json`."""
    folder = tmp_path_factory.mktemp("davis")
    with zipfile.ZipFile(TESTS / "datasets" / "data" / "ref_davis.zip") as archive:
        archive.extractall(folder)
    with zipfile.ZipFile(TESTS / "evaluation" / "data" / "ref_davis_results.zip") as archive:
        archive.extractall(folder / "ref_davis")
    return folder / "ref_davis"


@pytest.fixture(scope="module")
def updates(root: Path) -> list[Update]:
    """One batch per annotator and sequence, the annotators of a sequence after each other."""
    found: list[Update] = []
    for sequence in SEQUENCES:
        target = read(root / "DAVIS" / "Annotations_unsupervised" / "480p" / sequence)
        for annotator in ANNOTATORS:
            label_maps = read(root / "results" / annotator / sequence)
            found.append(([label_maps], [target], [sequence], [annotator]))
    return found


def score(updates: list[Update]) -> UnsupervisedResult:
    metric = UnsupervisedJAndF()
    for update in updates:
        metric.update(*update)
    result: UnsupervisedResult = metric.compute()
    return result


def numbers(result: UnsupervisedResult) -> dict[str, str]:
    return {name: value.item().hex() for name, value in result.as_log_dict().items()}


def test_all_scores_equal_the_official_ones(root: Path, updates: list[Update]) -> None:
    expected: dict[str, Any] = json.loads((root / "expected.json").read_text())
    result = score(updates)
    parts = {
        annotator: expected[f"unsupervised/{annotator}"]["global_"] for annotator in ANNOTATORS
    }
    for scores, official in [
        (result.overall, expected["unsupervised/average_of_4"]),
        *((result.per_annotator[annotator], parts[annotator]) for annotator in ANNOTATORS),
    ]:
        found = {name: value.item() for name, value in scores.as_log_dict().items()}
        assert found == pytest.approx({k: official[NAMES[k]] for k in NAMES}, abs=1e-9)
    assert result.overall.num_objects == 24
    assert [scores.num_objects for scores in result.per_annotator.values()] == [6] * 4


def test_a_sequence_is_averaged_over_its_objects_and_annotators(updates: list[Update]) -> None:
    whole = score(updates)
    for index, sequence in enumerate(SEQUENCES):
        alone = score(updates[4 * index : 4 * index + 4])
        found = whole.per_sequence[sequence].as_log_dict()
        for name, value in alone.overall.as_log_dict().items():
            assert found[name].item() == pytest.approx(value.item(), abs=1e-15)
    assert list(whole.per_sequence) == SEQUENCES
    assert whole.sequences == {(a, s) for a in ANNOTATORS for s in SEQUENCES}


def test_order_batches_and_repeated_samples_do_not_matter(updates: list[Update]) -> None:
    expected = numbers(score(updates))
    assert numbers(score([*updates[::-1], *updates[3:6]])) == expected
    preds, targets, sequences, annotators = zip(*updates, strict=True)
    in_one = [list(chain.from_iterable(part)) for part in (preds, targets, sequences, annotators)]
    metric = UnsupervisedJAndF()
    metric.update(*in_one)
    assert numbers(metric.compute()) == expected


def test_the_ground_truth_is_taken_apart_once_per_sequence(
    updates: list[Update], monkeypatch: pytest.MonkeyPatch
) -> None:
    num_taken_apart = 0

    def count(*args: Any) -> TargetSequence:
        nonlocal num_taken_apart
        num_taken_apart += 1
        return TargetSequence(*args)

    monkeypatch.setattr(unsupervised_j_and_f, "TargetSequence", count)
    score(updates)
    assert num_taken_apart == len(SEQUENCES)


def test_another_ground_truth_of_the_same_size_is_not_mistaken() -> None:
    first = torch.zeros(2, 16, 16, dtype=torch.uint8)
    first[:, :4, :4] = 1
    second = first.flip(1)
    result = score([([first], [first], ["a"], ["x"]), ([first], [second], ["b"], ["x"])])
    assert result.per_sequence["a"].j.item() == 1
    assert result.per_sequence["b"].j.item() == 0


def test_nothing_is_no_number() -> None:
    result = score([])
    assert all(value.isnan() for value in result.as_log_dict().values())
    assert (result.overall.num_objects, result.per_sequence) == (0, {})
    # A sequence without an object has nothing to be averaged.
    empty = torch.zeros(1, 4, 4, dtype=torch.uint8)
    assert score([([empty], [empty], ["a"], ["x"])]).overall.j.isnan()


def test_a_reset_forgets_everything(updates: list[Update]) -> None:
    metric = UnsupervisedJAndF()
    metric.update(*updates[0])
    metric.reset()
    metric.update(*updates[1])
    assert metric.compute().sequences == {("anno_1", "aa-one")}


def test_arguments_that_do_not_fit_are_refused(updates: list[Update]) -> None:
    label_maps, targets, sequences, annotators = updates[0]
    metric = UnsupervisedJAndF()
    with pytest.raises(ValueError, match="one entry per sequence"):
        metric.update(label_maps, targets, sequences, [])
    with pytest.raises(ValueError, match="Expected label maps"):
        metric.update([label_maps[0][:1]], targets, sequences, annotators)
