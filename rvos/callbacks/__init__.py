"""Lightning callbacks: what is shown during a training and written by a prediction."""

from rvos.callbacks.last_checkpoint import LastCheckpoint
from rvos.callbacks.logged_config import LoggedConfig
from rvos.callbacks.mask_logger import MaskLogger
from rvos.callbacks.model_folder import ModelFolderWriter
from rvos.callbacks.parameter_table import ParameterTable
from rvos.callbacks.prediction_writer import PredictionWriter
from rvos.callbacks.throughput import ThroughputMonitor

__all__ = [
    "LastCheckpoint",
    "LoggedConfig",
    "MaskLogger",
    "ModelFolderWriter",
    "ParameterTable",
    "PredictionWriter",
    "ThroughputMonitor",
]
