from pathlib import Path

import pytest

from rvos.models.grounding_dino.prompt import ExpressionError
from rvos.tasks.tokenizers import open_tokenizer


def test_own_tokenizer_needs_no_file_and_can_be_saved(tmp_path: Path) -> None:
    own = open_tokenizer("moving_shapes", max_tokens=64)
    own.save(tmp_path)
    reopened = open_tokenizer(str(tmp_path), max_tokens=64)
    expressions = ["the red circle", "the animal that runs away"]
    assert own(expressions).input_ids.tolist() == reopened(expressions).input_ids.tolist()


def test_token_limit_is_kept() -> None:
    with pytest.raises(ExpressionError, match="at most 6"):
        open_tokenizer("moving_shapes", max_tokens=6)(["the red circle on the left"])


def test_missing_tokenizer_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ExpressionError, match="nowhere"):
        open_tokenizer(str(tmp_path / "nowhere"), max_tokens=64)(["the red circle"])
