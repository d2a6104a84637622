"""`python -m tulle`: the command, as `tulle help` describes it."""

import sys

from tulle import _core


def main() -> int:
    """Runs the command on this process's arguments; returns its exit status."""
    sys.stdout.flush()  # what the command writes goes past it
    return _core.command(["tulle", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
