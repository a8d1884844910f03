"""Tokens and their mask fit together."""

import jaxtyping
import pytest
import torch

from rvos.structures import TextTokens


def test_mask_covers_every_token() -> None:
    ids = torch.ones(2, 5, dtype=torch.long)
    with pytest.raises(jaxtyping.TypeCheckError):
        TextTokens(input_ids=ids, attention_mask=ids[:, :4])


def test_ids_are_integers() -> None:
    with pytest.raises(jaxtyping.TypeCheckError):
        TextTokens(torch.ones(2, 5), torch.ones(2, 5, dtype=torch.long))
