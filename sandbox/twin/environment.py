"""The controller's variables (contract: control plane 4.4): which are played, and what is said of the others.

`docs/reference/twin.md` has the table. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.hosted.host import Json, RefusedError

NAMESPACE = "TRANSCRIBER_NAMESPACE"
DEFRAG_SCALE_DOWN = "SM_ENABLE_DEFRAG_SCALE_DOWN"

BY_THE_NODE = frozenset(
    {
        "REDIS_CONN_URL",
        "REDIS_USE_EXTERNAL",
        "REDIS_DB_INDEX",
        "REDIS_FAIL_OVER_CLIENT_ENABLED",
        "REDIS_SETUP_TIMEOUT_DURATION",
        "SSL_CERT_DIR",
    }
)
"""How Redis is reached (contract: control plane 4.0): the node stand-in waits for it before the pod is Ready."""

DEFAULTS: Mapping[str, str] = {
    DEFRAG_SCALE_DOWN: "false",
    "SM_DEFRAG_RATE_LIMIT_DURATION": "60s",
    "SM_DEFRAG_RATE_LIMIT_MAX_OCCURRENCES": "1",
    "SM_DEFRAG_INTERVAL_DURATION": "30s",
    "SM_DEFRAG_MIN_USAGE_DELTA": "25",
    "SM_DEFRAG_MAX_SCALE_UP": "1",
    "SM_RECONCILE_MAX_PAUSE_DURATION": "2m",
}
"""What changes nothing here, at the chart's own values: no group is defragmented, and nobody asks for a pause."""


def unplayed(container: Mapping[str, Any]) -> tuple[str, ...]:
    """What somebody has set and the twin passes over, each as a text for people."""
    said = [f"envFrom {sorted(each)}: its variables are not read" for each in container.get("envFrom") or []]
    for name, value in _variables(container).items():
        shown = "(not a literal value)" if value is None else value
        if name in DEFAULTS:
            if value != DEFAULTS[name]:
                said.append(
                    f"{name}={shown} is not played: the twin does as with {DEFAULTS[name]}, the chart's default"
                )
        elif name != NAMESPACE and name not in BY_THE_NODE:
            said.append(f"{name} is not known, so it is not played")
    return tuple(said)


def watched(container: Mapping[str, Any], own: str) -> str:
    """The namespace it looks at; `own` is the pod's. Raises `RefusedError` where that cannot be read."""
    found: Json = next((each for each in container.get("env") or [] if each["name"] == NAMESPACE), {})
    if found.get("value"):
        return str(found["value"])
    if (found.get("valueFrom") or {}).get("fieldRef", {}).get("fieldPath") == "metadata.namespace":
        return own
    raise RefusedError("NamespaceNotKnown", f"env {NAMESPACE} has no literal value and no metadata.namespace")


def _variables(container: Mapping[str, Any]) -> dict[str, str | None]:
    """By name the literal value (None: it comes from elsewhere); of two of one name the last one counts."""
    return {
        each["name"]: None if "valueFrom" in each else str(each.get("value", "")) for each in container.get("env") or []
    }
