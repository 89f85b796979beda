"""Make a stack whole again after its update was killed, before the next one: who holds it, what was cut off."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from sandbox.files import write_whole
from sandbox.home import CHECKOUT, Home
from sandbox.interrupted import KUBERNETES, Found, Holder, cut_off, entered, holder, with_inputs
from sandbox.kube import Kube, KubeError
from sandbox.plane.errors import PlaneError

Json = dict[str, Any]
Say = Callable[[str], None]

SETTLES_WITHIN = 600.0
"""Seconds that an Azure operation gets which goes on although the engine that asked for it is dead."""

ON_ITS_WAY_SECONDS = 10.0
"""What a provider needs at most for the requests that it had taken when the engine was killed."""

CLOCK_SLACK = 2.0
"""Seconds by which a process may seem younger than the lock it wrote."""


def free_lock(home: Home, stack: str, say: Say) -> None:
    """Return when no living process holds the stack; a dead one's lock is removed.

    A lock from another machine cannot be judged: raises `PlaneError`.
    """
    waited = False
    while held := dict(_locks(home, stack)):
        for path, who in held.items():
            if who is None or (who.host == socket.gethostname() and not _lives(who)):
                path.unlink(missing_ok=True)
                say(f"The lock of an update that is dead is removed ({who or path.name}).")
            elif who.host != socket.gethostname():
                raise PlaneError(
                    f"The stack {stack} is held by an update on another machine: {who}.\n"
                    f"Wait for it. When it is dead: pulumi cancel --yes --stack {stack}"
                )
            elif not waited:
                waited = True
                say(f"Another update holds the stack {stack} ({who}); waiting for it to end.")
        if waited:
            time.sleep(0.5)


def whole_files(home: Home, stack: str, say: Say) -> None:
    """Mend what a kill tore of the stack's own files; nobody may hold the stack. Raises `PlaneError`.

    The engine replaces the state at once, but writes the content type and checksum beside it (`.attrs`) in place, and
    fails on a torn one: "failed to load checkpoint: EOF". They are not needed. Before each write it copies the state
    to `.bak`, one step behind: what was under way at that step is noted in it, so nothing is lost.
    """
    for path in (home.backend / ".pulumi").rglob("*.attrs"):
        if not _is_json(path):
            path.unlink()
            say(f"{path.name}, torn by a kill, is removed; the state itself does not need it.")
    for path in (home.backend / ".pulumi" / "stacks").rglob(f"{stack}.json"):
        if _is_json(path):
            continue
        copy = path.with_name(f"{path.name}.bak")
        if not (copy.exists() and _is_json(copy)):
            raise PlaneError(f"{path} and {copy.name} beside it cannot be read. Begin anew: make down, make up")
        write_whole(path, copy.read_text())
        path.with_name(f"{path.name}.attrs").unlink(missing_ok=True)
        say(f"{path.name}, torn by a kill, is taken from {copy.name}.")


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except ValueError:
        return False
    return True


def _locks(home: Home, stack: str) -> Iterator[tuple[Path, Holder | None]]:
    for path in (home.backend / ".pulumi" / "locks").rglob("*.json"):
        if path.parent.name == stack:
            with contextlib.suppress(FileNotFoundError):  # its holder has just ended
                yield path, holder(path.read_text())


def _lives(who: Holder) -> bool:
    """Whether the process is there and was when the lock was written; its id alone may be a stranger's by now."""
    try:
        started = psutil.Process(who.pid).create_time()
    except psutil.NoSuchProcess:
        return False
    return started <= datetime.fromisoformat(who.since).timestamp() + CLOCK_SLACK


class Stack:
    """The engine's commands on one stack."""

    def __init__(self, engine: str, stack: str, environment: Mapping[str, str], scratch: Path) -> None:
        self._engine, self._stack, self._environment = engine, stack, environment
        self._file = scratch / "recovered.json"

    def export(self) -> Json:
        exported = json.loads(self._run("stack", "export"))
        assert isinstance(exported, dict)
        return exported

    def take(self, exported: Json) -> None:
        write_whole(self._file, json.dumps(exported))
        try:
            self._run("stack", "import", "--file", str(self._file))
        finally:
            self._file.unlink()

    def read(self, urns: list[str]) -> None:
        """Bring what the state has of these resources to what their clouds say."""
        self._run("refresh", "--yes", "--skip-preview", *(f"--target={urn}" for urn in urns))

    def _run(self, *arguments: str) -> str:
        command = [self._engine, "--non-interactive", *arguments, "--stack", self._stack]
        done = subprocess.run(command, cwd=CHECKOUT, env=self._environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise PlaneError(f"pulumi {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}".rstrip())
        return done.stdout


def mend(home: Home, stack: Stack, say: Say) -> None:
    """Enter what a killed update has created into the state, forget what it has not. Raises `PlaneError`."""
    exported = stack.export()
    deployment: Json = exported.get("deployment") or {}
    if not deployment.get("pending_operations"):
        return
    begun = cut_off(deployment)
    found = asyncio.run(_find(home, begun))
    for resource in begun:
        became = "exists, and is taken over" if resource["urn"] in found else "does not exist, and is forgotten"
        say(f"An interrupted update had begun to create {_named(resource)}: it {became}.")
    again = len(deployment["pending_operations"]) - len(begun)
    if again:
        say(f"An interrupted update had begun {again} changes or deletions: they are done again.")
    stack.take(exported | {"deployment": entered(deployment, found)})
    if found:
        stack.read(list(found))
        read = stack.export()
        stack.take(read | {"deployment": with_inputs(read["deployment"], deployment)})


def _named(resource: Json) -> str:
    return f"{resource['type']} {resource['urn'].rsplit('::', 1)[1]}"


async def _find(home: Home, resources: list[Json]) -> dict[str, Found]:
    """Which of the resources exist, by URN.

    A provider outlives the engine and finishes what it was asked: what is not there at first may be on its way.
    """
    found = await _look(home, resources)
    until = time.monotonic() + ON_ITS_WAY_SECONDS
    while time.monotonic() < until and (absent := [each for each in resources if _may_come(each, found)]):
        await asyncio.sleep(0.5)
        found |= await _look(home, absent)
    return found


def _may_come(resource: Json, found: Mapping[str, Found]) -> bool:
    return resource["urn"] not in found and resource["type"].startswith((KUBERNETES, "azure-native:"))


async def _look(home: Home, resources: list[Json]) -> dict[str, Found]:
    found: dict[str, Found] = {}
    for resource in resources:
        if resource["type"].startswith(KUBERNETES):
            there = await _object(home, resource["inputs"])
        elif resource["type"].startswith("azure-native:"):
            there = await _azure(home, resource)
        else:
            there = None  # the engine's own
        if there is not None:
            found[resource["urn"]] = there
    return found


async def _object(home: Home, inputs: Json) -> Found | None:
    """The object in the cluster, if the engine's provider made it; one that somebody else made stays a conflict."""
    from sandbox.kubernetes import objects, state

    if not home.kubeconfig.exists():
        return None
    name, namespace = objects.name_of(inputs), objects.namespace_of(inputs) or None
    async with Kube(home.kubeconfig, "sandbox-cli") as kube:
        try:
            live = await kube.find(inputs["apiVersion"], inputs["kind"], name, namespace)
        except KubeError as error:
            if error.code == 404:  # not even its kind is known
                return None
            raise PlaneError(f"The cluster could not be asked for {name}: {error}") from error
    owners = [entry.get("manager", "") for entry in (live or {}).get("metadata", {}).get("managedFields", [])]
    ours = next((owner for owner in owners if owner.startswith(objects.FIELD_MANAGER_PREFIX)), None)
    if live is None or ours is None:
        return None
    outputs = {
        "apiVersion": inputs["apiVersion"],
        "kind": inputs["kind"],
        state.FIELD_MANAGER: ours,
        state.INITIAL_API_VERSION: inputs["apiVersion"],
    }
    live = {"apiVersion": inputs["apiVersion"], "kind": inputs["kind"], **live}
    return Found(objects.resource_id(live), outputs)


async def _azure(home: Home, resource: Json) -> Found | None:
    """The resource in Azure, once nothing is under way on it any more."""
    from sandbox.azure import catalogue
    from sandbox.azure.store import Store

    resource_id = catalogue.kind_of(resource["urn"]).build_id(resource["inputs"])
    deadline = time.monotonic() + SETTLES_WITHIN
    while time.monotonic() < deadline:
        record = Store(home.azure).find(resource_id)
        if record is None:
            return None
        if record.state.get("provisioningState") not in ("Creating", "Updating", "Upgrading", "Deleting"):
            return Found(record.id, {})
        await asyncio.sleep(0.5)
    raise PlaneError(f"{resource_id} is still being made after {SETTLES_WITHIN:.0f} s. See {home.log('supervisor')}")
