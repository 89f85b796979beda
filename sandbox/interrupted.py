"""What a killed update leaves in its stack, and what makes it whole again. Pure: `sandbox.recover` asks and acts.

Nothing here is the sandbox's own: it is true for a stack on real Azure, and a recovery there begins with the same plan.
The engine writes down each creation before it begins and takes the note away when it has ended. After a kill the note
stays, the engine does not look after it, and the next update fails with "already exists" for ever; a refresh with
`--import-pending-creates` drops the note and imports nothing (tried on 3.255). So the exported state is mended: what
exists is entered with the inputs the program gave it, and read.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

KUBERNETES = "kubernetes:"


@dataclass(frozen=True)
class Holder:
    """Who holds the lock of a stack in a file backend, as the engine has written it into the lock file."""

    pid: int
    host: str
    user: str
    since: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host}, process {self.pid}, since {self.since}"


def holder(text: str) -> Holder | None:
    """Who wrote the lock file; None when that is not in it."""
    try:
        found = json.loads(text)
        return Holder(int(found["pid"]), str(found["hostname"]), str(found["username"]), str(found["timestamp"]))
    except (ValueError, KeyError, TypeError):
        return None


def cut_off(deployment: Json) -> list[Json]:
    """The resources whose creation was begun and not ended; whether each exists, only its cloud knows."""
    return [each["resource"] for each in deployment.get("pending_operations") or [] if each["type"] == "creating"]


@dataclass(frozen=True)
class Found:
    """A resource that was created although the engine did not live to hear of it."""

    id: str
    outputs: Json
    """What reading it must start from: the name under which its fields were written, for a Kubernetes object."""


def entered(deployment: Json, found: Mapping[str, Found]) -> Json:
    """The deployment without notes, with what was found (by URN) as resources that are still to be read.

    A replaced resource that was deleted first gives its place to the new one. A Kubernetes object is read with the
    inputs it was given, so that what is secret in them is in what is read. An Azure resource is read as one to import,
    without: azure-native takes all that Azure adds for drift otherwise. Updates and deletions are just done again by
    the next update, so their notes need nothing.
    """
    result = copy.deepcopy(deployment)
    fresh = {resource["urn"]: resource for resource in cut_off(result) if resource["urn"] in found}
    for urn, resource in fresh.items():
        resource |= {"id": found[urn].id, "outputs": dict(found[urn].outputs)}
        if not resource["type"].startswith(KUBERNETES):
            resource["inputs"] = {}
    kept = [each for each in result.get("resources") or [] if not (each["urn"] in fresh and _was_deleted(each))]
    for each in kept:
        if each["urn"] in fresh:
            each["delete"] = True  # replaced by a new one beside it, as the engine notes it
    result["resources"] = [*kept, *fresh.values()]
    result.pop("pending_operations", None)
    return result


def with_inputs(deployment: Json, before: Json) -> Json:
    """The deployment, in which what `before` still had as a note was read, with the inputs of the note."""
    result = copy.deepcopy(deployment)
    given = {resource["urn"]: resource["inputs"] for resource in cut_off(before)}
    for each in result["resources"]:
        if each["urn"] in given and not each.get("delete"):
            each["inputs"] = given[each["urn"]]
    return result


def _was_deleted(resource: Json) -> bool:
    return bool(resource.get("pendingReplacement"))
