"""Queries and expression features of the same frames fit together."""

import jaxtyping
import pytest
import torch

from rvos.structures import DecodedQueries, ReferenceText


def test_queries_and_boxes_must_agree() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        DecodedQueries(
            torch.zeros(2, 5, 8), torch.zeros(2, 4, 4), torch.zeros(2, 5, dtype=torch.long)
        )


def test_kept_positions_are_integers() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        DecodedQueries(torch.zeros(2, 5, 8), torch.zeros(2, 5, 4), torch.zeros(2, 5))


def test_text_mask_says_which_tokens_are_valid() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        ReferenceText(torch.zeros(2, 7, 8), torch.zeros(2, 7))
