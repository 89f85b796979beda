"""Planes side by side, each taking the next run that nobody has taken."""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from sandbox.drill.plane import Plane
from sandbox.drill.result import Result
from sandbox.drill.run import Job, run
from sandbox.toolchain import Tools

Say = Callable[[str], None]


async def carry_out(
    jobs: Sequence[Job], lanes: int, folder: Path, tools: Tools, factor: float, say: Say, done: Callable[[Result], None]
) -> list[Result]:
    """All runs, each told to `done` as it ends; in the order of `jobs`.

    Raises a group of `PlaneError` when a plane cannot be started.
    """
    waiting, results = deque(enumerate(jobs)), dict[int, Result]()

    async def lane(number: int) -> None:
        plane = Plane(folder / f"plane-{number}", tools, factor, lambda text: say(f"{number}: {text}"))
        try:
            await plane.open()
            while waiting:
                index, job = waiting.popleft()
                told = functools.partial(_labelled, say, f"{number}: {job.name}, {job.kind}")
                results[index] = await run(job, plane, folder / "journals", told)
                done(results[index])
        finally:
            await plane.close()

    async with asyncio.TaskGroup() as group:
        for number in range(1, min(lanes, len(jobs)) + 1):
            group.create_task(lane(number))
    return [results[index] for index in range(len(jobs))]


def _labelled(say: Say, label: str, text: str) -> None:
    say(f"{label}: {text}")
