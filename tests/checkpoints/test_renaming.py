"""Key maps and split projections."""

import torch

from rvos.checkpoints.renaming import KeyMap, split_projection


def test_first_match_wins_and_only_at_the_start() -> None:
    rename = KeyMap([(r"a\.b\.", "first."), (r"a\.", "second.")])
    assert rename("a.b.c") == "first.c"
    assert rename("a.c.a.c") == "second.c.a.c"
    assert rename("x.a.b.") is None


def test_groups_are_carried_over() -> None:
    assert KeyMap([(r"layers\.(\d+)\.", r"blocks.\1.")])("layers.12.weight") == "blocks.12.weight"


def test_split_keeps_values_and_everything_else() -> None:
    joint = torch.arange(12.0).view(6, 2)
    state = {"x.qkv.weight": joint, "x.qkv.bias": torch.arange(6.0), "y.weight": torch.ones(1)}
    split = split_projection(state, "qkv.", ("q.", "k.", "v."))
    names = ["x.q.weight", "x.k.weight", "x.v.weight"]
    assert torch.equal(torch.cat([split[name] for name in names]), joint)
    assert split["x.k.bias"].tolist() == [2, 3]
    assert split["y.weight"] is state["y.weight"]
    assert len(split) == 7
