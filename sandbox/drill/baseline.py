"""The naive way: what the program itself renders, applied with `kubectl`; what it no longer has, deleted.

As `helm upgrade` would: new objects applied, old ones deleted, and the pods of changed SessionGroups replaced as those
of a Deployment, idle or not, within the graces of the vendor's chart.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.home import CHECKOUT
from sandbox.kube import Kube
from sandbox.plane.errors import PlaneError
from sandbox.sessions.model import Role
from sandbox.sessions.objects import role_of

Json = dict[str, Any]

CHART_GRACE = {Role.TRANSCRIBER: 30, Role.INFERENCE: 600, Role.FLOW: 30, Role.TTS: 30}
"""Seconds a stopping pod gets in the vendor's chart (contract: transcription 4 and 11, flow 2 and 5)."""

HIDDEN = "[secret]"
"""What a preview shows of a secret: an object with one is left as it is."""

GROUP = "SessionGroup"
MANAGER = "__fieldManager"


@dataclass(frozen=True)
class Change:
    """What a preview would do to one object of the cluster."""

    op: str
    obj: Json
    manager: str = ""
    """Who owns its fields now; empty: it is new."""

    @property
    def name(self) -> tuple[str, str, str]:
        """Kind, namespace, name."""
        meta = self.obj["metadata"]
        return self.obj["kind"], str(meta.get("namespace", "")), str(meta["name"])


@dataclass
class Plan:
    """What the naive way does."""

    applied: list[Change] = field(default_factory=list)
    deleted: list[Change] = field(default_factory=list)

    @property
    def groups(self) -> list[tuple[str, str]]:
        """Namespace and name of the SessionGroups whose pods go."""
        return [name[1:] for each in (*self.applied, *self.deleted) if (name := each.name)[0] == GROUP and each.manager]


def plan(steps: Sequence[Mapping[str, Any]]) -> Plan:
    """Of a preview's steps: those on objects of the cluster. A replacement is a deletion and an object anew."""
    made = Plan()
    for change in _changes(steps):
        if change.op in ("delete", "delete-replaced"):
            made.deleted.append(change)
        elif change.op in ("create", "update", "create-replacement"):
            made.applied.append(change)
    return made


def _changes(steps: Sequence[Mapping[str, Any]]) -> Iterator[Change]:
    for step in steps:
        kind = str(step["urn"]).rsplit("::", 2)[1].rsplit("$", 1)[-1]
        state = step.get("newState") or step.get("oldState") or {}
        obj = state.get("inputs") or {}
        if not kind.startswith("kubernetes:") or "metadata" not in obj or HIDDEN in json.dumps(obj):
            continue
        manager = ((step.get("oldState") or {}).get("outputs") or {}).get(MANAGER, "")
        yield Change(str(step["op"]), obj, str(manager))


class Naive:
    """`kubectl` on one cluster."""

    def __init__(self, kubectl: Path, kubeconfig: Path) -> None:
        self._kubectl, self._kubeconfig = kubectl, kubeconfig
        self.made: list[Change] = []
        """What it has created: the engine knows nothing of it."""
        self.planned: deque[Plan] = deque()
        """What it is going to apply, in turn."""

    async def carry_out(self, made: Plan, kube: Kube) -> None:
        """Apply, delete, and end the pods of the groups among them. Raises `PlaneError`."""
        pods = [pod for pod in await kube.list("v1", "Pod") if _owner(pod) in made.groups]
        for each in made.applied:
            manager = each.manager or "kubectl"
            arguments = ("apply", "--server-side", "--force-conflicts", f"--field-manager={manager}", "-f", "-")
            await self.run(*arguments, stdin=json.dumps(each.obj))
            if not each.manager:
                self.made.append(each)
        for each in made.deleted:
            await self._delete(each)
        for pod in pods:
            meta, role = pod["metadata"], role_of(pod["spec"])
            grace = CHART_GRACE.get(role, 30) if role else 30
            where = ("-n", meta["namespace"], "--ignore-not-found", "--wait=false")
            await self.run("delete", "pod", meta["name"], f"--grace-period={grace}", *where)

    async def undo(self) -> None:
        """Delete what it has created. Raises `PlaneError`."""
        while self.made:
            await self._delete(self.made.pop())

    async def _delete(self, each: Change) -> None:
        kind, namespace, name = each.name
        where = ("-n", namespace) if namespace else ()
        await self.run("delete", kind.lower(), name, *where, "--ignore-not-found", "--wait=false")

    async def run(self, *arguments: str, stdin: str = "") -> str:
        """What `kubectl` prints; paths are the checkout's. Raises `PlaneError`."""
        process = await asyncio.create_subprocess_exec(
            self._kubectl, "--kubeconfig", self._kubeconfig, *arguments,
            cwd=CHECKOUT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        out, _ = await process.communicate(stdin.encode())
        if process.returncode != 0:
            raise PlaneError(f"kubectl {' '.join(arguments)} exited {process.returncode}:\n{out.decode()}")
        return out.decode()


def _owner(pod: Json) -> tuple[str, str] | None:
    """Namespace and name of the SessionGroup a pod belongs to."""
    owners = pod["metadata"].get("ownerReferences") or []
    name = next((owner["name"] for owner in owners if owner["kind"] == GROUP), None)
    return None if name is None else (str(pod["metadata"]["namespace"]), str(name))
