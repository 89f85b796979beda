"""How the toolchain shows what it does: a live line on a terminal, plain lines anywhere else, always on stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

PLAIN_INTERVAL = 30.0
"""Seconds between two plain lines about one step: often enough to see that it lives, seldom enough for a CI log."""


class Step(Protocol):
    """One running step."""

    def detail(self, text: str) -> None:
        """Show how far the step is."""


class Report(Protocol):
    """Where progress goes."""

    def note(self, text: str) -> None:
        """Say one thing worth knowing."""

    @contextmanager
    def step(self, title: str, usually: str) -> Iterator[Step]:
        """Show a step while the block runs; `usually` says how long it takes."""


class _LiveStep:
    def __init__(self, progress: Progress, title: str, usually: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, usually=usually, detail="")

    def detail(self, text: str) -> None:
        self._progress.update(self._task, detail=text)


class Live:
    """Progress on a terminal."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)

    @contextmanager
    def step(self, title: str, usually: str) -> Iterator[Step]:
        columns = [
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("[dim](usually {task.fields[usually]}) {task.fields[detail]}"),
        ]
        started = time.monotonic()
        with Progress(*columns, console=self._console, transient=True) as progress:
            yield _LiveStep(progress, title, usually)
        self.note(f"{title}: done in {time.monotonic() - started:.0f} s")


class _PlainStep:
    def __init__(self, console: Console, title: str) -> None:
        self._console, self._title = console, title
        self._started = self._shown = time.monotonic()

    def detail(self, text: str) -> None:
        now = time.monotonic()
        if now - self._shown >= PLAIN_INTERVAL:
            self._shown = now
            self._console.print(f"{self._title}: {now - self._started:.0f} s, {text}", markup=False, highlight=False)

    def done(self) -> None:
        took = time.monotonic() - self._started
        self._console.print(f"{self._title}: done in {took:.0f} s", markup=False, highlight=False)


class Plain:
    """Progress in a log."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def note(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False)

    @contextmanager
    def step(self, title: str, usually: str) -> Iterator[Step]:
        self.note(f"{title} (usually {usually})")
        step = _PlainStep(self._console, title)
        yield step
        step.done()


def report(console: Console | None = None) -> Report:
    """The report that fits where stderr goes."""
    console = console or Console(stderr=True, soft_wrap=True)
    return Live(console) if console.is_terminal else Plain(console)
