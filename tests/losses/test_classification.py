import torch

from rvos.losses.classification import focal_class_cost, sigmoid_focal_loss


def test_without_focusing_it_is_weighted_cross_entropy() -> None:
    logits, targets = torch.randn(50), (torch.rand(50) > 0.5).float()
    loss = sigmoid_focal_loss(logits, targets, alpha=0.5, gamma=0.0)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, targets, reduction="none"
    )
    torch.testing.assert_close(loss, expected / 2)


def test_follows_the_formula_on_both_sides() -> None:
    probability = torch.tensor([0.2, 0.9])
    loss = sigmoid_focal_loss(probability.logit(), torch.tensor([1.0, 0.0]))
    expected = torch.tensor([-0.25 * 0.8**2, -0.75 * 0.9**2]) * torch.tensor([0.2, 0.1]).log()
    torch.testing.assert_close(loss, expected)


def test_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([-200.0, 200.0, 0.0], requires_grad=True)
    loss = sigmoid_focal_loss(logits, torch.tensor([1.0, 0.0, 1.0])).sum()
    loss.backward()
    assert loss.isfinite()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert focal_class_cost(torch.tensor([-200.0, 200.0])).isfinite().all()


def test_cost_is_the_difference_of_the_losses_and_falls_with_the_score() -> None:
    logits = torch.linspace(-5, 5, 21)
    cost = focal_class_cost(logits)
    losses = [sigmoid_focal_loss(logits, torch.full_like(logits, label)) for label in (1.0, 0.0)]
    torch.testing.assert_close(cost, losses[0] - losses[1], atol=1e-5, rtol=1e-4)
    assert (cost.diff() < 0).all()
