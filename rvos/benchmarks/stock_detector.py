"""transformers' own GroundingDINO: what a pipeline pays for detection before it segments."""

from jaxtyping import Float
from torch import Tensor, nn
from transformers import GroundingDinoConfig, GroundingDinoForObjectDetection

from rvos.benchmarks.stage_timer import Stages
from rvos.structures import TextTokens


class StockDetector(nn.Module):
    """The same architecture with random weights, as transformers runs it.

    Args:
        config: Architecture of a grounder.
        num_queries: No more than the encoder has tokens.

    >>> from rvos.models.grounding_dino.architectures import architecture
    >>> detector = StockDetector(architecture("tiny"), num_queries=8)
    >>> detector.detector.config.backbone_config.out_indices
    [2, 3, 4]
    """

    def __init__(self, config: GroundingDinoConfig, num_queries: int) -> None:
        super().__init__()
        arguments = config.to_dict()
        # The stride-4 feature is for masks; the stock model projects what its backbone returns.
        arguments["backbone_config"] = {
            **config.backbone_config.to_dict(),
            "out_indices": [2, 3, 4],
        }
        arguments["backbone_config"].pop("out_features", None)
        arguments["num_queries"] = num_queries
        self.detector = GroundingDinoForObjectDetection(GroundingDinoConfig(**arguments))
        self.eval()

    def forward(
        self, frames: Float[Tensor, "n 3 h w"], tokens: TextTokens
    ) -> Float[Tensor, "n q 4"]:
        """Detect one expression in N frames.

        Args:
            frames: ``[N, 3, H, W]``.
            tokens: One expression ``[1, L]``; every frame gets it, as every picture of a batch
                needs its own text.

        Returns:
            Boxes ``[N, Q, 4]``.
        """
        num_frames = len(frames)
        output = self.detector(
            pixel_values=frames,
            input_ids=tokens.input_ids.expand(num_frames, -1),
            attention_mask=tokens.attention_mask.expand(num_frames, -1),
        )
        boxes: Tensor = output.pred_boxes
        return boxes

    def stages(self) -> Stages:
        """List the stages under the titles that they have in rvos."""
        model = self.detector.model
        return {
            "backbone": model.backbone.conv_encoder.model,
            "projections": list(model.input_proj_vision),
            "text encoder": [model.text_backbone, model.text_projection],
            "fusion encoder": model.encoder,
            "proposals": [
                model.enc_output,
                model.enc_output_norm,
                model.encoder_output_class_embed,
                model.encoder_output_bbox_embed,
            ],
            "query decoder": model.decoder,
        }
