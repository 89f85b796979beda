"""`python -m sandbox.toolchain`: build what is missing, print the folder of programs."""

from __future__ import annotations

import signal
import sys

from sandbox.toolchain import ToolchainError, ensure, report


def main() -> int:
    """The command; its exit code."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the running `go` is ended with us
    try:
        print(ensure(report()).bin)
    except ToolchainError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. What was compiled is kept: the same command goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
