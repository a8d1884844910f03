from pathlib import Path

from rvos.datasets.a2d_sentences import A2DSentencesDataset
from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.mixture import MixtureDataset
from rvos.datasets.refcoco import RefCOCODataset
from rvos.evaluation.submissions import expected_samples, open_submissions


def _check(dataset: ClipDataset) -> None:
    samples = expected_samples(dataset)
    assert samples is not None
    assert len(samples) == len(dataset)
    for index, sample in enumerate(samples):
        clip = dataset[index]
        assert (sample.sample_id, sample.video_id) == (clip.sample_id, clip.video_id)
        assert list(sample.frame_ids) == clip.frame_ids


def test_samples_are_those_that_come(a2d_sentences_root: Path, refcoco_root: Path) -> None:
    _check(A2DSentencesDataset(a2d_sentences_root, "test"))
    images = {
        "refcoco": RefCOCODataset(refcoco_root, "refcoco", "testA"),
        "refcocog": RefCOCODataset(refcoco_root, "refcocog", "val"),
    }
    mixture = MixtureDataset(images)
    _check(mixture)
    names = [next(iter(each.samples)).split("/")[0] for each in open_submissions(mixture, Path())]
    assert names == ["refcoco", "refcocog"]


def test_a_weighted_mixture_tells_nothing_beforehand(
    a2d_sentences_root: Path,
) -> None:
    parts = {"a2d": A2DSentencesDataset(a2d_sentences_root, "test")}
    assert expected_samples(MixtureDataset(parts, {"a2d": 1.0})) is None
    assert not open_submissions(MixtureDataset(parts, {"a2d": 1.0}), Path())
