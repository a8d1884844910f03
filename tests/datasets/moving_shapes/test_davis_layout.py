from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from rvos.datasets.davis_text import read_davis_text
from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.writer import write_moving_shapes


def test_objects_are_numbered_from_one_and_have_four_expressions(tmp_path: Path) -> None:
    preset = replace(HELD_OUT, num_frames=4)
    write_moving_shapes(
        tmp_path, layout="ref_davis17", split="valid", num_videos=2, preset=preset, progress=False
    )
    texts = read_davis_text(tmp_path / "davis_text_annotations")
    assert len(texts) == 2
    for video, versions in texts.items():
        assert len(versions) == 4
        ids = [item.object_id for item in versions[0]]
        assert ids == [str(number) for number in range(1, len(ids) + 1)]
        folder = tmp_path / "DAVIS" / "Annotations_unsupervised" / "480p" / video
        values = {
            int(v) for path in folder.iterdir() for v in np.unique(np.array(Image.open(path)))
        }
        assert values - {0} <= {int(number) for number in ids}
