"""The tree: tests mirror the package, layers point downwards, most files are short."""

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path

import rvos

ROOT = Path(__file__).parents[2]
PACKAGE = Path(rvos.__file__).parent
MIRRORED_SHARE = 0.95


def package_modules() -> list[Path]:
    """List the public modules, relative to the package."""
    files = (path.relative_to(PACKAGE) for path in sorted(PACKAGE.rglob("*.py")))
    return [path for path in files if not path.name.startswith("_")]


def test_tests_mirror_the_package() -> None:
    modules = package_modules()
    missing = [
        str(module)
        for module in modules
        if not (ROOT / "tests" / module.with_name(f"test_{module.name}")).exists()
    ]
    assert len(missing) <= (1 - MIRRORED_SHARE) * len(modules), missing


def test_test_folders_are_not_packages() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_every_package_folder_is_importable() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_imports_point_downwards() -> None:
    tool = shutil.which("lint-imports", path=str(Path(sys.executable).parent))
    assert tool is not None, "import-linter is not installed: run `make setup`"
    done = subprocess.run([tool], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_torch_core_is_everything_below_the_tasks() -> None:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg")
    rows = parser["importlinter:contract:layers"]["layers"].split("\n")
    names = [re.findall(r"\w+", row) for row in rows if row.strip()]
    top = next(index for index, row in enumerate(names) if "tasks" in row)
    below = {f"rvos.{name}" for row in names[top + 1 :] for name in row}
    assert below == set(parser["importlinter:contract:torch-only-core"]["source_modules"].split())
