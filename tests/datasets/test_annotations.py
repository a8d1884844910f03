"""What samples are scored with: the annotation, whatever transforms do to the clip."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from rvos.cli import main
from rvos.datamodules import MeViSDataModule
from rvos.datasets.a2d_sentences import A2DSentencesDataset
from rvos.datasets.clip_dataset import ClipDataset
from rvos.datasets.collate import collate_clips
from rvos.datasets.jhmdb_sentences import JHMDBSentencesDataset
from rvos.datasets.mixture import MixtureDataset
from rvos.datasets.refcoco import RefCOCODataset
from rvos.ops.coco_segmentation import segmentation_to_rle
from rvos.ops.rle import decode_mask
from rvos.structures import Annotation
from rvos.transforms.presets import evaluation_transform, training_transform


def annotation_of(dataset: ClipDataset, index: int) -> Annotation:
    annotation = dataset[index].annotation
    assert annotation is not None
    return annotation


@pytest.mark.parametrize("benchmark", ["a2d_sentences", "jhmdb_sentences"])
def test_names_and_masks_are_those_of_the_ground_truth(
    benchmark: str, request: pytest.FixtureRequest
) -> None:
    root: Path = request.getfixturevalue(f"{benchmark}_root")
    assert main(["data", "prepare", benchmark, str(root)]) == 0
    names = {
        "a2d_sentences": "a2d_sentences_test_annotations_in_coco_format.json",
        "jhmdb_sentences": "jhmdb_sentences_gt_annotations_in_coco_format.json",
    }
    entries = json.loads((root / names[benchmark]).read_text())["annotations"]
    truth = {entry["image_id"]: entry["segmentation"] for entry in entries}
    transform = evaluation_transform(24)
    dataset = (
        A2DSentencesDataset(root, "test", transform=transform)
        if benchmark == "a2d_sentences"
        else JHMDBSentencesDataset(root, transform=transform)
    )
    assert dataset[0].annotation is None
    dataset.keep_annotations()
    found = [annotation_of(dataset, index) for index in range(len(dataset))]
    assert {annotation.name for annotation in found} == set(truth)
    for annotation in found:
        size = annotation.masks.shape[1:]
        expected = decode_mask(segmentation_to_rle(truth[annotation.name], *size))
        np.testing.assert_array_equal(annotation.masks[0].numpy(), expected)
        assert annotation.box_xyxy is None


def test_boxes_of_images_are_as_annotated(refcoco_root: Path) -> None:
    dataset = RefCOCODataset(refcoco_root, "refcoco", "val", transform=training_transform("image"))
    mixture = MixtureDataset({"refcoco": dataset})
    mixture.keep_annotations()
    path = refcoco_root / "refcoco" / "instances_refcoco_val.json"
    boxes = {
        entry["image_id"]: entry["bbox"] for entry in json.loads(path.read_text())["annotations"]
    }
    for index in range(len(mixture)):
        annotation, sample = annotation_of(mixture, index), mixture[index]
        assert annotation.name == sample.sample_id
        assert annotation.masks.shape == (1, *sample.original_size)
        x, y, width, height = boxes[int(annotation.name.rpartition("/")[2])]
        assert annotation.box_xyxy == (x, y, x + width, y + height)


def test_only_what_is_scored_hands_annotations_along(mevis_root: Path) -> None:
    data = MeViSDataModule(mevis_root, num_workers=0, short_side=24, num_frames=2)
    data.setup("fit")
    assert next(iter(data.train_dataloader())).annotations is None
    loader = data.val_dataloader()
    assert not isinstance(loader, list)
    batch = next(iter(loader))
    (annotation,), (targets,) = batch.annotations, batch.targets
    assert annotation.masks.shape[1:] == batch.original_sizes[0] != batch.clip_sizes[0]
    assert annotation.has_target
    assert torch.equal(annotation.masks.flatten(1).any(1), targets.masks.any(0).flatten(1).any(1))
    sample = data.dataset_of("validate")[0]
    assert collate_clips([sample]).annotations == [sample.annotation]
