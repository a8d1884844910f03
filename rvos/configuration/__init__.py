"""Reading configuration files and flags, and saying what is wrong with them."""

from rvos.configuration.parser_errors import (
    ConfigError,
    RvosArgumentParser,
    find_broken_file,
    summarize_parser_error,
    told_to_user,
)

__all__ = [
    "ConfigError",
    "RvosArgumentParser",
    "find_broken_file",
    "summarize_parser_error",
    "told_to_user",
]
