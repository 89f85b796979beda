"""Rules of the ingress controller."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.cluster.ingress_rights import NAME
from stacks.problem import Problem, set_command
from stacks.schema import Settings


def ingress_namespace(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The controller may write in its own namespace, so the platform lives in another one."""
    if settings.ingress.enabled and settings.namespace == NAME:
        reason = f"{NAME} is the ingress controller's own namespace"
        yield Problem("namespace", "name-taken", reason, set_command("namespace", "speechmatics"))
