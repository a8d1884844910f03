"""The error a user can mend."""


class RvosError(Exception):
    """An error whose message names cause and remedy; the CLI prints it without a traceback."""
