"""`rvos demo`: learn to tell motions apart in minutes, and show what changed."""

from rvos.demo.run import run_demo
from rvos.demo.settings import DemoSettings

__all__ = ["DemoSettings", "run_demo"]
