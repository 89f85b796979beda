"""`python -m sandbox`: the local plane from the command line."""

from __future__ import annotations

import signal
import sys


def _run() -> int:
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # loading takes a second, and Ctrl-C then shows no traceback
    from sandbox.cli import main

    signal.signal(signal.SIGINT, signal.default_int_handler)
    return main()


if __name__ == "__main__":
    sys.exit(_run())
