"""Which model, which device, how many threads."""

import argparse

import pytest
import torch

from rvos.benchmarks.model_arguments import add_model_arguments, on_threads


def test_only_one_model_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    add_model_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--architecture", "tiny", "--config", "a.yaml"])
    assert "not allowed with" in capsys.readouterr().err


def test_threads_are_given_back_after_an_error() -> None:
    before, seen = torch.get_num_threads(), []

    def fail() -> None:
        with on_threads(before + 1):
            seen.append(torch.get_num_threads())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == [before + 1]
    assert torch.get_num_threads() == before
