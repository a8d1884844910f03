"""No call in the package trusts a file: no pickle, no full YAML, no evaluation, no shell."""

import ast
from pathlib import Path

import pytest

import rvos

PACKAGE = Path(rvos.__file__).parent
# By the last two parts of what is called.
FORBIDDEN = {
    "yaml.load",
    "yaml.full_load",
    "yaml.unsafe_load",
    "pickle.load",
    "pickle.loads",
    "pickle.Unpickler",
    "marshal.loads",
    "shelve.open",
    "joblib.load",
    "os.system",
    "os.popen",
    "Image.open",
    "av.open",
    "extractall",
    "eval",
    "exec",
}
# Calls that are safe where they stand, and why.
ALLOWED = {
    ("ops/picture_limits.py", "Image.open"): "the one place, with its limits",
    ("ops/video_limits.py", "av.open"): "the one place, with its limits",
    ("visualization/video_writer.py", "av.open"): "writes",
    ("evaluation/prediction_mask.py", "Image.open"): "a PNG whose size is checked before",
    ("evaluation/submissions/mask_archive.py", "Image.open"): "checked by prediction_mask before",
}
REQUIRED = {"torch.load": ("weights_only", True)}
FORBIDDEN_ARGUMENTS = {"allow_pickle": True, "trust_remote_code": True, "shell": True}


def calls(path: Path) -> list[tuple[str, ast.Call]]:
    """List what a file calls, by the last two parts of its name."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            found.append((".".join(ast.unparse(node.func).split(".")[-2:]), node))
    return found


def faults(path: Path, name: str) -> list[str]:
    found = []
    for called, node in calls(path):
        values = {each.arg: ast.unparse(each.value) for each in node.keywords}
        if (called in FORBIDDEN or called.split(".")[-1] in {"extractall"}) and (
            name,
            called,
        ) not in ALLOWED:
            found.append(f"{name}:{node.lineno} calls {called}")
        argument, value = REQUIRED.get(called, ("", None))
        if argument and values.get(argument) != str(value):
            found.append(f"{name}:{node.lineno} calls {called} without {argument}={value}")
        for argument, value in FORBIDDEN_ARGUMENTS.items():
            if values.get(argument) == str(value):
                found.append(f"{name}:{node.lineno} passes {argument}={value}")
    return found


def test_nothing_trusts_a_file() -> None:
    modules = sorted(PACKAGE.rglob("*.py"))
    assert [
        fault for path in modules for fault in faults(path, str(path.relative_to(PACKAGE)))
    ] == []


@pytest.mark.parametrize(
    "line",
    [
        "import yaml; yaml.load(text, Loader=yaml.Loader)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "numpy.load(path, allow_pickle=True)",
        "archive.extractall(folder)",
        "subprocess.run(command, shell=True)",
        "Image.open(path)",
    ],
)
def test_what_trusts_a_file_is_found(tmp_path: Path, line: str) -> None:
    path = tmp_path / "module.py"
    path.write_text(line)
    assert len(faults(path, "module.py")) == 1
