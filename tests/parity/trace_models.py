"""Export or compile a model and print how far the result is from eager, as JSON.

A program of its own, because tracing cannot look through the shape checks of the test run:
`python tests/parity/trace_models.py {tiny,swin_tiny} {export,export_dynamic,compile}`.
"""

import json
import sys

import torch
from torch import Tensor, nn

import rvos
from rvos.layers.levers import levers_of, levers_off
from rvos.models.grounding_dino import Grounder
from rvos.models.grounding_dino.image_encoder import ImageEncoder
from rvos.models.referdino import MemoryAugmentedTracker, ReferDINO
from rvos.models.referdino.tracker import FollowedTracks
from rvos.structures import ReferenceText, TextTokens

Inputs = tuple[Tensor, ...]


class ImagePart(nn.Module):
    """The image encoder with plain tensors as outputs."""

    def __init__(self, encoder: ImageEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, frames: Tensor, valid_pixels: Tensor) -> dict[str, Tensor]:
        found = self.encoder(frames, valid_pixels)
        return {
            "stage0": found.stage0,
            "tokens": found.tokens,
            "token_positions": found.token_positions,
            "valid_ratios_xy": found.valid_ratios_xy,
        }


class WholeModel(nn.Module):
    """The whole model, tracker included, with plain tensors as inputs and outputs."""

    def __init__(self, model: ReferDINO, with_kept: bool) -> None:
        super().__init__()
        self.model = model
        self.with_kept = with_kept

    def forward(self, frames: Tensor, ids: Tensor, attention_mask: Tensor) -> dict[str, Tensor]:
        kept: list[Tensor] = []
        if self.with_kept:
            hook = self.model.grounder.register_forward_hook(
                lambda *call: kept.extend(layer.kept for layer in call[2].layers)
            )
        output = self.model(frames, TextTokens(ids, attention_mask))
        if self.with_kept:
            hook.remove()
        return {
            "pred_logits": output.pred_logits,
            "pred_boxes": output.pred_boxes,
            "pred_masks": output.pred_masks,
            **{f"kept{index}": each for index, each in enumerate(kept)},
        }


class OpaqueTracker(nn.Module):
    """The tracker as one operator: its assignment is solved on the host, untraced."""

    def __init__(self, tracker: MemoryAugmentedTracker) -> None:
        super().__init__()

        def solve(queries: Tensor, words: Tensor, valid: Tensor, boxes: Tensor) -> Tensor:
            order: Tensor = tracker(queries, ReferenceText(words, valid), boxes)
            return order

        def shape(queries: Tensor, words: Tensor, valid: Tensor, boxes: Tensor) -> Tensor:
            return queries.new_empty(queries.shape[:3], dtype=torch.int64)

        self.operator = torch.library.custom_op("rvos_parity::align", solve, mutates_args=())
        self.operator.register_fake(shape)

    def follow(
        self, queries: Tensor, text: ReferenceText, boxes: Tensor, memories: None
    ) -> FollowedTracks:
        del memories
        return FollowedTracks(self.operator(queries, text.features, text.valid, boxes), [])


def whole_tiny(with_kept: bool) -> tuple[nn.Module, Inputs, Inputs]:
    """The bundled model, a batch of two clips, and one of four."""
    model = rvos.load_model("tiny")
    tokens = model.tokenize(["the red square", "the big blue circle on the left"])
    two = (torch.randn(2, 3, 3, 64, 96), tokens.input_ids, tokens.attention_mask)
    return WholeModel(model, with_kept), two, tuple(torch.cat([each, each.flip(0)]) for each in two)


def swin_tiny_image_part() -> tuple[nn.Module, Inputs, Inputs]:
    """Swin-T with random weights, two frames, and four; the second one is padded."""
    part = ImagePart(Grounder("swin_tiny").image_encoder)
    valid = torch.ones(2, 100, 164, dtype=torch.bool)
    valid[1, 80:], valid[1, :, 132:] = False, False
    two = (torch.randn(2, 3, 100, 164), valid)
    return part, two, tuple(torch.cat([each, each.flip(0)]) for each in two)


def export(model: nn.Module, inputs: Inputs, dynamic: bool) -> nn.Module:
    """Export with a fixed or an open first axis."""
    tracker: nn.Module | None = None
    if isinstance(model, WholeModel):
        enhancer = model.model.temporal_enhancer
        assert enhancer is not None
        assert enhancer.tracker is not None
        tracker = enhancer.tracker
        enhancer.register_module("tracker", OpaqueTracker(enhancer.tracker))
    batch = torch.export.Dim("batch", min=2, max=8)
    shapes = tuple({0: batch} for _ in inputs) if dynamic else None
    program = torch.export.export(model, inputs, dynamic_shapes=shapes, strict=False)
    if tracker is not None:
        enhancer.register_module("tracker", tracker)
    return program.module()


def main(name: str, way: str) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    if name == "tiny":
        model, inputs, more = whole_tiny(with_kept=way != "compile")
    else:
        model, inputs, more = swin_tiny_image_part()
    model.eval().requires_grad_(False)
    runs = [inputs, more] if way == "export_dynamic" else [inputs]
    with torch.no_grad():
        # Traced programs call torch's own products, which round otherwise than oneDNN's.
        has_linear = "onednn_linear" in levers_of(model)
        with levers_off(model, ["onednn_linear"] if has_linear else []):
            expected = [model(*run) for run in runs]
        if way == "compile":
            traced = torch.compile(model)
        else:
            traced = export(model, inputs, dynamic=way == "export_dynamic")
        found = [traced(*run) for run in runs]
    worst = {
        key: max(
            float((ours[key].double() - theirs[key].double()).abs().max())
            for ours, theirs in zip(found, expected, strict=True)
        )
        for key in expected[0]
    }
    sys.stdout.write(f"{json.dumps(worst)}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
