"""How many steps the program's own code takes: a count without noise, of what its cost for a language is made of."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from types import FrameType
from typing import Any

from tests.bench import stack
from tests.unit.graph import CHECKOUT, run_program

OURS = tuple(f"{CHECKOUT}/{part}" for part in ("__main__.py", "components/", "stacks/"))
"""Where a step counts; the SDK, the models' library and the recording are others' code."""


class Counter:
    """Counts instructions of the interpreter in our files, loops within a function among them."""

    def __init__(self) -> None:
        self.steps = 0

    def __call__(self, frame: FrameType, _event: str, _argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._step

    def _step(self, _frame: FrameType, event: str, _argument: Any) -> Any:
        self.steps += event == "opcode"
        return self._step


def _run(count: int) -> None:
    run_program("sandbox", lambda config: stack.configure(config, count, every_server=True))


def _counted(count: int) -> int:
    counter, before = Counter(), sys.gettrace()
    threading.settrace(counter)
    sys.settrace(counter)
    try:
        _run(count)
    finally:
        sys.settrace(before)
        threading.settrace(before)
    return counter.steps


def steps(counts: Iterable[int]) -> dict[int, int]:
    """Steps of the whole program for so many languages each, always with the servers of all of them."""
    sizes = sorted(counts)
    _run(sizes[-1])  # what is remembered from run to run is known before the first count
    return {count: _counted(count) for count in sizes}
