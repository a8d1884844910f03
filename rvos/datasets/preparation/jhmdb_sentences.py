"""JHMDB-Sentences: the ground truth of the published samples in COCO form."""

from functools import lru_cache

from rvos.datasets.errors import MalformedAnnotationError
from rvos.datasets.files import JSONObject
from rvos.datasets.jhmdb_files import SAMPLES_FILE, read_puppet_masks, read_samples
from rvos.datasets.preparation.coco_ground_truth import mask_record, write_ground_truth
from rvos.datasets.preparation.outputs import PreparationError, PreparedFolder, fingerprint

GROUND_TRUTH = "jhmdb_sentences_gt_annotations_in_coco_format.json"


def prepare_jhmdb_sentences(folder: PreparedFolder, progress: bool = False) -> None:
    """Write the ground truth.

    Args:
        folder: Root of the benchmark.
        progress: Show a bar with the time left.

    Raises:
        DatasetError: If a file is missing or damaged.
        PreparationError: If the list of samples is missing, or another file is where the output
            goes.
    """
    root = folder.root
    if not (root / SAMPLES_FILE).is_file():
        message = (
            f"{root / SAMPLES_FILE} is missing: its frames were drawn at random, so take the file "
            "of MTTR's release, whose numbers others report; it cannot be made anew"
        )
        raise PreparationError(message)
    samples = read_samples(root)
    image_ids = [sample.image_id for sample in samples]
    if len(set(image_ids)) != len(image_ids):
        raise MalformedAnnotationError(root / SAMPLES_FILE, "it lists a sample twice")
    # The samples of a video follow each other.
    read_masks = lru_cache(maxsize=1)(read_puppet_masks)

    def describe(index: int) -> JSONObject:
        path = samples[index].masks_path(root)
        masks = read_masks(path)
        frame = samples[index].frame
        if not 1 <= frame <= len(masks):
            reason = f"{len(masks)} masks, but {SAMPLES_FILE} lists frame {frame}"
            raise MalformedAnnotationError(path, reason)
        return mask_record(masks[frame - 1])

    paths = [sample.masks_path(root) for sample in samples]
    inputs = fingerprint([*dict.fromkeys(paths)], image_ids)
    write_ground_truth(folder, root / GROUND_TRUTH, image_ids, describe, inputs, progress)
