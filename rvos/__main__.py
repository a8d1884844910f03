"""Run the `rvos` command as `python -m rvos`."""

import sys

from rvos.cli import main

if __name__ == "__main__":
    sys.exit(main())
