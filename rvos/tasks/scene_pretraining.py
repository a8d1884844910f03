"""Text encoder and temporal decoder learn the language of places and actions, without images."""

import copy

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from lightning.pytorch.cli import LRSchedulerCallable, OptimizerCallable
from torch import Tensor, nn
from torchmetrics import MeanMetric

from rvos.datasets.scene_batch import SceneBatch, Scenes
from rvos.losses.normaliser import mean_over_ranks
from rvos.losses.phrases import OPEN_LABEL
from rvos.models.referdino import (
    CrossModalTemporalDecoder,
    ObjectConsistentTemporalEnhancer,
    ReferDINO,
)
from rvos.models.referdino.temporal_enhancer import mean_token
from rvos.structures import ReferenceText
from rvos.structures.errors import RvosError
from rvos.tasks.initial_weights import load_initial_weights
from rvos.tasks.optimized_task import OptimizedTask, published_optimizer
from rvos.tasks.scene_noise import blurred_boxes, tracked_boxes
from rvos.tasks.scene_readers import SceneReader, TrackReader
from rvos.tasks.shared_tokens import shared_tokens
from rvos.tasks.tokenizers import MOVING_SHAPES_TOKENIZER, open_tokenizer

_QUERY_NOISE = 0.3


class SceneModelError(RvosError):
    """The model cannot be pre-trained on scenes."""


class ScenePretrainingTask(OptimizedTask):
    """Train text encoder and temporal decoder on boxes, looks and phrases; no image is read.

    Not part of the published method, whose BERT has read books and whose clips are many. Which
    words make a phrase about a place or an action, and what a track has to do for it, is learned
    here in minutes, from hundreds of times as many examples as with images.

    Args:
        model: The model; its temporal decoder must know time and place to learn directions.
        initial_weights: Where training starts from.
        keep_weight: Weight of the distance between the features of words of looks, alone or in
            phrases about actions, and those of the initial weights, relative to their size; so that
            an image part that was trained with them goes on understanding them. 0 for an untrained
            one.
        keep_places: Whether phrases about places keep their features, too.
        noise: Standard deviation of the noise on boxes, in widths and heights of the frame.
        lost_share: Share of a track's frames, in [0, 1], in which it holds another object, as the
            tracks of a tracker do; they also do where their own is not visible.
        tokenizer: ``moving_shapes`` for the package's own, or a folder or hub id.
        optimizer: Builds the optimizer of everything trainable.
        lr_scheduler: Builds the schedule; rvos's own advance per step, torch's per epoch.
        reference_batch_size: Batch size that the learning rate is meant for; None = as it is.

    Raises:
        SceneModelError: The model has no temporal decoder.
    """

    def __init__(
        self,
        model: ReferDINO,
        initial_weights: str | None = None,
        keep_weight: float = 20.0,
        keep_places: bool = False,
        noise: float = 0.01,
        lost_share: float = 0.0,
        tokenizer: str = MOVING_SHAPES_TOKENIZER,
        optimizer: OptimizerCallable = published_optimizer,
        lr_scheduler: LRSchedulerCallable | None = None,
        reference_batch_size: int | None = None,
    ) -> None:
        super().__init__(optimizer, lr_scheduler, reference_batch_size)
        _find_temporal_parts(model)
        self.model = model
        self.reader = SceneReader(model.grounder.hidden_dim)
        self.track_reader = TrackReader(model.grounder.hidden_dim)
        # What a query would hold that knows nothing of its object but the box.
        self.blank_query = nn.Parameter(0.5 * torch.randn(model.grounder.hidden_dim))
        self.keep_weight = keep_weight
        self.keep_places = keep_places
        self.noise = noise
        self.lost_share = lost_share
        self.place_accuracy, self.action_accuracy = MeanMetric(), MeanMetric()
        self.track_accuracy = MeanMetric()
        model.tokenizer = open_tokenizer(tokenizer, model.tokenizer.max_tokens)
        for name, parameter in model.named_parameters():
            trains = name.startswith(("grounder.text_encoder.", "temporal_enhancer."))
            parameter.requires_grad_(trains)
        if initial_weights is not None:
            load_initial_weights(model, initial_weights)
        self.initial_text_encoder = copy.deepcopy(model.grounder.text_encoder)
        self.initial_text_encoder.requires_grad_(False)

    def on_train_epoch_start(self) -> None:
        """Keep the frozen copy deterministic."""
        self.initial_text_encoder.eval()

    def training_step(self, batch: SceneBatch, batch_idx: int) -> Float[Tensor, ""]:
        """Compute the loss of a batch.

        Args:
            batch: Frames and clips of some videos.
            batch_idx: Position of the batch in the epoch.

        Returns:
            The weighted total ``[]``.
        """
        del batch_idx
        places, actions = self._read(batch.frames.phrases), self._read(batch.clips.phrases)
        terms = {
            "loss_place": truth_loss(self.place_scores(batch.frames, places), batch.frames.labels),
            **self.clip_losses(batch.clips, actions),
        }
        total = torch.stack(list(terms.values())).sum()
        if self.keep_weight:
            kept = self.keep_losses(batch, places, actions)
            total = total + self.keep_weight * torch.stack(list(kept.values())).sum()
            terms |= kept
        self.report_loss(total, terms, batch.sample_ids)
        return total

    def validation_step(self, batch: SceneBatch, batch_idx: int) -> None:
        """Measure how often the best object for a phrase is one that it is true of.

        Args:
            batch: Frames and clips of some videos.
            batch_idx: Position of the batch.
        """
        del batch_idx
        places = self.place_scores(batch.frames, self._read(batch.frames.phrases))
        words = self._read(batch.clips.phrases)
        tracks = self.track_scores(batch.clips, words)
        actions = self.action_scores(batch.clips, words)
        self.place_accuracy.update(best_object_hits(places, batch.frames.labels))
        self.track_accuracy.update(best_object_hits(tracks, batch.clips.labels))
        # A phrase is as true as its truest word, a track as in the mean over its frames.
        best_words = actions.amax(-1).mean(1)
        self.action_accuracy.update(best_object_hits(best_words, batch.clips.labels))

    def on_validation_epoch_end(self) -> None:
        """Log the accuracies and their mean."""
        place, action = self.place_accuracy.compute(), self.action_accuracy.compute()
        self.log("val/place_accuracy", place)
        self.log("val/track_accuracy", self.track_accuracy.compute())
        self.log("val/action_accuracy", action)
        self.log("val/accuracy", (place + action) / 2, prog_bar=True)
        self.place_accuracy.reset()
        self.track_accuracy.reset()
        self.action_accuracy.reset()

    def place_scores(self, frames: Scenes, words: ReferenceText) -> Float[Tensor, "p n"]:
        """Score every object of a frame for the phrase.

        Args:
            frames: Scenes of one frame.
            words: Features of their phrases.

        Returns:
            Logits ``[P, N]``.
        """
        boxes = frames.boxes_cxcywh[:, :, 0]
        if self.training:
            boxes = blurred_boxes(boxes, self.noise)
        logits: Tensor = self.reader(boxes, frames.looks, frames.valid_objects, words)
        return logits

    def clip_losses(self, clips: Scenes, words: ReferenceText) -> dict[str, Float[Tensor, ""]]:
        """Compute what both readers of clips miss.

        Args:
            clips: Scenes of T frames.
            words: Features of their phrases.

        Returns:
            ``loss_track`` of the track reader and ``loss_action`` of the temporal decoder.
        """
        actions = self.action_scores(clips, words)
        labels = clips.labels[:, None, :, None].expand_as(actions)
        return {
            "loss_track": truth_loss(self.track_scores(clips, words), clips.labels),
            "loss_action": truth_loss(actions, labels.masked_fill(actions.isinf(), OPEN_LABEL)),
        }

    def keep_losses(
        self, batch: SceneBatch, places: ReferenceText, actions: ReferenceText
    ) -> dict[str, Float[Tensor, ""]]:
        """Measure how far words of looks have moved from the initial weights' features.

        Args:
            batch: Frames and clips of some videos.
            places: Features of the frames' phrases.
            actions: Features of the clips' phrases.

        Returns:
            ``loss_keep`` of phrases about looks (and places, if they are kept), ``loss_actor`` of
            what phrases about actions say of looks, which should read as if it stood alone.
        """
        kept = [(batch.looks, self._read(batch.looks))]
        if self.keep_places:
            kept.append((batch.frames.phrases, places))
        tokens = self.model.tokenize(batch.clips.phrases)
        where, what = shared_tokens(tokens, self.model.tokenize(batch.actors))
        return {
            "loss_keep": relative_distance(
                torch.cat([words.features[words.valid] for _, words in kept]),
                torch.cat([self._initial_features(text)[words.valid] for text, words in kept]),
            ),
            "loss_actor": relative_distance(
                actions.features[where], self._initial_features(batch.actors)[what]
            ),
        }

    def track_scores(self, clips: Scenes, words: ReferenceText) -> Float[Tensor, "p n"]:
        """Score the paths of a clip's objects for the phrase.

        Args:
            clips: Scenes of T frames.
            words: Features of their phrases.

        Returns:
            Logits ``[P, N]``.
        """
        boxes = self._tracks(clips)
        logits: Tensor = self.track_reader(boxes, mean_token(words))
        return logits

    def action_scores(self, clips: Scenes, words: ReferenceText) -> Float[Tensor, "p t n l"]:
        """Let the temporal decoder judge tracks of which only the boxes are known.

        Args:
            clips: Scenes of T frames.
            words: Features of their phrases.

        Returns:
            Logits ``[P, T, N, L]`` of every word; minus infinity on padding.
        """
        enhancer, temporal_decoder = _find_temporal_parts(self.model)
        boxes = self._tracks(clips).transpose(1, 2)
        sentences = enhancer.sentence_features(words)[:, None].expand(-1, boxes.shape[1], -1)
        tracks = self.blank_query.expand(*boxes.shape[:3], -1)
        if self.training:
            tracks = tracks + _QUERY_NOISE * torch.randn_like(tracks)
        enhanced = temporal_decoder(tracks, sentences, boxes)
        logits = torch.einsum("ptnc,plc->ptnl", enhanced, words.features)
        return logits.masked_fill(~words.valid[:, None, None], float("-inf"))

    def _read(self, phrases: list[str]) -> ReferenceText:
        tokens = self.model.tokenize(phrases)
        words: ReferenceText = self.model.grounder.text_encoder(tokens).unfused
        return words

    def _tracks(self, clips: Scenes) -> Tensor:
        """Boxes of the clip's objects; in training as a tracker would have them."""
        if not self.training:
            return clips.boxes_cxcywh
        return blurred_boxes(tracked_boxes(clips, self.lost_share), self.noise)

    @torch.no_grad()
    def _initial_features(self, phrases: list[str]) -> Tensor:
        features: Tensor = self.initial_text_encoder(self.model.tokenize(phrases)).features
        return features


def _find_temporal_parts(
    model: ReferDINO,
) -> tuple[ObjectConsistentTemporalEnhancer, CrossModalTemporalDecoder]:
    enhancer = model.temporal_enhancer
    if enhancer is None or enhancer.temporal_decoder is None:
        message = (
            "pre-training on scenes trains the temporal decoder, and this model has none; "
            "give it a temporal_enhancer with a temporal_decoder"
        )
        raise SceneModelError(message)
    return enhancer, enhancer.temporal_decoder


def relative_distance(
    features: Float[Tensor, "n c"], initial: Float[Tensor, "n c"]
) -> Float[Tensor, ""]:
    """Mean squared distance, relative to the mean square of where it is measured from.

    Over all ranks together, if there are several.

    Args:
        features: ``[N, C]``.
        initial: Where they were ``[N, C]``.

    Example:
        >>> relative_distance(torch.full((1, 2), 3.0), torch.full((1, 2), 2.0)).item()
        0.25
    """
    size = mean_over_ranks(initial.float().square().sum()[None], minimum=1e-12)[0]
    return (features.float() - initial.float()).square().sum() / size


def truth_loss(logits: Float[Tensor, "*s"], labels: Int[Tensor, "*s"]) -> Float[Tensor, ""]:
    """Mean binary cross entropy where the truth is known, over all ranks together.

    Args:
        logits: ``[*S]``; anything where the label is open.
        labels: ``[*S]``: 1 true, 0 false, -100 open.

    Returns:
        The loss; 0 where nothing is known.

    Example:
        >>> truth_loss(torch.tensor([40.0, 0.0]), torch.tensor([1, -100])).item()
        0.0
    """
    known = labels != OPEN_LABEL
    loss = F.binary_cross_entropy_with_logits(
        logits[known].float(), labels[known].float(), reduction="sum"
    )
    return loss / mean_over_ranks(known.sum()[None])[0]


def best_object_hits(
    logits: Float[Tensor, "p n"], labels: Int[Tensor, "p n"]
) -> Float[Tensor, " h"]:
    """Tell for every phrase whether the best object for it is a true one.

    Args:
        logits: ``[P, N]``.
        labels: ``[P, N]``: 1 true, 0 false, -100 open.

    Returns:
        1 or 0 ``[H]`` per phrase that is true of one object and false of another.

    Example:
        >>> best_object_hits(torch.tensor([[0.0, 2.0]]), torch.tensor([[1, 0]])).tolist()
        [0.0]
    """
    known = logits.masked_fill(labels == OPEN_LABEL, float("-inf"))
    hits = labels.gather(1, known.argmax(1, keepdim=True)).squeeze(1) == 1
    telling = (labels == 1).any(1) & (labels == 0).any(1)
    return hits[telling].float()
