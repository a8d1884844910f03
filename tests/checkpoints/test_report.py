"""The comparison of weights with a model: every name is counted once, errors name the keys."""

import re

import pytest
import torch
from torch import Tensor

from rvos.checkpoints.report import WeightsMismatchError, compare_weights

OWN = {
    "grounder.text_encoder.a": torch.zeros(2, 3),
    "grounder.text_encoder.b": torch.zeros(2),
    "grounder.image_encoder.c": torch.zeros(4),
    "mask_head.d": torch.zeros(5),
}


def compare(weights: dict[str, Tensor], may_be_new: str | None = None, **names: list[str]) -> str:
    pattern = None if may_be_new is None else re.compile(may_be_new)
    report = compare_weights("x.pth", OWN, weights, pattern, **names)
    counted = [
        *report.matched,
        *report.new,
        *report.missing,
        *(conflict.name for conflict in report.conflicts),
    ]
    assert sorted(counted) == sorted(OWN)
    report.check()
    return report.table()


def test_complete_weights_pass() -> None:
    rows = [line.split() for line in compare(dict(OWN)).splitlines()]
    assert rows[1:] == [
        ["grounder.image_encoder", "1", "0", "0", "0", "0"],
        ["grounder.text_encoder", "2", "0", "0", "0", "0"],
        ["mask_head", "1", "0", "0", "0", "0"],
        ["all", "4", "0", "0", "0", "0"],
    ]


def test_columns_stand_under_their_titles() -> None:
    lines = compare({n: v for n, v in OWN.items() if n != "mask_head.d"}, "mask_head").splitlines()
    assert len({len(line) for line in lines}) == 1
    end = lines[0].index("newly initialised") + len("newly initialised")
    assert lines[-1][:end].endswith(" 1")


def test_only_what_may_be_new_may_lack() -> None:
    weights = {name: value for name, value in OWN.items() if name.startswith("grounder.text")}
    with pytest.raises(
        WeightsMismatchError, match=r"missing: grounder\.image_encoder\.c$"
    ) as caught:
        compare(weights, "mask_head")
    assert caught.value.report.new == ["mask_head.d"]


def test_every_fault_is_named() -> None:
    weights = {**OWN, "surprise": torch.zeros(1), "grounder.text_encoder.a": torch.zeros(3, 2)}
    del weights["mask_head.d"]
    faults = (
        r"missing: mask_head\.d; unexpected: other, surprise; of another shape: "
        r"grounder\.text_encoder\.a \(3x2 in the source, 2x3 in the model\)"
    )
    with pytest.raises(WeightsMismatchError, match=faults):
        compare(weights, unknown=["other"])


def test_long_lists_are_cut() -> None:
    names = [f"extra.{number:02d}" for number in range(25)]
    with pytest.raises(WeightsMismatchError, match=r"extra\.19 and 5 more$"):
        compare(dict(OWN), unknown=names)
