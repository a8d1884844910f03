"""GroundingDINO (Liu et al., ECCV 2024, arXiv 2303.05499) from transformers' modules."""

from rvos.models.grounding_dino.grounder import Grounder, Grounding
from rvos.models.grounding_dino.prompt import ExpressionTokenizer
from rvos.models.grounding_dino.query_pruning import (
    ConfidenceQueryPruner,
    KeepAllQueries,
    QueryPruner,
    RandomQueryPruner,
)

__all__ = [
    "ConfidenceQueryPruner",
    "ExpressionTokenizer",
    "Grounder",
    "Grounding",
    "KeepAllQueries",
    "QueryPruner",
    "RandomQueryPruner",
]
