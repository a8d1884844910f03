"""MovingShapes: a small world with exact masks and expressions that are true of it."""

from rvos.datasets.moving_shapes.attribute_frames import AttributeFrame, AttributeFrameDataset
from rvos.datasets.moving_shapes.baselines import largest_object, shuffled_partners, stride_oracle
from rvos.datasets.moving_shapes.errors import MovingShapesError
from rvos.datasets.moving_shapes.preset import HELD_OUT, PRESETS, TRANSFER, MovingShapesPreset
from rvos.datasets.moving_shapes.tokenizer import train_tokenizer, write_tokenizer
from rvos.datasets.moving_shapes.video import MovingShapesVideo, make_video
from rvos.datasets.moving_shapes.writer import write_moving_shapes

__all__ = [
    "HELD_OUT",
    "PRESETS",
    "TRANSFER",
    "AttributeFrame",
    "AttributeFrameDataset",
    "MovingShapesError",
    "MovingShapesPreset",
    "MovingShapesVideo",
    "largest_object",
    "make_video",
    "shuffled_partners",
    "stride_oracle",
    "train_tokenizer",
    "write_moving_shapes",
    "write_tokenizer",
]
