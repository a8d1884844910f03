"""Records hold exact masks of all objects."""

import json
from dataclasses import asdict

import numpy as np

from rvos.datasets.moving_shapes.preset import HELD_OUT
from rvos.datasets.moving_shapes.records import describe, run_lengths
from rvos.datasets.moving_shapes.video import make_video
from rvos.ops.rle import RunLengthMask, decode_mask


def test_record_holds_every_object_and_expression() -> None:
    video = make_video(HELD_OUT, "train", 0, 0)
    rendered = video.render()
    record = describe(video, rendered, 7)
    assert record.index == 7
    assert record.frames[:2] == ["00000", "00001"]
    assert [item.exp for item in record.expressions] == [e.sentence for e in video.expressions]
    assert set(record.objects) == {str(item.object_id) for item in video.world.objects}
    for item in video.world.objects:
        known = record.objects[str(item.object_id)]
        assert known["colour"] == item.appearance.colour
        assert known["motion"] == item.motion
        for frame, rle in enumerate(record.masks[str(item.object_id)]):
            expected = rendered.instances[frame] == item.object_id
            if rle is None:
                assert not expected.any()
                continue
            mask = decode_mask(RunLengthMask(*rle["size"], str(rle["counts"]).encode()))  # type: ignore[arg-type]
            assert (mask == expected).all()


def test_records_are_plain_json() -> None:
    video = make_video(HELD_OUT, "train", 0, 1)
    plain = asdict(describe(video, video.render(), 0))
    assert json.loads(json.dumps(plain)) == plain


def test_empty_masks_are_null() -> None:
    assert run_lengths(np.zeros((3, 4), dtype=bool)) is None
    assert run_lengths(np.ones((3, 4), dtype=bool)) is not None
