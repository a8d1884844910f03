from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rvos.evaluation.submissions import AnnotatorMaps, ExpectedSample, SubmissionError
from rvos.structures.predictions import VideoPrediction

Predict = Callable[..., VideoPrediction]


def test_the_most_probable_object_of_an_annotator_wins(
    samples: list[ExpectedSample], predict: Predict, tmp_path: Path
) -> None:
    maps = AnnotatorMaps(tmp_path, samples)
    for number, sample in enumerate(samples):
        # Object 1 is stronger for the first two annotators, object 2 for the others.
        assert not maps.holds(sample)
        maps.add(predict(sample, 3.0 if (number < 4) == (number % 4 < 2) else 2.0))
        assert maps.holds(sample)
    assert maps.finish() == tmp_path
    for annotator in range(4):
        image = Image.open(tmp_path / f"anno_{annotator}" / "video" / "00001.png")
        pixels = np.asarray(image)
        assert (image.mode, pixels.shape) == ("P", (24, 32))
        assert set(np.unique(pixels)) == {0, 1 if annotator < 2 else 2}
        assert not pixels[16:].any()
    assert all(maps.holds(sample) for sample in samples)
    assert not list(tmp_path.rglob("*.npz"))


def test_a_missing_expression_is_named(
    samples: list[ExpectedSample], predict: Predict, tmp_path: Path
) -> None:
    maps = AnnotatorMaps(tmp_path, samples)
    for sample in samples[:-1]:
        maps.add(predict(sample))
    with pytest.raises(SubmissionError, match="predict video/7 again"):
        maps.finish()
    assert not (tmp_path / "anno_3").exists() or not list((tmp_path / "anno_3").glob("video"))
