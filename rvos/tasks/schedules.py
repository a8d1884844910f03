"""Learning-rate schedules that advance with every optimizer step."""

import math
from collections.abc import Sequence

from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


class StepwiseSchedule(LRScheduler):
    """Linear warm-up, then the share of the base learning rate that ``decay_factor`` gives.

    Args:
        optimizer: The optimizer whose groups are scheduled.
        num_warm_up_steps: Optimizer steps until the full learning rate; 0 starts with it.
    """

    def __init__(self, optimizer: Optimizer, num_warm_up_steps: int = 0) -> None:
        self.num_warm_up_steps = num_warm_up_steps
        super().__init__(optimizer)

    def decay_factor(self, step: int) -> float:
        """Give the share of the base learning rate after warm-up.

        Args:
            step: Optimizer steps done so far.

        Returns:
            A share in [0, 1].
        """
        del step
        return 1.0

    def get_lr(self) -> list[float | Tensor]:
        """Compute the learning rate of every group for the coming step."""
        step = self.last_epoch
        warm_up = min(1.0, (step + 1) / (self.num_warm_up_steps + 1))
        return [base * warm_up * self.decay_factor(step) for base in self.base_lrs]


class WarmUpMultiStepLR(StepwiseSchedule):
    """Warm-up, then a drop by ``gamma`` at every milestone.

    Args:
        optimizer: The optimizer whose groups are scheduled.
        milestones: Optimizer steps at which the learning rate drops.
        gamma: Factor of each drop.
        num_warm_up_steps: Optimizer steps until the full learning rate.

    Example:
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        >>> schedule = WarmUpMultiStepLR(optimizer, milestones=[3], num_warm_up_steps=1)
        >>> rates = []
        >>> for _ in range(5):
        ...     rates.append(schedule.get_last_lr()[0])
        ...     optimizer.step()
        ...     schedule.step()
        >>> rates
        [0.5, 1.0, 1.0, 0.1, 0.1]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Sequence[int],
        gamma: float = 0.1,
        num_warm_up_steps: int = 0,
    ) -> None:
        self.milestones = sorted(milestones)
        self.gamma = gamma
        super().__init__(optimizer, num_warm_up_steps)

    def decay_factor(self, step: int) -> float:
        """Give ``gamma`` to the power of the milestones passed.

        Args:
            step: Optimizer steps done so far.

        Returns:
            A share in [0, 1].
        """
        return float(self.gamma ** sum(step >= milestone for milestone in self.milestones))


class WarmUpCosineLR(StepwiseSchedule):
    """Warm-up, then half a cosine down to ``final_share`` of the learning rate.

    Args:
        optimizer: The optimizer whose groups are scheduled.
        num_steps: Optimizer steps of the whole training.
        final_share: Share of the learning rate that remains at the end.
        num_warm_up_steps: Optimizer steps until the full learning rate.

    Example:
        >>> import torch
        >>> optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
        >>> schedule = WarmUpCosineLR(optimizer, num_steps=2)
        >>> round(schedule.decay_factor(1), 6), schedule.decay_factor(2)
        (0.5, 0.0)
    """

    def __init__(
        self,
        optimizer: Optimizer,
        num_steps: int,
        final_share: float = 0.0,
        num_warm_up_steps: int = 0,
    ) -> None:
        self.num_steps = num_steps
        self.final_share = final_share
        super().__init__(optimizer, num_warm_up_steps)

    def decay_factor(self, step: int) -> float:
        """Give the cosine's share; steps beyond ``num_steps`` stay at ``final_share``.

        Args:
            step: Optimizer steps done so far.

        Returns:
            A share in [0, 1].
        """
        decaying = max(1, self.num_steps - self.num_warm_up_steps)
        done = min(1.0, max(0.0, (step - self.num_warm_up_steps) / decaying))
        return self.final_share + (1 - self.final_share) * 0.5 * (1 + math.cos(math.pi * done))
