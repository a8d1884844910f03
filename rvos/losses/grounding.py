"""The objective of grounding pre-training: boxes, masks, and which words fit which object."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from rvos.losses.criterion import CriterionOutput
from rvos.losses.duplicates import found_targets
from rvos.losses.geometry import geometry_losses
from rvos.losses.matched_masks import matched_masks
from rvos.losses.matcher import HungarianMatcher
from rvos.losses.normaliser import mean_over_ranks
from rvos.losses.phrases import OPEN_LABEL, summed_word_loss
from rvos.losses.predictions import SupervisedLayer, supervised_layers
from rvos.losses.targets import StackedTargets, stack_targets
from rvos.losses.weights import LossWeights
from rvos.ops.assignment import Assignment, NonFiniteCostError
from rvos.structures import AuxiliarySegmentationOutput, ClipTargets, TrainingOutput


@dataclass
class GroundingTargets:
    """The objects of B clips without padding, and which words of its prompt fit each.

    Attributes:
        objects: The objects of each clip; none is referred to.
        object_labels: B times ``[N, L]``: 1 where a word is true of an object, 0 where not, -100
            where that is open.
        token_labels: ``[B, T, S, L]``, the same for the encoder tokens; -100 on what is not usable.
        valid_words: ``[B, L]``, False on the padding of the prompts.
    """

    objects: list[ClipTargets]
    object_labels: list[Int[Tensor, "_n l"]]
    token_labels: Int[Tensor, "b t s l"]
    valid_words: Bool[Tensor, "b l"]


class GroundingCriterion(nn.Module):
    """Matches all objects by box and mask; a matched query answers to every word of the prompt.

    This is how GroundingDINO is pre-trained (Liu et al., ECCV 2024, section 3.5), with masks.

    Args:
        weights: Weights of the terms; ``ce`` is that of the queries' words.
        token_weight: Weight of the encoder tokens' words.
        duplicate_iou: As of ``SetCriterion``.

    >>> GroundingCriterion(token_weight=4.0).weights.dice
    5.0
    """

    def __init__(
        self,
        weights: LossWeights | None = None,
        token_weight: float = 1.0,
        duplicate_iou: float | None = None,
    ) -> None:
        super().__init__()
        self.weights = weights or LossWeights()
        self.matcher = HungarianMatcher(self.weights)
        self.token_weight = token_weight
        self.duplicate_iou = duplicate_iou

    def forward(
        self, output: AuxiliarySegmentationOutput | TrainingOutput, targets: GroundingTargets
    ) -> CriterionOutput:
        """Compute all losses, in single precision at least.

        Args:
            output: Predictions of B clips.
            targets: What they show, and what their prompts say of it.

        Returns:
            The losses; words of the proposals are left to the encoder tokens.

        Raises:
            NonFiniteCostError: If a prediction is NaN or infinite.
        """
        with torch.autocast(targets.token_labels.device.type, enabled=False):
            stacked = self._stack(targets)
            layers = supervised_layers(output, stacked, proposals_per_frame=True)
            visible = stacked.present & stacked.matchable[..., None]
            # Layers are listed last one first, then by depth, then the proposals.
            words = [output.query_word_logits[-1], *output.query_word_logits[:-1]]
            num_pairs, num_token_words = mean_over_ranks(
                torch.stack([visible.sum(), _num_true(targets.token_labels)])
            )
            assignments = self._match(layers, len(words))
            labels = [
                self._query_word_labels(layer, assignment, targets)
                for layer, assignment, _ in zip(layers, assignments, words, strict=False)
            ]
            num_words = mean_over_ranks(torch.stack([_num_true(each) for each in labels]))
            terms = {
                "loss_token": _word_loss(output.word_logits, targets.token_labels, num_token_words)
            }
            masks = matched_masks(layers, assignments)
            for layer, assignment, mask_logits in zip(layers, assignments, masks, strict=True):
                geometry = geometry_losses(layer, assignment, mask_logits, num_pairs, "repaired")
                terms |= {f"{name}{layer.suffix}": loss for name, loss in geometry.items()}
            for layer, logits, true, num in zip(layers, words, labels, num_words, strict=False):
                terms[f"loss_ce{layer.suffix}"] = _word_loss(logits, true, num)
            weights = {
                name: self.token_weight
                if name == "loss_token"
                else float(getattr(self.weights, name.split("_")[1]))
                for name in terms
            }
            weighted = [weights[name] * term for name, term in terms.items()]
            return CriterionOutput(torch.stack(weighted).sum(), terms, weights)

    @torch.no_grad()
    def best_query_hits(
        self, output: AuxiliarySegmentationOutput | TrainingOutput, targets: GroundingTargets
    ) -> Float[Tensor, " n"]:
        """Tell for every word of something visible whether the best query's object is that.

        Args:
            output: Predictions of B clips.
            targets: What they show, and what their prompts say of it.

        Returns:
            1 or 0 ``[N]`` per word.
        """
        last = supervised_layers(output, self._stack(targets), proposals_per_frame=True)[0]
        logits = output.query_word_logits[-1]
        labels = self._query_word_labels(last, self.matcher([last])[0], targets)
        best = logits.masked_fill(labels == OPEN_LABEL, float("-inf")).argmax(2, keepdim=True)
        hits = labels.gather(2, best).squeeze(2) == 1
        return hits[(labels == 1).any(2)].float()

    def _match(self, layers: list[SupervisedLayer], num_word_terms: int) -> list[Assignment]:
        """Match all layers; a rank that cannot still does what the others wait for."""
        try:
            return self.matcher(layers)
        except NonFiniteCostError:
            # Counts, as the others': ranks have to add up numbers of one type.
            none = torch.zeros(num_word_terms, dtype=torch.int64, device=layers[0].logits.device)
            mean_over_ranks(none)
            raise

    def _query_word_labels(
        self, layer: SupervisedLayer, assignment: Assignment, targets: GroundingTargets
    ) -> Int[Tensor, "b t q l"]:
        objects = self._objects_of_queries(layer, assignment)
        return query_word_labels(objects, targets.object_labels, targets.valid_words)

    def _objects_of_queries(
        self, layer: SupervisedLayer, assignment: Assignment
    ) -> Int[Tensor, "b t q"]:
        """Index of the object that each query stands for in each frame, -1 for none."""
        if self.duplicate_iou is None:
            objects = torch.full_like(layer.logits, -1, dtype=torch.int64)
        else:
            objects = found_targets(layer.boxes_cxcywh, layer.targets, self.duplicate_iou)
        present = layer.targets.present[assignment.batch, assignment.columns]
        columns = assignment.columns[:, None].where(present, -1)
        objects[assignment.batch, :, assignment.rows] = columns
        return objects

    @staticmethod
    def _stack(targets: GroundingTargets) -> StackedTargets:
        clip_size, device = targets.objects[0].masks.shape[1:], targets.token_labels.device
        image = torch.ones(len(targets.objects), *clip_size, dtype=torch.bool, device=device)
        return stack_targets(targets.objects, image, "all")


def _num_true(labels: Tensor) -> Tensor:
    return (labels == 1).sum()


def _word_loss(logits: Tensor, labels: Tensor, num_true: Tensor) -> Tensor:
    # float32 at least, and float64 as it is.
    single = logits.to(torch.promote_types(logits.dtype, torch.float32))
    return summed_word_loss(single, labels) / num_true


def query_word_labels(
    objects_of_queries: Int[Tensor, "b t q"],
    object_labels: Sequence[Int[Tensor, "_n l"]],
    valid_words: Bool[Tensor, "b l"],
) -> Int[Tensor, "b t q l"]:
    """Give each query the labels of its object; the others fit no word.

    Args:
        objects_of_queries: ``[B, T, Q]``: index of the object, -1 for none.
        object_labels: B times ``[N, L]``: 1 true, 0 false, -100 open.
        valid_words: ``[B, L]``, False on padding, which is open for all.

    Returns:
        ``[B, T, Q, L]``.

    >>> labels, valid = [torch.tensor([[1, 0, 0]])], torch.tensor([[True, True, False]])
    >>> query_word_labels(torch.tensor([[[-1, 0]]]), labels, valid).tolist()
    [[[[0, 0, -100], [1, 0, -100]]]]
    """
    # The last row stands for no object.
    rows = [
        torch.cat((labels, torch.zeros_like(words[None], dtype=torch.int64)))[objects]
        for objects, labels, words in zip(
            objects_of_queries, object_labels, valid_words, strict=True
        )
    ]
    return torch.stack(rows).masked_fill(~valid_words[:, None, None], OPEN_LABEL)
