"""The error a user can mend, and the end that is none."""


class RvosError(Exception):
    """An error whose message names cause and remedy; the CLI prints it without a traceback."""


class RunStopped(Exception):  # noqa: N818  no error: the run has done what was asked of it
    """A run that was asked to stop has saved its state and leaves."""
