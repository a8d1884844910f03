"""The user's errors are told apart from the program's."""

import importlib
import inspect
import pkgutil

import rvos
from rvos.structures.errors import RunStopped, RvosError


def test_errors_of_the_package_are_the_users() -> None:
    modules = [
        importlib.import_module(info.name)
        for info in pkgutil.walk_packages(rvos.__path__, "rvos.")
        # The kernels need an optional dependency.
        if not info.name.endswith(("__main__", "triton_kernels"))
    ]
    classes = {c for m in modules for _, c in inspect.getmembers(m, inspect.isclass)}
    own = {c for c in classes if issubclass(c, Exception) and c.__module__.startswith("rvos.")}
    assert RvosError in own
    assert {c.__qualname__ for c in own if not issubclass(c, RvosError | RunStopped)} == set()
