"""The `rvos` command: quick help, clear errors, honest exit statuses."""

import argparse
import importlib
import os
import re
import subprocess
import sys
import types
from pathlib import Path

import pytest

from rvos import cli
from rvos.structures.errors import RvosError

HEAVY = ("torch", "transformers", "lightning", "pytorch_lightning", "cv2", "albumentations", "av")
HELP_FOLDER = Path(cli.__file__).with_name("help")
OPTION = re.compile(r"(?<![\w-])--?[a-z][\w-]*")


def install_verb(monkeypatch: pytest.MonkeyPatch, main: object) -> None:
    """Register a verb `probe` that runs ``main``."""
    module = types.ModuleType("probe_command")
    module.main = main  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "probe_command", module)
    monkeypatch.setitem(cli.VERBS, "probe", cli.Verb("probe", "probe_command", "a probe"))


def run_process(*argv: str, script: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run `rvos` in a process of its own, without pytest's import hooks."""
    command = ["-c", script] if script else ["-m", "rvos", *argv]
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)


def test_help_of_every_verb_imports_nothing_heavy() -> None:
    calls = [["--help"], ["--version"], *([name, "--help"] for name in cli.VERBS)]
    script = (
        "import sys\n"
        "from rvos.cli import main\n"
        f"assert all(main(call) == 0 for call in {calls!r})\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = run_process(script=script)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "heavy: []"


def test_importing_the_package_is_light() -> None:
    done = run_process(
        script=f"import sys, rvos; print({{*sys.modules}} & {{*{HEAVY!r}}} or 'light')"
    )
    assert done.stdout.strip() == "light", done.stderr


def test_overview_lists_every_verb(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    text = capsys.readouterr().out
    for verb in cli.VERBS.values():
        assert re.search(rf"^  {verb.name} +{re.escape(verb.summary)}$", text, re.M)


@pytest.mark.parametrize("name", cli.VERBS)
def test_verb_exists(name: str) -> None:
    assert callable(importlib.import_module(cli.VERBS[name].module).main)


def test_every_help_text_belongs_to_a_verb() -> None:
    wanted = {"training" if verb.is_training else verb.name for verb in cli.VERBS.values()}
    assert {path.stem for path in HELP_FOLDER.glob("*.txt")} == wanted


@pytest.mark.parametrize("name", [v.name for v in cli.VERBS.values() if not v.is_training])
def test_help_text_says_what_the_parser_takes(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parsers: list[argparse.ArgumentParser] = []

    def remember(parser: argparse.ArgumentParser, *_: object, **__: object) -> None:
        parsers.append(parser)
        raise SystemExit

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", remember)
    with pytest.raises(SystemExit):
        cli.VERBS[name].run([])
    text = cli.VERBS[name].read_help()
    taken = [action for parser in parsers for action in actions(parser)]
    options = {option for action in taken for option in action.option_strings}
    assert set(OPTION.findall(text)) == options - {"-h", "--help"}
    choices = {str(choice) for action in taken for choice in action.choices or []}
    assert {choice for choice in choices if not re.search(rf"\b{choice}\b", text)} == set()


def actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """List what a parser and its sub-parsers take."""
    own = list(parser._actions)
    nested = [action for action in own if isinstance(action, argparse._SubParsersAction)]
    children = [child for action in nested for child in action.choices.values()]
    return own + [action for child in children for action in actions(child)]


def test_unknown_verb_gets_a_suggestion(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["segmnet", "clip.mp4"]) == 2
    assert "Did you mean 'segment'?" in capsys.readouterr().err


def test_verb_unlike_any_gets_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["xyzzy"]) == 2
    assert "Choose from: fit, validate" in capsys.readouterr().err


def test_no_verb_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 2
    assert capsys.readouterr().err.startswith("usage: rvos")


def test_arguments_reach_the_verb(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[list[str]] = []

    def record(argv: list[str]) -> int:
        received.append(argv)
        return 7

    install_verb(monkeypatch, record)
    assert cli.main(["probe", "clip.mp4", "--fast"]) == 7
    assert received == [["clip.mp4", "--fast"]]


def test_training_verbs_pass_their_name_and_the_full_help(monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[list[str]] = []

    def record(argv: list[str]) -> int:
        received.append(argv)
        return 0

    module = types.ModuleType("rvos.lightning_cli")
    module.main = record  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "rvos.lightning_cli", module)
    assert cli.main(["fit", "-c", "a.yaml"]) == 0
    assert cli.main(["validate", "--help_full"]) == 0
    assert received == [["fit", "-c", "a.yaml"], ["validate", "--help"]]


def test_user_error_is_one_line_and_exit_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(argv: list[str]) -> int:
        message = f"There is no video at {argv[0]}. Check the path."
        raise RvosError(message)

    install_verb(monkeypatch, fail)
    assert cli.main(["probe", "a.mp4"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "rvos: error: There is no video at a.mp4. Check the path.\n"
    assert captured.out == ""


def test_unexpected_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(argv: list[str]) -> int:
        return argv.index("missing")

    install_verb(monkeypatch, fail)
    with pytest.raises(ValueError, match="missing"):
        cli.main(["probe"])


def test_interrupt_is_one_word_and_exit_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(argv: list[str]) -> int:
        raise KeyboardInterrupt

    install_verb(monkeypatch, interrupt)
    assert cli.main(["probe"]) == 130
    assert capsys.readouterr().err.strip() == "Interrupted"


def test_closed_pipe_leaves_no_traceback() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "rvos", "--help"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert re.fullmatch(r"rvos \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)


def test_module_runs_as_a_command() -> None:
    done = run_process("--help")
    assert done.returncode == 0
    assert done.stdout.startswith("usage: rvos")
