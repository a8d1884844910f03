"""The callbacks that every run of the command line has."""

from lightning.pytorch import Callback

from rvos.callbacks.bad_sample_report import BadSampleReport
from rvos.callbacks.interrupt_handler import InterruptHandler
from rvos.callbacks.output_guard import OutputGuard


def run_guards() -> list[Callback]:
    """Make the callbacks that keep what a run has done, whatever goes wrong.

    Returns:
        Guards of the output folder, of Ctrl-C and of damaged samples.

    >>> [type(guard).__name__ for guard in run_guards()]
    ['OutputGuard', 'InterruptHandler', 'BadSampleReport']
    """
    return [OutputGuard(), InterruptHandler(), BadSampleReport()]
