"""Lightning callbacks: what is shown during a training and written by a prediction."""

from rvos.callbacks.bad_sample_report import BadSampleReport
from rvos.callbacks.interrupt_handler import InterruptHandler
from rvos.callbacks.last_checkpoint import LastCheckpoint
from rvos.callbacks.logged_config import LoggedConfig
from rvos.callbacks.mask_logger import MaskLogger
from rvos.callbacks.model_folder import ModelFolderWriter
from rvos.callbacks.output_guard import OutputGuard
from rvos.callbacks.parameter_table import ParameterTable
from rvos.callbacks.prediction_writer import PredictionWriter
from rvos.callbacks.run_errors import explain
from rvos.callbacks.run_guards import run_guards
from rvos.callbacks.run_progress import RunProgress
from rvos.callbacks.run_recorder import RunRecorder
from rvos.callbacks.throughput import ThroughputMonitor
from rvos.callbacks.whole_checkpoints import WholeCheckpoints

__all__ = [
    "BadSampleReport",
    "InterruptHandler",
    "LastCheckpoint",
    "LoggedConfig",
    "MaskLogger",
    "ModelFolderWriter",
    "OutputGuard",
    "ParameterTable",
    "PredictionWriter",
    "RunProgress",
    "RunRecorder",
    "ThroughputMonitor",
    "WholeCheckpoints",
    "explain",
    "run_guards",
]
