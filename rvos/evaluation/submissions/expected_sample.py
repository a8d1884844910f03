"""Which predictions a data set asks for."""

from dataclasses import dataclass, replace
from pathlib import Path

from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.mixture import MixtureDataset
from rvos.datasets.refcoco import RefCOCODataset
from rvos.datasets.referring_video import ReferringVideoDataset


@dataclass(frozen=True, slots=True)
class ExpectedSample:
    """One sample to be predicted.

    Attributes:
        sample_id: Its id in the data set.
        video_id: Its video, or image.
        expression_id: Unique within the video.
        frame_ids: Names of the frames that get a mask.

    >>> sample = ExpectedSample("aa/0", "aa", "0", ("00000",))
    >>> [path.as_posix() for path in sample.mask_paths(Path("masks"))]
    ['masks/aa/0/00000.png']
    """

    sample_id: str
    video_id: str
    expression_id: str
    frame_ids: tuple[str, ...]

    def mask_paths(self, folder: Path) -> list[Path]:
        """List the files of its masks.

        Args:
            folder: Folder of the predictions.

        Returns:
            One per frame.
        """
        place = folder / self.video_id / self.expression_id
        return [place / f"{frame_id}.png" for frame_id in self.frame_ids]


def expected_samples(dataset: ClipDataset) -> list[ExpectedSample] | None:
    """List what is to be predicted, in the order of the data set, without reading a frame.

    Args:
        dataset: Whole videos, annotated frames or images.

    Returns:
        The samples; None where the data set does not tell them beforehand.
    """
    if isinstance(dataset, ReferringVideoDataset):
        return [
            _sample(dataset.sample_id(i), dataset.expression(i)[0], dataset.prediction_frames(i))
            for i in range(len(dataset))
        ]
    if isinstance(dataset, RefCOCODataset):
        images = [(i, dataset.video_id(i)) for i in range(len(dataset))]
        return [_sample(dataset.sample_id(i), image, (image,)) for i, image in images]
    if isinstance(dataset, MixtureDataset) and not dataset.is_weighted:
        parts = {name: expected_samples(part) for name, part in dataset.parts.items()}
        if any(samples is None for samples in parts.values()):
            return None
        return [
            replace(
                sample,
                sample_id=f"{name}/{sample.sample_id}",
                video_id=f"{name}/{sample.video_id}",
            )
            for name, samples in parts.items()
            for sample in samples or []
        ]
    return None


def _sample(sample_id: str, video_id: str, frame_ids: tuple[str, ...]) -> ExpectedSample:
    expression_id = sample_id.removeprefix(f"{video_id}/").split("/")[0]
    return ExpectedSample(sample_id, video_id, expression_id, frame_ids)
