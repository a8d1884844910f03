"""What the configuration parser reports, in the one line that helps."""

import difflib
import importlib
import inspect
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import yaml
from jsonargparse import ArgumentParser
from lightning.pytorch.cli import LightningArgumentParser

from rvos.structures.errors import RvosError


class ConfigError(RvosError):
    """A configuration file or flag that the parser does not accept."""


class RvosArgumentParser(LightningArgumentParser):
    """LightningCLI's parser, with errors of one line instead of the usage of 60 options.

    Args:
        kwargs: Options of ``LightningArgumentParser``.
    """

    def __init__(self, **kwargs: Any) -> None:
        # `--trainer.max_step` would otherwise pass for `--trainer.max_steps`.
        super().__init__(**{"allow_abbrev": False, **kwargs})

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        """Raise instead of printing the usage and leaving the process.

        Args:
            message: The parser's report.
            ex: The exception behind it, if any.

        Raises:
            ConfigError: Always.
        """
        if not self.exit_on_error:
            # A parser of nested arguments; the outermost one has the whole story.
            super().error(message, ex)
        raise ConfigError(summarize_parser_error(message, _option_names(self))) from ex


def summarize_parser_error(message: str, known_options: Sequence[str] = ()) -> str:
    """Reduce a parser report of many lines to the one that names the cause.

    Args:
        message: Report of jsonargparse, nested over several lines.
        known_options: Dotted names of the verb's options, for a suggestion.

    Returns:
        One line, with near names where a key is unknown.

    Example:
        >>> summarize_parser_error("Subcommand 'fit' does not accept option 'trainer.max_step'",
        ...                        ["trainer.max_steps"])
        "unknown config key 'trainer.max_step'. Did you mean 'trainer.max_steps'?"
    """
    refused = re.search(
        r"does not accept option '([^']+)'|Unrecognized arguments: --([^\s=]+)",
        message,
        re.IGNORECASE,
    )
    if refused:
        return _unknown_key(refused.group(1) or refused.group(2), known_options)
    refused = re.search(r"Option '([^']+)' is not accepted", message)
    if refused:
        # Of a nested class the report names the class before, of an optimizer after the key.
        later = re.findall(r"class_path='([^']+)'", message[refused.end() :].split("\n")[0])
        owners = re.findall(r"class_path '([^']+)'", message[: refused.start()]) + later
        owner = owners[-1] if owners else None
        return _unknown_key(refused.group(1), _parameters_of(owner), owner)
    if "arguments are required" in message:
        return f"{message}; name an experiment file: -c configs/experiment/NAME.yaml"
    keys = ".".join(re.findall(r'Parser key "([^"]+)"', message)) or "configuration"
    lines = [re.sub(r'^Parser key "[^"]+": ', "", x.strip(" -")) for x in message.splitlines()]
    telling = [line for line in lines if line and not re.match(_EMPTY_PHRASES, line)]
    return f"{keys}: " + "; ".join(telling[:3])


_EMPTY_PHRASES = (
    r"(Parser key .*:$|Does not validate against|Subtypes:|Errors:|Expected a <class 'NoneType'>"
    r"|Given value|Problem with given class_path .*:$)"
)


def _unknown_key(key: str, known: Sequence[str], owner: str | None = None) -> str:
    near = difflib.get_close_matches(key, known, n=3, cutoff=0.6)
    place = f" of {owner}" if owner else ""
    if near:
        return f"unknown config key '{key}'{place}. Did you mean {' or '.join(map(repr, near))}?"
    known_here = f" Known here: {', '.join(known)}." if owner and known else ""
    return f"unknown config key '{key}'{place}.{known_here}"


def _parameters_of(class_path: str | None) -> list[str]:
    if class_path is None or "." not in class_path:
        return []
    module_name, _, name = class_path.rpartition(".")
    try:
        owner = getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError):
        return []
    return [name for name in inspect.signature(owner).parameters if name != "self"]


def _option_names(parser: ArgumentParser) -> list[str]:
    """List the dotted options of a parser and of its verbs, each once."""
    names: dict[str, None] = {}
    for action in parser._actions:
        verbs = action.choices if isinstance(action.choices, dict) else {}
        for verb in verbs.values():
            names |= dict.fromkeys(_option_names(verb))
        names[action.dest] = None
    return list(names)


def find_broken_file(argv: Sequence[str]) -> str | None:
    """Find a configuration file that is not YAML; the parser's report does not name it.

    Args:
        argv: The command line.

    Returns:
        The file, None where all can be read.

    >>> find_broken_file(["fit", "--trainer.max_steps", "3"]) is None
    True
    """
    for flag, path in itertools.pairwise(argv):
        if flag in {"-c", "--config"} and Path(path).is_file():
            try:
                yaml.safe_load(Path(path).read_text(encoding="utf-8"))
            except (yaml.YAMLError, UnicodeDecodeError):
                return path
    return None


def told_to_user(error: BaseException | None) -> RvosError | None:
    """Find the error for the user that the parser has put into reports of its own.

    Args:
        error: What the parser raised.

    Returns:
        The error, None where there is none.

    >>> told_to_user(ValueError("no RvosError behind it")) is None
    True
    """
    while error is not None and not isinstance(error, RvosError):
        error = error.__cause__
    return error
