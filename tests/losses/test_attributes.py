from dataclasses import fields

import pytest
import torch
from torch import Tensor

from rvos.losses import AttributeLabels, AttributeLogits, DenseAttributeLoss
from rvos.losses.attributes import IGNORED_LABEL, subsample_labels

CLASSES = {"foreground": 2, "shape": 4, "colour": 6, "size": 2, "texture": 2}


@pytest.fixture
def logits() -> AttributeLogits:
    maps = {name: torch.randn(2, k, 4, 6, requires_grad=True) for name, k in CLASSES.items()}
    return AttributeLogits(**maps)


@pytest.fixture
def labels() -> AttributeLabels:
    maps = {name: torch.randint(0, k, (2, 16, 24)) for name, k in CLASSES.items()}
    background = torch.rand(2, 16, 24) > 0.5
    for name in ("shape", "colour", "size", "texture"):
        maps[name][background] = IGNORED_LABEL
    return AttributeLabels(**maps)


def test_terms_are_means_over_counted_pixels(
    logits: AttributeLogits, labels: AttributeLabels
) -> None:
    losses = DenseAttributeLoss({"shape": 3.0, "size": 0.0})(logits, labels)
    total = torch.zeros(())
    for name in CLASSES:
        scores: Tensor = getattr(logits, name)
        wanted = getattr(labels, name)[:, 2::4, 2::4]
        counted = wanted != IGNORED_LABEL
        log_probability = scores.log_softmax(dim=1).gather(1, wanted.clamp(min=0)[:, None])[:, 0]
        torch.testing.assert_close(losses.terms[name], -log_probability[counted].mean())
        right = (scores.argmax(dim=1) == wanted)[counted].float().mean()
        torch.testing.assert_close(losses.accuracies[name], right)
        total = total + {"shape": 3.0, "size": 0.0}.get(name, 1.0) * losses.terms[name]
    torch.testing.assert_close(losses.total, total)


def test_ignored_pixels_have_no_gradient_and_no_nan(logits: AttributeLogits) -> None:
    ignored = torch.full((2, 16, 24), IGNORED_LABEL)
    labels = AttributeLabels(torch.zeros(2, 16, 24, dtype=torch.int64), *[ignored] * 4)
    losses = DenseAttributeLoss()(logits, labels)
    losses.total.backward()
    assert losses.total == losses.terms["foreground"]
    assert losses.accuracies["shape"].isnan()
    for field in fields(logits):
        grad = getattr(logits, field.name).grad
        assert grad.isfinite().all()
        assert (grad != 0).any() == (field.name == "foreground")


def test_an_unknown_map_is_named() -> None:
    with pytest.raises(ValueError, match=r"color.*colour"):
        DenseAttributeLoss({"color": 2.0})


@pytest.mark.parametrize("size", [(16, 24), (8, 12), (3, 5), (1, 1)])
def test_labels_are_those_of_nearest_interpolation(size: tuple[int, int]) -> None:
    labels = torch.randint(-100, 7, (2, 16, 24))
    expected = torch.nn.functional.interpolate(
        labels[:, None].double(), size=size, mode="nearest-exact"
    )
    assert torch.equal(subsample_labels(labels, size), expected[:, 0].long())
