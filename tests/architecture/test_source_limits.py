"""Limits that keep a file on a few screens and a function on one."""

import ast
from pathlib import Path

import pytest

import rvos

PACKAGE = Path(rvos.__file__).parent
SOURCES = sorted(PACKAGE.rglob("*.py"))
LONGEST_FILE = 350
LONGEST_BODY = 60
MOST_ARGUMENTS = 12
VAGUE_MODULES = {"utils", "util", "misc", "helpers", "helper", "common", "tools", "functions"}
# Abbreviations of the field's older code, and a second word for the expression.
BANNED_NAMES = {"hs", "srcs", "tgt2", "poss", "caption", "captions"}

pytestmark = pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(parse(path)) if isinstance(node, kinds)]


def body_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines from the first statement after the docstring to the last."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def num_arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count what a caller passes."""
    arguments = [*function.args.args, *function.args.kwonlyargs]
    return sum(argument.arg not in {"self", "cls"} for argument in arguments)


def test_file_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE


def test_module_name_says_what_is_inside(path: Path) -> None:
    assert path.stem not in VAGUE_MODULES


def test_function_bodies_fit_on_a_screen(path: Path) -> None:
    lengths = {function.name: body_length(function) for function in functions(path)}
    assert {name: length for name, length in lengths.items() if length > LONGEST_BODY} == {}


def test_functions_take_few_arguments(path: Path) -> None:
    counts = {function.name: num_arguments(function) for function in functions(path)}
    assert {name: count for name, count in counts.items() if count > MOST_ARGUMENTS} == {}


def test_names_are_the_words_of_the_field(path: Path) -> None:
    names = {node.id for node in ast.walk(parse(path)) if isinstance(node, ast.Name)}
    names |= {node.arg for node in ast.walk(parse(path)) if isinstance(node, ast.arg)}
    assert names & BANNED_NAMES == set()


def test_public_names_are_documented(path: Path) -> None:
    tree = parse(path)
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    owners: list[ast.Module | ast.ClassDef] = [tree]
    owners.extend(node for node in tree.body if isinstance(node, ast.ClassDef))
    members = [node for owner in owners for node in owner.body if isinstance(node, kinds)]
    public = [node for node in members if not node.name.startswith("_")]
    assert [node.name for node in public if not ast.get_docstring(node)] == []
    assert ast.get_docstring(tree), "the module has no docstring"


def test_foreign_checkpoints_are_never_unpickled(path: Path) -> None:
    calls = [node for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
    for load in [call for call in calls if ast.unparse(call.func) == "torch.load"]:
        words = {word.arg: ast.unparse(word.value) for word in load.keywords}
        assert words.get("weights_only") == "True", f"line {load.lineno}"
    assert "pickle.load" not in {ast.unparse(call.func) for call in calls}


def test_device_is_not_hard_coded(path: Path) -> None:
    calls = [node.func for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
    attributes = [func.attr for func in calls if isinstance(func, ast.Attribute)]
    assert "cuda" not in attributes
