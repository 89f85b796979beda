"""One run of a row: its scenario with the rung put back, or the same with the guards taken away only."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox.drill.engine import begun_with
from sandbox.drill.kinds import told
from sandbox.drill.ladder.rows import Change, Ladder, Row
from sandbox.drill.ladder.standing import Standing, changed, standing
from sandbox.drill.ladder.write import written
from sandbox.drill.plane import RESET_WITHIN, Plane
from sandbox.drill.result import counts
from sandbox.drill.run import MARGIN, Job, clients
from sandbox.drill.scenario import Kind, chosen
from sandbox.drill.settled import must_settle
from sandbox.drill.steps import take
from sandbox.kube import Kube, KubeError
from sandbox.plane.errors import PlaneError
from sandbox.sessions.journal import Journal
from sandbox.sessions.model import Cut
from sandbox.sessions.rows import FRIENDLY

Json = dict[str, Any]
Say = Callable[[str], None]

GAVE_UP = 1
"""Exit code of a process that ended because it waited in vain (`sandbox.nodes.process`)."""


@dataclass(frozen=True)
class Climb:
    """A run to be done."""

    row: Row
    ladder: Ladder
    put_back: bool
    seed: int

    @property
    def job(self) -> Job:
        """The scenario with the row's load."""
        scenario = chosen([self.row.scenario])[self.row.scenario]
        other = self.row.load.model_dump(exclude_none=True)
        scenario = scenario.model_copy(update={"load": scenario.load.model_copy(update=other)})
        return Job(self.row.scenario, scenario, Kind.FRIENDLY, self.seed)

    @property
    def changes(self) -> tuple[Change, ...]:
        return self.ladder.put_back(self.row) if self.put_back else self.ladder.taken_away(self.row)


@dataclass(frozen=True)
class Shown:
    """What a run has shown."""

    alive: int = 0
    """Sessions when the first step began."""
    cuts: Mapping[str, int] = field(default_factory=dict)
    """How many, by role and reason."""
    gave_up: Sequence[str] = ()
    """Containers whose process has ended by itself."""
    seconds: float = 0.0
    error: str = ""


@dataclass
class Stand:
    """A plane, and what the engine has made on it for a start."""

    plane: Plane
    _start: Json | None = None
    _there: Sequence[Standing] = ()

    async def reach(self, job: Job) -> Sequence[Standing]:
        """What stands there when it is as the job begins. Raises `PlaneError`."""
        plane, wanted = self.plane, begun_with(*job.start)
        if plane.spoilt or self._start != wanted or plane.engine.document != wanted:
            await plane.reset(*job.start)
            self._start, self._there = wanted, standing(await plane.engine.export())
        plane.play(FRIENDLY, {})
        return self._there


async def climb(run: Climb, stand: Stand, journals: Path, say: Say) -> Shown:
    """What the run shows, whatever happens; its journal is left there."""
    kind = "put-back" if run.put_back else "guarded"
    path = journals / f"{run.row.rung.replace(' ', '-').replace('/', '-')}-{kind}.jsonl"
    path.unlink(missing_ok=True)
    began, plane = time.monotonic(), stand.plane
    shown = Shown()
    with Journal(path) as journal:
        try:
            job = run.job
            there = await stand.reach(job)
            plane.play(FRIENDLY, {**job.scenario.settings, **run.row.settings})
            async with Kube(plane.home.kubeconfig, "drill") as kube:
                async with written(plane, kube, changed(there, run.changes)):
                    await must_settle([kube], RESET_WITHIN, say)
                    before = await _ends(kube)
                    await _steps(job, plane, kube, journal, say)
                    shown = replace(shown, gave_up=sorted(_more(before, await _ends(kube))))
                if not plane.spoilt:
                    await must_settle([kube], RESET_WITHIN, say)
        except (PlaneError, KubeError) as error:
            plane.spoilt = True
            shown = replace(shown, error=str(error))
        found = counts(journal.events)
    return replace(shown, alive=found.alive, cuts=by_reason(found.cuts), seconds=time.monotonic() - began)


async def _steps(job: Job, plane: Plane, kube: Kube, journal: Journal, say: Say) -> None:
    longest = job.scenario.load.longest / plane.factor
    async with clients(job, plane, kube, journal) as load:
        for step in job.scenario.steps:
            say(told(step))
            journal.step = told(step)
            await take(step, plane, load, longest + MARGIN)
        await must_settle(load.clusters, longest + MARGIN, say)


async def _ends(kube: Kube) -> Counter[tuple[str, str]]:
    """How often the process of each container has given up, as far as it can be seen: by pod and container."""
    found: Counter[tuple[str, str]] = Counter()
    for pod in await kube.list("v1", "Pod"):
        for each in (pod.get("status") or {}).get("containerStatuses") or []:
            ends = [(each.get(state) or {}).get("terminated") or {} for state in ("state", "lastState")]
            if any(end.get("exitCode") == GAVE_UP for end in ends):
                found[pod["metadata"]["uid"], each["name"]] = each["restartCount"] + 1
    return found


def _more(before: Counter[tuple[str, str]], after: Counter[tuple[str, str]]) -> set[str]:
    return {container for pod, container in after - before}


def by_reason(cuts: Sequence[Cut]) -> Mapping[str, int]:
    """How many sessions were cut, by role and reason, most first."""
    return dict(Counter(f"{cut.hop.role}: {cut.reason}" for cut in cuts).most_common())


def wrong(row: Row, put: Shown, guarded: Shown) -> str:
    """Why the two runs do not show that the rung holds; empty: they do."""
    assert row.red is not None
    for name, shown in (("put back", put), ("not put back", guarded)):
        if shown.error:
            return f"{name}: {shown.error.splitlines()[0]}"
        if not shown.alive:
            return f"{name}: no session was alive when the first step began"
    if guarded.cuts or row.red.gave_up in guarded.gave_up:
        seen = [*guarded.cuts, *guarded.gave_up]
        return f"not put back: red all the same ({seen[0]})"
    if row.red.gave_up:
        return "" if row.red.gave_up in put.gave_up else f"put back: {row.red.text} was not seen"
    return (
        "" if row.red.cut in put.cuts else f"put back: no cut reads {row.red.cut!r} ({', '.join(put.cuts) or 'none'})"
    )
