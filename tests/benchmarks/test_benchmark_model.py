"""Models without weights, and text without tokenizer."""

from pathlib import Path

import pytest
import torch

from rvos.benchmarks.benchmark_model import load_model, random_model, synthetic_expressions
from rvos.models.grounding_dino.prompt import phrase_of_token
from rvos.structures.errors import RvosError

NANO = Path(__file__).parents[1] / "integration" / "referdino_nano.yaml"


def test_an_architecture_and_a_file_make_models_that_segment() -> None:
    for name, model in (
        load_model("not read", None, "tiny", None),
        load_model("not read", None, None, NANO),
    ):
        assert name.endswith(", random weights")
        (tokens,) = synthetic_expressions(model, 1)
        with torch.no_grad():
            output = model(torch.rand(1, 2, 3, 48, 64), tokens)
        assert output.pred_masks.shape[:2] == (1, 2)
        assert output.pred_masks.isfinite().all()
        assert not model.training


def test_weights_are_called_what_the_user_calls_them(nano_weights: Path) -> None:
    name, _ = load_model(str(nano_weights), None, None, None)
    assert name == str(nano_weights)


def test_expressions_are_one_phrase_each_and_the_same_every_time() -> None:
    model = random_model("tiny")
    first, second = synthetic_expressions(model, 2)
    assert phrase_of_token(first.input_ids).tolist() == [[-1, *[0] * 10, -1]]
    assert not torch.equal(first.input_ids, second.input_ids)
    assert torch.equal(first.input_ids, synthetic_expressions(model, 1)[0].input_ids)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read"),
        ("a: [", "cannot read"),
        ("{}", "does not describe a ReferDINO"),
        ("class_path: rvos.models.grounding_dino.ConfidenceQueryPruner", "does not describe"),
        ("class_path: torch.nn.Linear", "only classes of rvos"),
    ],
)
def test_a_file_that_describes_no_model_is_refused(
    content: str | None, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(RvosError, match=message):
        load_model("tiny", None, None, path)
