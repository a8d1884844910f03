"""Modules rebuild from their description, and nothing else is ever built from one."""

import json

import pytest
from torch import nn

from rvos.layers.described import DescribedModule, build, describe
from rvos.models.grounding_dino import ConfidenceQueryPruner, RandomQueryPruner
from rvos.models.referdino import (
    CrossModalTemporalDecoder,
    MemoryAugmentedTracker,
    ObjectConsistentTemporalEnhancer,
)
from rvos.structures.errors import RvosError


class Inner(DescribedModule):
    def __init__(self, size: int = 3, *, name: str = "inner") -> None:
        super().__init__()
        self.layer = nn.Linear(size, size)


class Derived(Inner):
    def __init__(self, size: int) -> None:
        super().__init__(size * 2)


class Inherited(Inner):
    """Has no constructor of its own."""


def test_round_trip_through_json() -> None:
    enhancer = ObjectConsistentTemporalEnhancer(
        MemoryAugmentedTracker(momentum=0.3, confidence="paper"),
        CrossModalTemporalDecoder(16, num_heads=2, temporal_position="sine"),
    )
    written = json.loads(json.dumps(describe(enhancer)))
    rebuilt = build(written)
    assert isinstance(rebuilt, ObjectConsistentTemporalEnhancer)
    assert describe(rebuilt) == written
    assert rebuilt.tracker.momentum == 0.3
    assert {n: v.shape for n, v in rebuilt.state_dict().items()} == {
        n: v.shape for n, v in enhancer.state_dict().items()
    }


def test_all_arguments_are_written() -> None:
    assert describe(Inner(5))["init_args"] == {"size": 5, "name": "inner"}
    assert describe(Inner(name="x"))["init_args"] == {"size": 3, "name": "x"}
    pruner = describe(ConfidenceQueryPruner(0.7))["init_args"]
    assert pruner == {"keep_ratio": 0.7, "score": "released", "min_queries": 1}


def test_outermost_constructor_counts() -> None:
    derived = describe(Derived(4))
    assert derived["class_path"].endswith("Derived")
    assert derived["init_args"] == {"size": 4}
    assert describe(Inherited(4))["init_args"] == {"size": 4, "name": "inner"}


def test_children_are_registered_once() -> None:
    enhancer = ObjectConsistentTemporalEnhancer(None, CrossModalTemporalDecoder(16, num_heads=2))
    assert all(not name.startswith("init_args") for name in enhancer.state_dict())
    assert len(list(enhancer.children())) == 1


def test_wrong_arguments_fail_as_usual() -> None:
    with pytest.raises(TypeError, match="unexpected keyword"):
        Inner(nonsense=1)  # type: ignore[call-arg]


def test_plain_values_stay() -> None:
    assert describe(3) == build(3) == 3
    assert build(None) is None
    assert build({"min_queries": 2}) == {"min_queries": 2}


@pytest.mark.parametrize(
    ("class_path", "message"),
    [
        ("os.system", "only classes of rvos"),
        ("subprocess.Popen", "only classes of rvos"),
        ("rvosevil.Module", "only classes of rvos"),
        ("rvos.checkpoints.files.read_pickled_weights", "not a model part"),
        ("rvos.structures.errors.RvosError", "not a model part"),
        ("rvos.models.grounding_dino.query_pruning.math", "not a model part"),
        ("rvos.models.grounding_dino.Missing", "this version of rvos lacks"),
        ("rvos.missing.Module", "this version of rvos lacks"),
        ("rvos.", "only classes of rvos"),
    ],
)
def test_foreign_classes_are_refused(class_path: str, message: str) -> None:
    with pytest.raises(RvosError, match=message):
        build({"class_path": class_path, "init_args": {}})


def test_foreign_classes_inside_are_refused() -> None:
    description = describe(ObjectConsistentTemporalEnhancer(MemoryAugmentedTracker(), None))
    description["init_args"]["tracker"] = {"class_path": "os.system", "init_args": {"command": "x"}}
    with pytest.raises(RvosError, match="only classes of rvos"):
        build(description)


def test_unknown_arguments_name_the_class() -> None:
    description = describe(RandomQueryPruner())
    description["init_args"]["speed"] = 3
    with pytest.raises(RvosError, match=r"RandomQueryPruner.*speed"):
        build(description)
