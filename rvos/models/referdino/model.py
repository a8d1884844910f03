"""ReferDINO (Liang et al., ICCV 2025, arXiv 2501.14607)."""

import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import create_repo, upload_folder
from jaxtyping import Bool, Float
from torch import Tensor, nn

from rvos.checkpoints.adapters import merge_adapters_in_state
from rvos.checkpoints.files import write_folder
from rvos.layers.described import describe
from rvos.models.grounding_dino import ExpressionTokenizer, Grounder
from rvos.models.grounding_dino.fast_modules import use_fast_modules
from rvos.models.grounding_dino.pretrained import load_grounder
from rvos.models.grounding_dino.proposals import text_similarity
from rvos.models.referdino.default_parts import default_parts
from rvos.models.referdino.initialization import initialise_from_scratch
from rvos.models.referdino.pixel_decoder import FPNPixelDecoder
from rvos.models.referdino.temporal_enhancer import ObjectConsistentTemporalEnhancer, Tracks
from rvos.models.referdino.training_stages import TrainingStages, with_all_masks
from rvos.structures import (
    AuxiliarySegmentationOutput,
    ImageFeatures,
    SegmentationOutput,
    TextTokens,
    TrainingOutput,
)


class ReferDINO(TrainingStages):
    """Ground, track, enhance, segment.

    Args:
        grounder: GroundingDINO with query pruning.
        temporal_enhancer: Tracker and temporal decoder; None keeps frames apart.
        pixel_decoder: Makes the shared feature map at stride 4.
        mask_head: Turns queries into masks on it.
        enhance_single_frames: Whether clips of one frame pass the temporal enhancer. True is the
            released inference, False the released training on images.
        frames_per_chunk: Frames that the per-frame stages see at a time in :meth:`forward`.
        input_short_side: Height or width, the smaller, the weights were trained for, in pixels.
        from_scratch: Start with scales that train without pre-trained weights.
    """

    def __init__(
        self,
        grounder: Grounder,
        temporal_enhancer: ObjectConsistentTemporalEnhancer | None,
        pixel_decoder: FPNPixelDecoder,
        mask_head: nn.Module,
        enhance_single_frames: bool = True,
        frames_per_chunk: int = 36,
        input_short_side: int = 360,
        from_scratch: bool = False,
    ) -> None:
        super().__init__()
        self.grounder = grounder
        self.temporal_enhancer = temporal_enhancer
        self.pixel_decoder = pixel_decoder
        self.mask_head = mask_head
        self.enhance_single_frames = enhance_single_frames
        self.frames_per_chunk = frames_per_chunk
        self.input_short_side = input_short_side
        self.tokenizer = ExpressionTokenizer(max_tokens=grounder.config.max_text_len)
        use_fast_modules(self)
        if from_scratch:
            initialise_from_scratch(grounder, temporal_enhancer, mask_head)

    @classmethod
    def from_grounding_dino(
        cls, source: str | Path, query_pruner: nn.Module | None = None, **overrides: Any
    ) -> "ReferDINO":
        """Start from pre-trained GroundingDINO weights; everything after it is newly initialised.

        Args:
            source: IDEA's ``.pth`` file, a transformers folder, or a hub id.
            query_pruner: As of :class:`Grounder`.
            overrides: Constructor arguments other than the published ones.

        Raises:
            CheckpointError: The source is missing, broken, or is no GroundingDINO.
        """
        pretrained = load_grounder(source, query_pruner)
        grounder = pretrained.grounder
        model = cls(grounder, **{**default_parts(grounder), **overrides})
        if pretrained.tokenizer_folder is not None:
            model.tokenizer = ExpressionTokenizer(
                pretrained.tokenizer_folder, model.tokenizer.max_tokens
            )
        return model

    def forward(
        self,
        frames: Float[Tensor, "b t 3 h w"],
        text: list[str] | TextTokens,
        valid_pixels: Bool[Tensor, "b t h w"] | None = None,
    ) -> SegmentationOutput:
        """Segment what each expression means; only the last decoder layer is computed to the end.

        Args:
            frames: ImageNet-normalised clips ``[B, T, 3, H, W]``, zero on padding.
            text: B expressions, or their tokens.
            valid_pixels: ``[B, T, H, W]``, True = image, False = padding; None = all image.
        """
        tokens = self.tokenize(text)
        image = self.encode_frames(frames, valid_pixels)
        return self._segment_clips(image, tokens, frames.shape[1], _size(frames))

    def segment_features(
        self, image: list[ImageFeatures], tokens: TextTokens, frame_size: tuple[int, int]
    ) -> SegmentationOutput:
        """Segment encoded frames, so that several expressions can share them.

        Args:
            image: Chunks from :meth:`encode_frames`.
            tokens: B tokenised expressions.
            frame_size: (height, width) of the frames.
        """
        num_frames = sum(len(chunk.tokens) for chunk in image) // len(tokens.input_ids)
        return self._segment_clips(image, tokens, num_frames, frame_size)

    def forward_with_auxiliary(
        self,
        frames: Float[Tensor, "b t 3 h w"],
        text: list[str] | TextTokens,
        valid_pixels: Bool[Tensor, "b t h w"] | None = None,
    ) -> AuxiliarySegmentationOutput:
        """Segment, and return what every decoder layer and the encoder proposals would say.

        Args:
            frames: ImageNet-normalised clips ``[B, T, 3, H, W]``, zero on padding.
            text: B expressions, or their tokens.
            valid_pixels: ``[B, T, H, W]``, True = image, False = padding; None = all image.
        """
        return with_all_masks(self.forward_for_training(frames, text, valid_pixels))

    def forward_for_training(
        self,
        frames: Float[Tensor, "b t 3 h w"],
        text: list[str] | TextTokens,
        valid_pixels: Bool[Tensor, "b t h w"] | None = None,
    ) -> TrainingOutput:
        """Predict what :meth:`forward_with_auxiliary` does, but leave masks to be asked for.

        Args:
            frames: ImageNet-normalised clips ``[B, T, 3, H, W]``, zero on padding.
            text: B expressions, or their tokens.
            valid_pixels: ``[B, T, H, W]``, True = image, False = padding; None = all image.
        """
        expressions = self.grounder.text_encoder(self.tokenize(text))
        image = self._encode(frames.flatten(0, 1), _flat_valid(frames, valid_pixels))
        num_frames = frames.shape[1]
        per_frame = expressions.repeat_frames(num_frames)
        return self._training_output(image, per_frame, num_frames, _size(frames))

    def tokenize(self, text: list[str] | TextTokens) -> TextTokens:
        """Tokenise expressions on the model's device; tokens pass through.

        Args:
            text: B expressions, or their tokens.
        """
        tokens = text if isinstance(text, TextTokens) else self.tokenizer(text)
        device = self.grounder.query_embeddings.weight.device
        return TextTokens(tokens.input_ids.to(device), tokens.attention_mask.to(device))

    def encode_frames(
        self,
        frames: Float[Tensor, "b t 3 h w"],
        valid_pixels: Bool[Tensor, "b t h w"] | None = None,
    ) -> list[ImageFeatures]:
        """Run the image part, which no expression changes, in chunks of ``frames_per_chunk``.

        Args:
            frames: ImageNet-normalised clips ``[B, T, 3, H, W]``.
            valid_pixels: ``[B, T, H, W]``, True = image; None = all image.
        """
        flat, valid = frames.flatten(0, 1), _flat_valid(frames, valid_pixels)
        # Without a split, whose number of parts torch.export would take for fixed.
        if flat.shape[0] <= self.frames_per_chunk:
            return [self._encode(flat, valid)]
        chunks = zip(
            flat.split(self.frames_per_chunk), valid.split(self.frames_per_chunk), strict=True
        )
        return [self._encode(*chunk) for chunk in chunks]

    def save_pretrained(self, folder: str | Path, dtype: torch.dtype | None = None) -> None:
        """Write weights (adapters merged), configuration and tokenizer into a folder.

        Args:
            folder: Created if missing; ``rvos.load_model`` reads it.
            dtype: Store floating-point tensors in this type; None = as they are.
        """
        state_dict = merge_adapters_in_state(self.state_dict())
        write_folder(Path(folder), {"model": describe(self)}, state_dict, dtype)
        if self.tokenizer.available:
            self.tokenizer.save(folder)

    def push_to_hub(self, repository: str, **kwargs: Any) -> str:
        """Upload what :meth:`save_pretrained` writes.

        Args:
            repository: Hub id, ``user/name``.
            kwargs: Passed to ``huggingface_hub``'s ``upload_folder``.

        Returns:
            Address of the commit.
        """
        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            create_repo(repository, exist_ok=True)
            return str(upload_folder(repo_id=repository, folder_path=folder, **kwargs))

    def _encode(self, frames: Tensor, valid_pixels: Tensor) -> ImageFeatures:
        features: ImageFeatures = self.grounder.image_encoder(frames, valid_pixels)
        return features

    def _segment_clips(
        self,
        image: list[ImageFeatures],
        tokens: TextTokens,
        num_frames: int,
        frame_size: tuple[int, int],
    ) -> SegmentationOutput:
        expressions = self.grounder.text_encoder(tokens)
        # Sizes of shapes, not len(): torch.export keeps the batch open in these.
        sizes = [chunk.tokens.shape[0] for chunk in image]
        per_frame = expressions.repeat_frames(num_frames)
        starts = [sum(sizes[:i]) for i in range(len(sizes))]
        grounded = [
            self.grounder(chunk, per_frame.select(start, start + size))
            for chunk, start, size in zip(image, starts, sizes, strict=True)
        ]
        queries = _concatenate([ground.layers[-1] for ground in grounded])
        text = _concatenate([ground.fused.text for ground in grounded])
        tracks = self._enhance(queries, text, per_frame, num_frames)
        masks = [
            self._segment(
                _rows(tracks, start, start + size),
                self._mask_features(ground.fused.memory, chunk),
                ground.fused.text,
                frame_size,
            )
            for ground, chunk, start, size in zip(grounded, image, starts, sizes, strict=True)
        ]
        logits = text_similarity(tracks.features.flatten(0, 1), text)
        return self._output(tracks, logits, torch.cat(masks))


def _size(frames: Tensor) -> tuple[int, int]:
    return frames.shape[-2], frames.shape[-1]


def _flat_valid(frames: Tensor, valid_pixels: Tensor | None) -> Tensor:
    if valid_pixels is None:
        return frames.new_ones(frames[:, :, 0].shape, dtype=torch.bool).flatten(0, 1)
    return valid_pixels.flatten(0, 1)


def _rows(tracks: Tracks, start: int, stop: int) -> Tracks:
    """Cut frames out of tracks; the result has one clip axis of length 1."""
    return Tracks(
        tracks.features.flatten(0, 1)[start:stop].unsqueeze(0),
        tracks.reference_boxes_cxcywh.flatten(0, 1)[start:stop].unsqueeze(0),
    )


def _concatenate(parts: list[Any]) -> Any:
    """Join dataclasses of tensors along their first axis."""
    if len(parts) == 1:
        return parts[0]
    names = [field.name for field in fields(parts[0])]
    return type(parts[0])(*(torch.cat([getattr(part, name) for part in parts]) for name in names))
