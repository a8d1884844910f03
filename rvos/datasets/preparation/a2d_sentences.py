"""A2D-Sentences: the lists of samples, and the ground truth of the test split in COCO form."""

from rvos.datasets.a2d_files import (
    A2D_SPLITS,
    INSTANCES_FOLDER,
    TEXT_FOLDER,
    instance_path,
    missed_videos_path,
    queries_path,
    read_instances,
    videos_path,
)
from rvos.datasets.a2d_samples import read_sample_list, samples_path, scan_samples
from rvos.datasets.errors import MalformedAnnotationError
from rvos.datasets.files import JSONObject
from rvos.datasets.preparation.coco_ground_truth import mask_record, write_ground_truth
from rvos.datasets.preparation.outputs import PreparedFolder, fingerprint

GROUND_TRUTH = "a2d_sentences_test_annotations_in_coco_format.json"


def prepare_a2d_sentences(folder: PreparedFolder, progress: bool = False) -> None:
    """Write the sample lists that are missing, then the ground truth of the test split.

    A published list that is already there is used and kept.

    Args:
        folder: Root of the benchmark.
        progress: Show a bar with the time left.

    Raises:
        DatasetError: If a file is missing or damaged.
        PreparationError: If another file is where an output goes.
    """
    root = folder.root
    for split in A2D_SPLITS:
        _provide_list(folder, split)
    list_path = samples_path(root, "test")
    samples = read_sample_list(list_path)
    paths = [instance_path(root, sample.video_id, sample.frame) for sample in samples]
    image_ids = [sample.image_id for sample in samples]
    if len(set(image_ids)) != len(image_ids):
        raise MalformedAnnotationError(list_path, "it lists a sample twice")

    def describe(index: int) -> JSONObject:
        instances = read_instances(paths[index])
        wanted = samples[index].instance_id
        if wanted not in instances.instance_ids:
            reason = f"no instance {wanted}, which {list_path.name} lists"
            raise MalformedAnnotationError(paths[index], reason)
        position = instances.instance_ids.index(wanted)
        left, top, right, bottom = instances.boxes_xyxy[position].tolist()
        box = [left, top, right - left, bottom - top]
        return mask_record(instances.masks[position]) | {"bbox": box}

    inputs = fingerprint(paths, image_ids)
    write_ground_truth(folder, root / GROUND_TRUTH, image_ids, describe, inputs, progress)


def _provide_list(folder: PreparedFolder, split: str) -> None:
    """Write the list of a split's samples, unless it is there."""
    root, path = folder.root, samples_path(folder.root, split)
    inputs = fingerprint(
        [
            videos_path(root),
            queries_path(root),
            missed_videos_path(root),
            root / TEXT_FOLDER / INSTANCES_FOLDER,
        ]
    )
    if folder.is_current(path, inputs):
        return
    if path.is_file() and not folder.is_ours(path):
        folder.note(path, "kept")
        return
    samples = scan_samples(root, split)
    rows = [[s.query, s.video_id, s.frame, s.instance_id] for s in samples]
    folder.write(path, rows, inputs)
