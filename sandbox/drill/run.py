"""One run of a scenario, from the reset of its plane to its result."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from sandbox.drill.baseline import plan
from sandbox.drill.clients import Clients
from sandbox.drill.kinds import Apply, Overlay, Wait, told
from sandbox.drill.ladder import rows
from sandbox.drill.ladder.standing import changed, standing
from sandbox.drill.ladder.write import written
from sandbox.drill.plane import RESET_WITHIN, Plane
from sandbox.drill.result import Ending, Result, counts
from sandbox.drill.scenario import End, Kind, Scenario
from sandbox.drill.settled import must_settle, settle
from sandbox.drill.steps import take
from sandbox.drill.wait import until
from sandbox.kube import Kube, KubeError
from sandbox.nodes.clock import Clock
from sandbox.plane.errors import PlaneError
from sandbox.sessions.clients import Demand
from sandbox.sessions.journal import Journal
from sandbox.sessions.rows import FRIENDLY, HOSTILE, IdleRolling

BASE = Path(__file__).parent / "base.yaml"

ROWS = {
    Kind.FRIENDLY: FRIENDLY,
    # one that goes by a label it never lifts rolls nothing, and so shows nothing
    Kind.HOSTILE: HOSTILE.model_copy(update={"idle_rolling": IdleRolling.USAGE}),
    Kind.BASELINE: FRIENDLY,
}

COME_WITHIN = 60.0
"""Seconds until the clients must be there."""
HELD = 0.9
"""The share of the clients that must be in a session at once: between two of them each takes a breath."""
MARGIN = 60.0
"""Seconds above the longest session until everything must be settled."""
MARGIN_OF_OTHERS = 5.0
"""The same where old pods may be given new sessions for ever, or nothing may ever be settled: whoever was there at the
first step is gone by then."""
WAITING = "waiting for the rest"
EBB = "no client comes any more"


@dataclass(frozen=True)
class Job:
    """One run to be done."""

    name: str
    scenario: Scenario
    kind: Kind
    seed: int

    @property
    def demand(self) -> Demand:
        load = self.scenario.load
        return Demand(load.mean, load.longest, load.languages, load.flow, self.seed)

    @property
    def start(self) -> tuple[Overlay, ...]:
        """What is laid over the sandbox's stack: the drill's own, the longest session there can be, the scenario's."""
        longest: Overlay = {"sessions": {"maxDurationSeconds": int(self.scenario.load.longest)}}
        return yaml.safe_load(BASE.read_text()), longest, self.scenario.start


async def run(job: Job, plane: Plane, folder: Path, say: Callable[[str], None]) -> Result:
    """The result, whatever happens; the journal is in `folder`."""
    result = Result(job.name, job.kind)
    path = folder / f"{job.name}-{job.kind}.jsonl"
    path.unlink(missing_ok=True)
    with Journal(path) as journal:
        try:
            say("reset")
            await plane.reset(*job.start)
            plane.play(ROWS[job.kind], job.scenario.settings)
            async with _as_the_naive_have_it(job, plane, say):
                result = await _under_load(job, result, plane, journal, say)
        except (PlaneError, KubeError) as error:
            plane.spoilt = True
            result = replace(result, error=str(error))
        return replace(result, counts=counts(journal.events))


async def _plan(job: Job, plane: Plane) -> None:
    """What the naive steps apply, previewed while nobody is there: under load the program refuses some of it."""
    before = plane.engine.document
    plane.naive.planned.clear()
    for step in job.scenario.steps_of(job.kind):
        if isinstance(step, Apply):
            plane.engine.change(step.apply)
            plane.naive.planned.append(plan(await plane.engine.preview()))
    plane.engine.put_back(before)


@asynccontextmanager
async def _as_the_naive_have_it(job: Job, plane: Plane, say: Callable[[str], None]) -> AsyncIterator[None]:
    """Of a baseline: no admission policy, and its rung put back for as long as this lasts.

    After that its plane is no start of anything: what Azure has done to the machines meanwhile stays. Raises
    `PlaneError` or `KubeError`.
    """
    if job.kind is Kind.BASELINE:
        await _plan(job, plane)
        plane.behind_the_engine = True
        await plane.naive.run("delete", "validatingadmissionpolicybindings", "--all")
    if job.kind is not Kind.BASELINE or not job.scenario.put_back:
        yield
        return
    ladder = rows.read()
    (row,) = rows.of(ladder, [job.scenario.put_back])
    there = standing(await plane.engine.export())
    plane.spoilt = True
    back = changed(there, ladder.put_back(row))
    async with Kube(plane.home.kubeconfig, "drill") as kube, written(plane, kube, back):
        say(f"put back: {row.rung}")
        await must_settle([kube], RESET_WITHIN, say)
        yield


async def _under_load(job: Job, result: Result, plane: Plane, journal: Journal, say: Callable[[str], None]) -> Result:
    longest = job.scenario.load.longest / plane.factor
    async with Kube(plane.home.kubeconfig, "drill") as kube, clients(job, plane, kube, journal) as load:
        began, engine = time.monotonic(), plane.engine_seconds
        settling = _Settling(job, load, longest, say)
        for step in job.scenario.steps_of(job.kind):
            say(told(step))
            journal.step = told(step)
            if job.kind is Kind.HOSTILE and isinstance(step, Wait) and step.wait == "settled":
                await settling.between_steps()
            else:
                await take(step, plane, load, longest + MARGIN)
        journal.step = WAITING
        say(WAITING)
        await settling.at_the_end()
        seconds = time.monotonic() - began
        amiss = [] if job.kind is Kind.BASELINE else await _amiss(job.scenario.end, plane)
        if settling.ending is Ending.NEVER:
            plane.spoilt |= job.kind is Kind.FRIENDLY
        engine = plane.engine_seconds - engine
        ending, left = settling.ending, tuple(settling.left)
        return replace(result, seconds=seconds, engine=engine, ending=ending, left=left, amiss=amiss)


async def _amiss(ends: Sequence[End], plane: Plane) -> list[str]:
    """A line for each end that is other than the scenario says."""
    lines = []
    for end in ends:
        labels = ("-l", end.labels) if end.labels else ()
        said = await plane.naive.run("get", end.get, "-n", end.namespace, *labels, f"-o=jsonpath={{{end.path}}}")
        lines += [line for line in [end.amiss(said)] if line]
    return lines


class _Settling:
    """Waits until all is settled: under load, and where old pods get new sessions for ever, without it."""

    def __init__(self, job: Job, load: Clients, longest: float, say: Callable[[str], None]) -> None:
        self._job, self._load, self._longest, self._say = job, load, longest, say
        self.ending = Ending.UNDER_LOAD
        self.left: list[str] = []
        """What kept it from being settled under load."""

    async def at_the_end(self) -> None:
        """Of a run: the clients do not come back. What the naive way leaves may never settle, and nobody judges it."""
        margin = MARGIN if self._job.kind is Kind.FRIENDLY else MARGIN_OF_OTHERS
        left = await settle(self._load.clusters, self._longest + margin, self._say)
        if not left:
            return
        if self._job.kind is Kind.BASELINE:
            self.left, self.ending = left, Ending.NEVER
            return
        self._say(f"{EBB}: {left[0]}")
        self._load.journal.step = EBB
        self._load.hold(0)
        self.left = self.left or left
        still = await settle(self._load.clusters, self._longest + MARGIN, self._say)
        self.ending = Ending.NEVER if still else Ending.AFTER

    async def between_steps(self) -> None:
        """As an operator would, who sends the clients elsewhere for a while when nothing else helps.

        Raises `PlaneError` where it is not possible without them either.
        """
        await self.at_the_end()
        if self.ending is Ending.NEVER:
            raise PlaneError(f"not settled, not even without clients: {self.left[0]}")
        self._load.hold(self._job.scenario.load.sessions)


@asynccontextmanager
async def clients(job: Job, plane: Plane, kube: Kube, journal: Journal) -> AsyncIterator[Clients]:
    """The load, held from here on. Raises `PlaneError` when it does not come."""
    wanted = job.scenario.load.sessions
    async with Clients(job.demand, Clock(plane.home), journal) as load:
        await load.come_to(kube)
        load.hold(wanted)
        if not await until(lambda: load.alive >= HELD * wanted, COME_WITHIN):
            why = counts(journal.events).turned_away.most_common(1)
            raise PlaneError(f"{load.alive} of {wanted} sessions came within {COME_WITHIN:.0f} s: {why}")
        yield load
