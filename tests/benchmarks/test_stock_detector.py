"""The baseline is transformers' model in the same architecture."""

import torch
from torch import nn

from rvos.benchmarks.benchmark_model import random_model, synthetic_expressions
from rvos.benchmarks.contestants import stages_of
from rvos.benchmarks.stock_detector import StockDetector

MODEL = random_model("tiny")


def num_parameters(modules: object) -> int:
    stage = nn.ModuleList([modules] if isinstance(modules, nn.Module) else modules)  # type: ignore[arg-type]
    return sum(parameter.numel() for parameter in stage.parameters())


def test_its_stages_are_as_large_as_those_of_rvos() -> None:
    config = MODEL.grounder.config
    own, stock = stages_of(MODEL), StockDetector(config, config.num_queries).stages()
    for title in ("projections", "text encoder", "fusion encoder"):
        assert num_parameters(own[title]) == num_parameters(stock[title])
    # rvos reads the stride-4 feature, too, through a norm; transformers has a last norm that is not
    # read where the stages are.
    embed_dim = config.backbone_config.embed_dim
    stage0_norm, last_norm = 2 * embed_dim, 2 * 8 * embed_dim
    stock_backbone = num_parameters(stock["backbone"]) - last_norm
    assert num_parameters(own["backbone"]) - stage0_norm == stock_backbone


def test_it_detects_an_expression_in_every_frame() -> None:
    detector = StockDetector(MODEL.grounder.config, num_queries=5)
    (tokens,) = synthetic_expressions(MODEL, 1)
    with torch.no_grad():
        boxes = detector(torch.rand(3, 3, 48, 64), tokens)
    assert boxes.shape == (3, 5, 4)
    assert boxes.isfinite().all()


def test_no_parameter_is_in_two_stages() -> None:
    detector = StockDetector(MODEL.grounder.config, num_queries=5)
    stages = detector.stages().values()
    together = nn.ModuleList(
        module
        for stage in stages
        for module in ([stage] if isinstance(stage, nn.Module) else stage)
    )
    assert sum(map(num_parameters, stages)) == num_parameters(together)
