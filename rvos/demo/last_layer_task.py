"""Training of what comes after the last decoder layer, without paying for the layers before."""

from jaxtyping import Float
from torch import Tensor

from rvos.ops.assignment import NonFiniteCostError
from rvos.structures import VideoBatch
from rvos.tasks import ReferringSegmentationTask


class LastLayerTask(ReferringSegmentationTask):
    """Supervises the last decoder layer only.

    Takes the arguments of ``ReferringSegmentationTask``. Where only the temporal enhancer trains,
    the losses of earlier layers and of the proposals teach it little, and take half of the time.
    """

    def training_step(self, batch: VideoBatch, batch_idx: int) -> Float[Tensor, ""]:
        """Compute the loss of a batch of clips.

        Args:
            batch: Clips of equal length.
            batch_idx: Position of the batch in the epoch.

        Returns:
            The weighted total ``[]``.
        """
        del batch_idx
        output = self.model(batch.frames, batch.expressions, batch.valid_pixels)
        try:
            losses = self.criterion(output, batch.targets, batch.valid_pixels)
        except NonFiniteCostError as error:
            raise self.non_finite_loss(batch.sample_ids) from error
        total: Tensor = losses.total
        self.report_loss(total, losses.terms, batch.sample_ids)
        return total
