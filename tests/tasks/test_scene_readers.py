import torch

from rvos.datasets.scene_batch import LOOK_FEATURES
from rvos.structures import ReferenceText
from rvos.tasks.scene_readers import SceneReader, TrackReader


def test_reader_does_not_depend_on_the_order_of_objects() -> None:
    reader = SceneReader(16).eval()
    words = ReferenceText(torch.randn(1, 4, 16), torch.tensor([[True, True, True, False]]))
    boxes, looks = torch.rand(1, 3, 4), torch.rand(1, 3, LOOK_FEATURES)
    order = torch.tensor([2, 0, 1])
    everything = torch.ones(1, 3, dtype=torch.bool)
    torch.testing.assert_close(
        reader(boxes[:, order], looks[:, order], everything, words),
        reader(boxes, looks, everything, words)[:, order],
    )


def test_paths_of_any_length_are_read() -> None:
    reader = TrackReader(16)
    sentences = torch.randn(2, 16)
    still = torch.full((2, 3, 1, 4), 0.5)
    expected = reader(still, sentences)
    for num_frames in (2, 8, 11):
        torch.testing.assert_close(
            reader(still.expand(-1, -1, num_frames, -1), sentences), expected
        )
