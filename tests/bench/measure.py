"""Time of a preview: of the clock, and of the processors in the engine, the language host and the program."""

from __future__ import annotations

import math
import os
import re
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.languagehost.forked import PLACE


class PreviewError(Exception):
    """A preview that failed; the text is what it printed."""


@dataclass(frozen=True)
class Time:
    """Seconds."""

    wall: float
    cpu: float


@dataclass(frozen=True)
class Runs:
    """Several previews of the same; the median counts."""

    taken: tuple[Time, ...]

    @property
    def wall(self) -> float:
        return statistics.median(each.wall for each in self.taken)

    @property
    def cpu(self) -> float:
        return statistics.median(each.cpu for each in self.taken)

    @property
    def cpu_error(self) -> float:
        """Standard error of the median of the processors' time, in seconds, by how far the runs are from it.

        For a normal distribution the median deviation is 0.6745 of the standard deviation, and the median of n has
        1.2533 / √n of it.
        """
        off = statistics.median(abs(each.cpu - self.cpu) for each in self.taken)
        return off / 0.6745 * 1.2533 / math.sqrt(len(self.taken))


@dataclass(frozen=True)
class Program:
    """A program that can be previewed."""

    folder: Path
    environment: dict[str, str]

    def preview(self, stack: str) -> tuple[Time, int]:
        """One preview: how long it took, and how many resources it would create, components among them.

        The processors' time is that of the engine and all it started and waited for; the providers of the plane run
        on their own and are not in it. A program that the plane forks would not be either, and the one beside it,
        whose modules the plane does not hold, would start otherwise: both are started plainly.
        """
        environment = {name: value for name, value in self.environment.items() if name != PLACE}
        command = ["pulumi", "preview", "--non-interactive", "--stack", stack]
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=self.folder, env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        with process.stdout:
            said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        creates = re.search(r"\+ (\d+) to create", said)
        if process.returncode != 0 or creates is None:
            raise PreviewError(said)
        return Time(wall, usage.ru_utime + usage.ru_stime), int(creates[1])


def times(ours: Runs, beside: Runs) -> tuple[float, float]:
    """How many times the other's time of the clock and of the processors one takes.

    The median over the pairs of runs that `in_pairs` takes right after one another: a machine whose speed changes from
    one moment to the next (a neighbour, a processor's temperature) changes both of a pair.
    """
    pairs = list(zip(ours.taken, beside.taken, strict=True))
    return statistics.median(a.wall / b.wall for a, b in pairs), statistics.median(a.cpu / b.cpu for a, b in pairs)


Preview = Callable[[], Time]


def in_pairs(pairs: list[tuple[Preview, Preview]], runs: int) -> list[tuple[Runs, Runs]]:
    """So many runs of each pair, one right after the other, every second time the other way round.

    Pairs take turns, so that a busy minute hits all; one run of each before is not counted.
    """
    for pair in pairs:
        for preview in pair:
            preview()
    taken: list[tuple[list[Time], list[Time]]] = [([], []) for _ in pairs]
    for number in range(runs):
        for pair, kept in zip(pairs, taken, strict=True):
            for side in (0, 1) if number % 2 == 0 else (1, 0):
                kept[side].append(pair[side]())
    return [(Runs(tuple(ours)), Runs(tuple(beside))) for ours, beside in taken]
