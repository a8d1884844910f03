"""The error a user can mend."""


class RvosError(Exception):
    """An error whose message names the cause and the remedy; the CLI prints it without a traceback."""
