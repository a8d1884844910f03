"""Where a training can be left so that Lightning resumes it exactly there."""

from lightning.pytorch import Trainer
from lightning.pytorch.trainer.states import TrainerFn


def is_resumable_step(trainer: Trainer) -> bool:
    """Tell in ``on_train_batch_end`` whether a training that stops now would resume at this step.

    Not while gradients accumulate; nor at the end of an epoch or before a validation, which
    Lightning would leave out: a callback takes ``on_validation_start`` for those.

    Args:
        trainer: The trainer, in ``fit``.
    """
    loop, fetcher = trainer.fit_loop.epoch_loop, trainer.fit_loop._data_fetcher
    if fetcher is None or loop._should_accumulate() or trainer.is_last_batch:
        return False
    return not loop._should_check_val_fx(fetcher)


def is_validation_between_steps(trainer: Trainer) -> bool:
    """Tell whether a validation is one of a training, and not the check before it.

    Args:
        trainer: The trainer, in a hook of the validation.
    """
    return trainer.state.fn == TrainerFn.FITTING and not trainer.sanity_checking


def repeat_validation_on_resume(trainer: Trainer) -> None:
    """Let a state that is saved within a validation say that its first batch is still to be done.

    Args:
        trainer: The trainer, validating between two steps.
    """
    progress = trainer.fit_loop.epoch_loop.val_loop.batch_progress
    progress.reset()
    progress.increment_ready()
    progress.increment_started()
