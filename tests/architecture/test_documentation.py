"""What the documents say is true: commands exist, links resolve, Python examples run."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from rvos.cli import VERBS

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "data").glob("*.md")]
)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.M | re.S)
CODE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|#|mailto:)([^)#\s]+)")
# A path of somebody's machine.
MACHINE_PATH = re.compile(r"(?<![\w./])/(?:home|root|work|Users|mnt)/")

each_document = pytest.mark.parametrize(
    "document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


def snippets(document: Path) -> str:
    """Join all code of one document, fenced and inline, one snippet a line."""
    text = document.read_text(encoding="utf-8")
    fenced = [code for _, code in BLOCK.findall(text)]
    return "\n".join(fenced + CODE.findall(BLOCK.sub("", text)))


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):.*##", makefile, re.M))


@each_document
def test_make_targets_exist(document: Path) -> None:
    named = set(re.findall(r"^make ([a-z][\w-]*)", snippets(document), re.M))
    assert named - make_targets() == set()


@each_document
def test_verbs_exist(document: Path) -> None:
    named = set(
        re.findall(r"^(?:\$ )?(?:\.venv/bin/)?rvos ([a-z][\w-]*)", snippets(document), re.M)
    )
    assert named - set(VERBS) == set()


@each_document
def test_named_configs_exist(document: Path) -> None:
    named = set(re.findall(r"\bconfigs/[\w/.-]+\.yaml", snippets(document)))
    named = {name for name in named if "NAME" not in name}
    assert {name for name in named if not (ROOT / name).exists()} == set()


@each_document
def test_links_resolve(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    targets = [(document.parent / target) for target in LINK.findall(text)]
    assert [str(target) for target in targets if not target.exists()] == []


@each_document
def test_no_path_of_a_machine(document: Path) -> None:
    assert MACHINE_PATH.findall(document.read_text(encoding="utf-8")) == []


@each_document
def test_python_examples_run(document: Path, tmp_path: Path) -> None:
    text = document.read_text(encoding="utf-8")
    blocks = [code for language, code in BLOCK.findall(text) if language == "python"]
    if not blocks:
        return
    script = tmp_path / "example.py"
    script.write_text("\n".join(blocks), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_ablation_is_listed() -> None:
    text = (ROOT / "docs" / "ablations.md").read_text(encoding="utf-8")
    names = [f"configs/ablation/{path.name}" for path in (ROOT / "configs/ablation").glob("*.yaml")]
    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize(
    "path", sorted((ROOT / "configs" / "experiment").glob("*.yaml")), ids=lambda path: path.stem
)
def test_experiments_fit_on_fifteen_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 15


def test_every_make_target_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.findall(r"^\.PHONY: (.*)", makefile, re.M)
    assert set(" ".join(phony).split()) == make_targets()
