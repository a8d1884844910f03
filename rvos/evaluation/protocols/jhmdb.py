"""JHMDB-Sentences (Gavrilyuk et al., CVPR 2018)."""

import re
from collections.abc import Mapping
from functools import cached_property
from typing import ClassVar

import numpy as np
from jaxtyping import UInt8

from rvos.datasets.files import read_frame
from rvos.datasets.jhmdb_files import SAMPLES_FILE, JHMDBSample, read_samples
from rvos.evaluation.coco_targets import ImageTarget
from rvos.evaluation.protocols.a2d import SENTENCES_STEPS, SentencesProtocol, no_picture
from rvos.evaluation.protocols.base import ProtocolStep


class JHMDBSentencesProtocol(SentencesProtocol):
    """mAP, P@K, overall and mean IoU over the published sample of frames.

    Args:
        root: Folder of the benchmark.
        predictions: JSON file in COCO's result form, or a folder or zip archive with one.
        split: ``test`` (default).

    Raises:
        RvosError: Benchmark or predictions cannot be read.
    """

    name = "jhmdb_sentences"
    title = "JHMDB-Sentences"
    ground_truth_file = "jhmdb_sentences_gt_annotations_in_coco_format.json"
    image_id_form = re.compile(r"v_(.+)_f_\d+")
    steps: ClassVar[tuple[ProtocolStep, ...]] = (
        *SENTENCES_STEPS,
        ProtocolStep(
            "The frames were drawn at random for each release; numbers are comparable with those "
            "on the same list only, commonly MTTR's.",
            None,
        ),
    )

    def read_image(self, target: ImageTarget) -> UInt8[np.ndarray, "h w 3"]:
        """Read the annotated frame.

        Args:
            target: One target.

        Returns:
            ``[H, W, 3]``, RGB.
        """
        sample = self.samples.get(str(target.image_id))
        if sample is None:
            raise no_picture(target, self.root / SAMPLES_FILE)
        return read_frame(sample.frames_folder(self.root) / f"{sample.frame:05d}.png")

    @cached_property
    def samples(self) -> Mapping[str, JHMDBSample]:
        """The list of samples by image id; empty where the file is not there."""
        samples = read_samples(self.root) if (self.root / SAMPLES_FILE).is_file() else []
        return {sample.image_id: sample for sample in samples}
