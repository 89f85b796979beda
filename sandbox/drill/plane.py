"""One plane of the drill: started, brought to a scenario's start, thrown away."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import JsonValue, ValidationError

from sandbox import settings, shell
from sandbox.drill import azure
from sandbox.drill.baseline import Naive
from sandbox.drill.engine import Engine
from sandbox.drill.overlay import PROJECT, laid_over
from sandbox.drill.settled import settle
from sandbox.home import CHECKOUT, Home
from sandbox.kube import Kube
from sandbox.plane.errors import PlaneError
from sandbox.sessions.rows import FRIENDLY, Rows
from sandbox.toolchain import Tools

BESIDE = "beside"
"""The name of the second stack."""

RESET_WITHIN = 300.0
"""Seconds a plane without clients gets until everything on it is settled."""

Say = Callable[[str], None]
Overlay = Mapping[str, JsonValue]


class Plane:
    """A state folder, its processes, and the stack on it."""

    def __init__(self, root: Path, tools: Tools, factor: float, say: Say) -> None:
        self.home, self.tools, self.factor, self._say = Home(root), tools, factor, say
        self._engine: Engine | None = None
        self._beside: Engine | None = None
        self.naive = Naive(tools.path("kubectl"), self.home.kubeconfig)
        self.spoilt = False
        """Whether a run went wrong on it: nobody knows what stands there."""
        self.behind_the_engine = False
        """Whether something was changed that the state knows nothing of."""

    @property
    def engine(self) -> Engine:
        assert self._engine is not None, "the plane was not opened"
        return self._engine

    @property
    def engine_seconds(self) -> float:
        """How long the commands on both of its stacks have run."""
        return self.engine.seconds + (self._beside.seconds if self._beside else 0.0)

    async def open(self) -> None:
        """Start it, with an empty stack. Raises `PlaneError`."""
        await self._sandbox("start")
        self.home.backend.mkdir(parents=True, exist_ok=True)
        self._engine = Engine(self.home, self.tools, shell.environment(self.home, self.tools))
        await self._engine.select()
        self._beside = None
        self.spoilt = self.behind_the_engine = False
        self.naive.made.clear()

    async def close(self) -> None:
        """End it and remove all that it wrote. Raises `PlaneError`."""
        await self._sandbox("stop")
        await asyncio.to_thread(shutil.rmtree, self.home.root, ignore_errors=True)

    async def _sandbox(self, command: str) -> None:
        """A command of `python -m sandbox` for this plane. Raises `PlaneError`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sandbox", command,
            cwd=CHECKOUT,
            env=os.environ | {"SM_SANDBOX_HOME": str(self.home.root)},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate()
        if process.returncode != 0:
            raise PlaneError(f"`python -m sandbox {command}` exited {process.returncode}:\n{out.decode()}")

    def play(self, rows: Rows, given: Overlay) -> None:
        """The stand-ins' settings from here on: these rows, and what a scenario gives. Raises `PlaneError`."""
        written = settings.Settings(time_factor=self.factor, **rows.model_dump()).model_dump(by_alias=True)
        try:
            settings.write(settings.Settings.model_validate(written | dict(given)), self.home)
        except ValidationError as error:
            raise PlaneError(f"settings of the stand-ins: {error}") from error

    async def stand_beside(self, overlay: Overlay) -> None:
        """Another stack, with this laid over what the first one has, brought up. Raises `PlaneError`.

        Two clusters are no start of anything: the plane is to be thrown away.
        """
        self.spoilt = True
        self._beside = Engine(self.home, self.tools, shell.environment(self.home, self.tools), BESIDE)
        self._beside.put_back(laid_over(self.engine.document, overlay))
        await self._beside.select()
        await self._beside.up()

    async def delete_cluster(self) -> None:
        """The first stack's cluster is deleted, outside the program. Raises `PlaneError` with Azure's refusal."""
        where = self.engine.document["config"][f"{PROJECT}:azure"]
        await azure.delete_cluster(self.home, where["resourceGroup"], where["clusterName"])

    async def reset(self, *start: Overlay) -> None:
        """The start of a scenario: its configuration, everything of its newest version. Raises `PlaneError`.

        What a run before has spoilt is thrown away; so is a plane that does not come to its start, and one with other
        pools: back to the old ones it would be as many updates as it was there.
        """
        before = self.engine.pools
        self.engine.begin(*start)
        if not self.spoilt and before in (None, self.engine.pools):
            try:
                await self._reset()
            except PlaneError as error:
                self._say(f"the plane begins anew: {str(error).splitlines()[0]}")
            else:
                return
        await self.close()
        await self.open()
        self.engine.begin(*start)
        await self._reset()

    async def _reset(self) -> None:
        self.play(FRIENDLY, {})
        if self.behind_the_engine:
            await self.naive.undo()
        await self.engine.up(*(("--refresh",) if self.behind_the_engine else ()))
        self.behind_the_engine = False
        async with Kube(self.home.kubeconfig, "drill") as kube:
            left = await settle([kube], RESET_WITHIN, self._say)
        if left:
            raise PlaneError(f"The start was not reached within {RESET_WITHIN:.0f} s:\n    " + "\n    ".join(left))
