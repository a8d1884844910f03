import json
from pathlib import Path

from rvos.cli import main
from rvos.datasets.a2d_sentences import A2DSentencesDataset
from rvos.datasets.jhmdb_sentences import JHMDBSentencesDataset
from rvos.evaluation.submissions import DetectionList, open_submissions


def test_image_ids_are_those_of_the_ground_truth(
    a2d_sentences_root: Path, jhmdb_sentences_root: Path, tmp_path: Path
) -> None:
    a2d = A2DSentencesDataset(a2d_sentences_root, "test")
    jhmdb = JHMDBSentencesDataset(jhmdb_sentences_root)
    for name, dataset in (("a2d_sentences", a2d), ("jhmdb_sentences", jhmdb)):
        assert main(["data", "prepare", name, str(dataset.root)]) == 0
        (truth,) = dataset.root.glob(f"{name}*_annotations_in_coco_format.json")
        (detections,) = open_submissions(dataset, tmp_path)
        assert isinstance(detections, DetectionList)
        found = {detections._image_id(sample) for sample in detections.samples.values()}
        assert found == {image["id"] for image in json.loads(truth.read_text())["images"]}
