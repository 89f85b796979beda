"""The pod a stand-in lives in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]


class RefusedError(Exception):
    """Something a stand-in will not play: a CamelCase `reason` for the event, and a message for people."""

    def __init__(self, reason: str, message: str) -> None:
        self.reason, self.message = reason, message
        super().__init__(message)


@dataclass(frozen=True)
class Host:
    """One running program, as its pod describes it."""

    namespace: str
    pod: str
    uid: str
    service_account: str

    @property
    def user(self) -> str:
        """The name its service account has towards the API server."""
        return f"system:serviceaccount:{self.namespace}:{self.service_account}"


def runs(pod: Json) -> bool:
    """Whether the program in this pod is up: the pod is Ready and nobody asked it to stop."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    ready = any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
    return ready and "deletionTimestamp" not in pod["metadata"]


def repository(image: str) -> str:
    """The last part of an image's repository."""
    return image.split("@")[0].rsplit("/", 1)[-1].split(":")[0]
