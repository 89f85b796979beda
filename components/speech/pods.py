"""How many pods hold sessions at once, as session groups and as plain Deployments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from components.speech.session_group import is_scaled, most
from stacks.schema.flow.groups import FlowGroups
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.inference_server import ServerSettings


@dataclass(frozen=True)
class Pods:
    """The pods of one session group or Deployment."""

    wanted: int
    """The most it may want."""
    surge: int
    """Pods beside them while they are replaced."""
    scaled: bool = False
    """Whether the controller owns the number of pods."""

    @property
    def at_once(self) -> int:
        """Pods that must fit at once."""
        return self.wanted + self.surge


class Talks(Protocol):
    """flow-service and TTS."""

    @property
    def session_groups(self) -> FlowGroups: ...
    @property
    def replicas(self) -> int: ...
    @property
    def use_recreate_strategy(self) -> bool: ...


def plain_pods(replicas: int, *, recreate: bool) -> Pods:
    """Of a plain Deployment: a fixed number, and one more while they are replaced one after another."""
    return Pods(replicas, 0 if recreate or not replicas else 1)


def server_pods(server: ServerSettings, global_: GlobalSettings) -> Pods:
    """Of one inference server."""
    groups, everywhere = server.session_groups, global_.session_groups
    if groups.used(everywhere.enabled):
        scaled = is_scaled(groups.scaling, everywhere.scaling.enabled)
        return Pods(most(groups, everywhere.scaling.enabled), groups.allowed_surge, scaled)
    return plain_pods(server.triton_server.replicas, recreate=server.triton_server.use_recreate_strategy)


def talking_pods(part: Talks, global_: GlobalSettings) -> Pods:
    """Of flow-service or TTS."""
    groups, everywhere = part.session_groups, global_.session_groups
    if groups.used(everywhere.enabled):
        scaled = groups.is_scaled(everywhere.scaling.enabled)
        return Pods(groups.most(everywhere.scaling.enabled), groups.allowed_surge, scaled)
    return plain_pods(part.replicas, recreate=part.use_recreate_strategy)
