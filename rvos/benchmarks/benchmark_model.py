"""What a benchmark runs: any weights, or random ones in any architecture, and synthetic text."""

from pathlib import Path
from typing import get_args

import torch
import yaml

import rvos
from rvos.layers.described import build
from rvos.models.grounding_dino import Grounder
from rvos.models.grounding_dino.architectures import ArchitectureName
from rvos.models.grounding_dino.prompt import DELIMITER_IDS
from rvos.models.referdino import ReferDINO
from rvos.models.referdino.default_parts import default_parts
from rvos.structures import TextTokens
from rvos.structures.errors import RvosError

ARCHITECTURES: tuple[str, ...] = get_args(ArchitectureName)
_CLS, _SEP, _FULL_STOP, _ = DELIMITER_IDS
# With what frames it, an expression has a dozen tokens, about as many as in MeViS.
_NUM_WORDS = 9


class BenchmarkModelError(RvosError):
    """A configuration does not describe a model."""


def random_model(architecture: ArchitectureName) -> ReferDINO:
    """Make a model with random weights and the published parts.

    Args:
        architecture: Of its grounder.

    Returns:
        The model in evaluation mode.

    >>> random_model("tiny").grounder.hidden_dim
    128
    """
    grounder = Grounder(architecture)
    return ReferDINO(grounder, **default_parts(grounder)).eval()


def configured_model(path: Path) -> ReferDINO:
    """Make a model with random weights as a file of ``configs/model`` says.

    Args:
        path: The file.

    Returns:
        The model in evaluation mode.

    Raises:
        RvosError: The file is missing or does not describe a model.
    """
    try:
        model = build(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        message = f"cannot read {path} as YAML; name a file such as configs/model/referdino_*.yaml"
        raise BenchmarkModelError(message) from error
    if not isinstance(model, ReferDINO):
        message = f"{path} does not describe a ReferDINO; see configs/model for files that do"
        raise BenchmarkModelError(message)
    return model.eval()


def load_model(
    weights: str, tokenizer: str | None, architecture: str | None, config: Path | None
) -> tuple[str, ReferDINO]:
    """Make the model that the arguments name.

    Args:
        weights: Name, path or hub id; what counts if the others are None.
        tokenizer: As of ``rvos.load_model``.
        architecture: Random weights in this architecture.
        config: Random weights as this file says.

    Returns:
        What to call it, and the model.

    Raises:
        RvosError: It cannot be made.
    """
    if config is not None:
        return f"{config.stem}, random weights", configured_model(config)
    if architecture is not None:
        name: ArchitectureName = next(n for n in get_args(ArchitectureName) if n == architecture)
        return f"{architecture}, random weights", random_model(name)
    return weights, rvos.load_model(weights, tokenizer)


def synthetic_expressions(model: ReferDINO, num_expressions: int) -> list[TextTokens]:
    """Draw token ids, so that no tokenizer is needed; the same words at every call.

    Args:
        model: Gives the vocabulary and the device.
        num_expressions: How many.

    Returns:
        Each ``[1, L]``: [CLS], words, a full stop, [SEP].

    >>> first, second = synthetic_expressions(random_model("tiny"), 2)
    >>> first.input_ids.shape, bool((first.input_ids == second.input_ids).all())
    (torch.Size([1, 12]), False)
    """
    vocabulary = torch.arange(model.grounder.config.text_config.vocab_size)
    words = vocabulary[~torch.isin(vocabulary, torch.tensor(DELIMITER_IDS))]
    draw = torch.Generator().manual_seed(0)
    expressions = []
    for _ in range(num_expressions):
        chosen = words[torch.randint(len(words), (_NUM_WORDS,), generator=draw)].tolist()
        ids = torch.tensor([[_CLS, *chosen, _FULL_STOP, _SEP]])
        expressions.append(model.tokenize(TextTokens(ids, torch.ones_like(ids))))
    return expressions
