"""The weekly node image: AKS reimages the machines of a cluster whose node OS channel says so.

AKS documentation auto-upgrade-node-os-image: `NodeImage` (the default of new clusters) weekly, inside the window
`aksManagedNodeOSUpgradeSchedule` where there is one; `None` and `Unmanaged` never. `SecurityPatch` patches live and
reimages only when a patch needs it: it is reimaged here when a week is asked for, and not by the week.

A week is a scaled week (`timeFactor`). The setting `nodeImageWeeks` counts the weeks that are to come at once; each
moves the calendar to where AKS would act next, the window's next start included. What has come is in the cluster's
record under `nodeImage`: `week` of the newest image, `real` and `calendar` (epoch seconds of this machine and of the
cluster's calendar when it came), `asked` (weeks asked for so far), `outcome` (a text for each pool), and where the
setting `calendar` has moved the calendar meanwhile: `set` (its value) and `shift` (seconds).

Node auto-repair is not played: no node here is ever repaired by AKS.
"""

from __future__ import annotations

import asyncio
import datetime
import logging
import time
from collections.abc import Awaitable, Callable

from sandbox import settings
from sandbox.azure import ids, windows
from sandbox.azure.catalogue import MAINTENANCE, MANAGED_CLUSTER
from sandbox.azure.errors import ArmError
from sandbox.azure.store import Record, Store
from sandbox.home import Home
from sandbox.nodes.clock import Clock
from sandbox.rpc import Json

WEEK_SECONDS = 7 * 24 * 3600.0
WINDOW = "aksManagedNodeOSUpgradeSchedule"
LOOK_SECONDS = 0.5
"""How often the calendar is looked at. Seconds of this machine."""

_log = logging.getLogger(__name__)

Upgrade = Callable[[Record], Awaitable[dict[str, str]]]
"""Brings all pools of a cluster to its newest image: what became of each. `ArmError` when the cluster is busy."""


def channel(cluster: Json) -> str:
    """The node OS channel that is in force. `node-image` of the cluster's own channel sets it (limitations, ibid.)."""
    profile = cluster.get("autoUpgradeProfile") or {}
    if profile.get("upgradeChannel") == "node-image":
        return "NodeImage"
    return str(profile.get("nodeOSUpgradeChannel") or "NodeImage")


class NodeImages:
    """The calendar of all clusters."""

    def __init__(self, store: Store, clock: Clock, upgrade: Upgrade) -> None:
        self._store, self._clock, self._upgrade = store, clock, upgrade
        self._looked: dict[str, float] = {}

    async def run(self) -> None:
        while True:
            for cluster in list(self._store.of(MANAGED_CLUSTER)):
                try:
                    await self.look(cluster)
                except Exception:
                    _log.exception("the node image of %s: trying again", cluster.id)
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self, cluster: Record) -> None:
        """Let the week come when it is due."""
        if cluster.state["provisioningState"] in ("Creating", "Deleting"):
            return
        asked = self._clock.current.node_image_weeks
        kept = self._kept(cluster, asked)
        if kept["asked"] < asked:
            await self._come(cluster, self._moved(cluster, kept), asked)
            return
        now = self._now(cluster, kept)
        before = self._looked.get(cluster.id, now)
        self._looked[cluster.id] = now
        if channel(cluster.state) != "NodeImage" or now < kept["calendar"] + WEEK_SECONDS:
            return
        window = self._window(cluster)
        if window is None or windows.is_open(window, _moment(now)) or _started(window, before, now):
            await self._come(cluster, now, asked)

    def _now(self, cluster: Record, kept: Json) -> float:
        """The moment of the cluster's calendar, moved where the setting asks for it."""
        now = float(kept["calendar"] + (time.time() - kept["real"]) * self._clock.factor + kept.get("shift", 0.0))
        asked = self._clock.current.calendar
        if not asked:
            kept.pop("set", None)
            return now - float(kept.pop("shift", 0.0))
        if kept.get("set") == asked:
            return now
        wanted = datetime.datetime.fromisoformat(asked).timestamp()
        kept |= {"set": asked, "shift": kept.get("shift", 0.0) + wanted - now}
        self._store.save()
        self._looked.pop(cluster.id, None)  # no window began in a time that was left out
        return wanted

    def _kept(self, cluster: Record, asked: int) -> Json:
        """What the record says; a new cluster's calendar begins now, with nothing asked of it."""
        if "nodeImage" not in cluster.hidden:
            now = time.time()
            cluster.hidden["nodeImage"] = {"week": 0, "real": now, "calendar": now, "asked": asked, "outcome": {}}
            self._store.save()
        kept: Json = cluster.hidden["nodeImage"]
        return kept

    def _moved(self, cluster: Record, kept: Json) -> float:
        """The calendar a week on, at the window's next start where there is one."""
        due = float(kept["calendar"]) + WEEK_SECONDS
        window = self._window(cluster)
        if window is None or windows.is_open(window, _moment(due)):
            return due
        start = windows.next_start(window, _moment(due))
        return due if start is None else start.timestamp()

    async def _come(self, cluster: Record, calendar: float, asked: int) -> None:
        kept = cluster.hidden["nodeImage"]
        where = channel(cluster.state)
        if where in ("None", "Unmanaged"):
            outcome = {"": f"nothing is reimaged: nodeOSUpgradeChannel is {where}"}
        else:
            week = kept["week"]
            kept["week"] = week + 1
            try:
                outcome = await self._upgrade(cluster)
            except ArmError:  # another operation is under way: the next look tries again
                kept["week"] = week
                return
        kept |= {"real": time.time(), "calendar": calendar, "asked": asked, "outcome": outcome, "shift": 0.0}
        self._looked.pop(cluster.id, None)
        self._store.save()

    def _window(self, cluster: Record) -> Json | None:
        found = self._store.find(f"{cluster.id}/maintenanceConfigurations/{WINDOW}")
        return None if found is None or found.token != MAINTENANCE.token else found.state["maintenanceWindow"]


def ask(home: Home) -> int:
    """Let one week more come at once; its number, for `outcomes`."""
    before = settings.read(home)
    come = [int(kept.get("asked", 0)) for kept in map(_record, Store(home.azure).of(MANAGED_CLUSTER))]
    asked = max([before.node_image_weeks, *come]) + 1
    settings.write(before.model_copy(update={"node_image_weeks": asked}), home)
    return asked


def _record(cluster: Record) -> Json:
    found: Json = cluster.hidden.get("nodeImage") or {}
    return found


def outcomes(store: Store, asked: int) -> dict[str, dict[str, str]] | None:
    """What the week asked for has done, by cluster and pool; None while it is under way."""
    clusters = list(store.of(MANAGED_CLUSTER))
    if any(_record(cluster).get("asked", -1) < asked for cluster in clusters):
        return None
    return {ids.name(cluster.id): cluster.hidden["nodeImage"]["outcome"] for cluster in clusters}


def _moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _started(window: Json, before: float, now: float) -> bool:
    """Whether the window began between two looks: time may be scaled so that it fits between them."""
    start = windows.last_start(window, _moment(now))
    return start is not None and before < start.timestamp()
