"""Outputs refuse predictions whose axes do not fit together."""

import jaxtyping
import pytest
import torch

from rvos.structures import AuxiliarySegmentationOutput, ProposalOutput, SegmentationOutput


def test_queries_must_agree() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        SegmentationOutput(
            torch.zeros(1, 2, 5, 1), torch.zeros(1, 2, 6, 4), torch.zeros(1, 2, 5, 8, 8)
        )


def test_there_is_one_class() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        SegmentationOutput(
            torch.zeros(1, 2, 5, 2), torch.zeros(1, 2, 5, 4), torch.zeros(1, 2, 5, 8, 8)
        )


def test_layers_may_differ_in_their_number_of_queries() -> None:
    def predictions(num_queries: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        shapes = ((num_queries, 1), (num_queries, 4), (num_queries, 8, 8))
        logits, boxes, masks = (torch.zeros(1, 2, *shape) for shape in shapes)
        return logits, boxes, masks

    output = AuxiliarySegmentationOutput(
        *predictions(3),
        aux_outputs=[SegmentationOutput(*predictions(6))],
        proposal_output=ProposalOutput(*predictions(12), proposal_boxes=torch.zeros(1, 2, 12, 4)),
        query_word_logits=[],
        word_logits=torch.zeros(1, 2, 80, 5),
        level_shapes=[(8, 8), (4, 4)],
    )
    assert isinstance(output, SegmentationOutput)
    assert output.aux_outputs[0].pred_logits.shape[2] == 6
