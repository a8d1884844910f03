"""Where a resumed training goes on: behind the last optimizer step, with what comes after it.

Lightning's own state of a checkpoint that is written in the middle of a step, or between a step and
the validation after it, makes a resumed run lose batches, the validation or the end of the epoch.
"""

from typing import Any

from lightning.pytorch import Trainer

_COUNTS = ("ready", "started", "processed", "completed")
_VALIDATION = "epoch_loop.val_loop.batch_progress"


def settle_resume_point(checkpoint: dict[str, Any], trainer: Trainer) -> None:
    """Let a checkpoint start behind its last optimizer step, wherever it was written.

    The weights are those after that step. Batches that have been read since, whose gradients are
    lost (an interrupted step, or gradients being accumulated), are counted as not yet read. A
    validation that is due, or was not finished, comes before the next batch; then, after the last
    batch, the end of the epoch.

    Args:
        checkpoint: What Lightning is about to write; changed in place.
        trainer: The trainer; nothing is done unless it fits.
    """
    loop = checkpoint.get("loops", {}).get("fit_loop", {})
    progress = loop.get("epoch_loop.batch_progress")
    loaders = loop.get("state_dict", {}).get("combined_loader")
    if progress is None or loaders is None:
        return
    num_read = progress["current"]["ready"]
    num_kept = min(_num_batches_of_steps(loop, trainer), num_read)
    epochs = loop["epoch_progress"]["current"]
    epoch_is_over = epochs["processed"] == epochs["started"] and num_kept == num_read
    if epoch_is_over:
        _begin_next_epoch(loop, trainer)
    elif num_kept < num_read:
        _set_counts(progress, num_read - num_kept)
        progress["is_last_batch"] = False
        _discount_skipped_validation(loop, trainer)
    else:
        _settle_what_follows(loop, trainer)
    place = {
        "epoch": epochs["started"] - 1 + epoch_is_over,
        "num_given": 0 if epoch_is_over else num_kept,
        "is_over": not epoch_is_over and num_kept == trainer.num_training_batches,
    }
    for state in loaders:
        if isinstance(state, dict) and "num_given" in state:
            state.update(place)


def _num_batches_of_steps(loop: dict[str, Any], trainer: Trainer) -> int:
    """Batches of this epoch whose gradients are in the weights; too many after its last step."""
    optimizer = loop["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]
    num_steps: int = optimizer["step"]["current"]["completed"]
    return num_steps * trainer.accumulate_grad_batches


def _set_counts(progress: dict[str, Any], num_undone: int) -> None:
    """Count as many batches less, and nothing of the last one as open."""
    for counts in (progress["current"], progress["total"]):
        counts.update(dict.fromkeys(_COUNTS, counts["ready"] - num_undone))


def _begin_next_epoch(loop: dict[str, Any], trainer: Trainer) -> None:
    """Behind an epoch: count it as complete, and nothing of the next one as done."""
    for counts in loop["epoch_progress"].values():
        counts["completed"] = counts["processed"]
    steps = loop["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]
    loop[_VALIDATION]["total"].update(dict.fromkeys(_COUNTS, 0))
    for progress in (loop["epoch_loop.batch_progress"], steps["step"], steps["zero_grad"]):
        progress["current"].update(dict.fromkeys(progress["current"], 0))
    loop["epoch_loop.batch_progress"]["is_last_batch"] = False
    _discount_skipped_validation(loop, trainer)


def _discount_skipped_validation(loop: dict[str, Any], trainer: Trainer) -> None:
    """Where Lightning skips a validation that has been done, it counts a step for the logs."""
    progress, epoch = loop["epoch_loop.batch_progress"], loop["epoch_progress"]["current"]
    counts = progress["current"]["ready"], progress["total"]["ready"]
    restarts = epoch["processed"] != epoch["started"] or trainer.max_steps != -1
    if restarts and _validation_is_due(trainer, epoch["processed"], *counts):
        loop["epoch_loop.state_dict"]["_batches_that_stepped"] -= 1


def _settle_what_follows(loop: dict[str, Any], trainer: Trainer) -> None:
    """Behind a step: put the validation that is still to come into the state, if there is one."""
    progress, validation = loop["epoch_loop.batch_progress"], loop[_VALIDATION]
    before_its_end = progress["current"]["completed"] < progress["current"]["processed"]
    validated = validation["is_last_batch"] and _is_complete(validation["current"])
    if not before_its_end and (not trainer.validating or validated):
        return
    _set_counts(progress, 0)
    counts = progress["current"]["ready"], progress["total"]["ready"]
    if _validation_is_due(trainer, trainer.current_epoch, *counts):
        # How Lightning marks one that was interrupted; it starts anew.
        validation["total"].update(ready=1, started=1, processed=0, completed=0)
        validation["current"].update(dict.fromkeys(_COUNTS, 0))
        validation["is_last_batch"] = False
    elif before_its_end:
        loop["epoch_loop.state_dict"]["_batches_that_stepped"] += 1


def _is_complete(counts: dict[str, int]) -> bool:
    return counts["ready"] > 0 and counts["completed"] == counts["ready"]


def _validation_is_due(trainer: Trainer, epoch: int, num_in_epoch: int, num_in_total: int) -> bool:
    """Whether Lightning validates after so many batches."""
    interval = getattr(trainer, "val_check_batch", None)
    if not trainer.enable_validation or interval in {None, float("inf")}:
        return False
    if trainer.check_val_every_n_epoch is None:
        return bool(num_in_total % interval == 0)
    return (epoch + 1) % trainer.check_val_every_n_epoch == 0 and num_in_epoch % interval == 0
