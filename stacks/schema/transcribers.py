"""`transcribers`: one session group of transcribers for each language (seed: `transcribers.*`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import DnsLabel, Flag, Section, only, shaped
from stacks.schema.external_secrets import ProviderStore
from stacks.schema.fragment import Volume
from stacks.schema.global_settings import PullSecret
from stacks.schema.modes import Mode
from stacks.schema.resource_manager_address import ResourceManagerAddress
from stacks.schema.session_groups import TranscriberGroups
from stacks.schema.transcriber_container import TranscriberContainer
from stacks.schema.transcriber_sidecars import OperatingPoint as OperatingPoint
from stacks.schema.transcriber_sidecars import ReadinessTracker, WorkerProxy

NAMED = "`fullnameOverride` has a value, so nothing looks at it"

Endpoint = Annotated[str, shaped(r"^[A-Za-z0-9]([-A-Za-z0-9.]*[A-Za-z0-9])?:[0-9]+$", "a host and a port")]
"""Host and port."""


class EnvVar(Section):
    """One environment variable with a plain value."""

    name: Annotated[
        str, shaped("^[A-Za-z_][A-Za-z0-9_]*$", "a variable's name: letters, digits and _, no digit first")
    ] = Field(description="Name of the variable.")
    value: str = Field(description="Its value; numbers and booleans quoted.")


class EatsMap(Section):
    """A ConfigMap of the operator's with the address of the usage service."""

    enabled: bool = Field(False, description="Read `sm_eats_url` and `sm_enable_usage_reporting` from the ConfigMap.")
    name: DnsLabel | None = Field(None, description="Its name; it is made by the operator.")


class Eats(Section):
    """Usage reporting."""

    enabled: bool = Field(True, description="Tell transcribers of usage reporting; off reports nothing.")
    config_map: EatsMap = Field(default_factory=EatsMap, description="Where address and switch come from.")
    url: Endpoint | None = Field(None, description="Host and port of a usage container of one's own.")
    enable_usage_reporting: Flag = Field(
        True, description='Enable usage reporting to "usage.speechmatics.com" endpoint.'
    )
    secure: Flag = Field(False, description="Report with TLS.")


class Translation(Section):
    """Translation of what is transcribed."""

    enabled: bool = Field(True, description="Tell transcribers of a translation server.")
    url: Endpoint = Field("triton-server-translation:8001", description="Its host and port; the chart makes none.")


class SessionTransfer(Section):
    """Hand-over of sessions."""

    enabled: bool = Field(True, description="Allow sessions to be handed over.")


class TranscriberSettings(Section):
    """All transcribers."""

    enabled: bool = Field(True, description="Deploy transcribers for every language of `global.transcriber.languages`.")
    name_override: Annotated[DnsLabel | None, only(None, NAMED)] = Field(
        None, description="Part of the base name where there is no fullnameOverride; only its default is accepted."
    )
    fullname_override: DnsLabel = Field("rt-transcriber", description="Base name; each group adds its language.")
    image_pull_secrets: tuple[PullSecret, ...] = Field(
        (), description="Image pull secrets of the transcribers; empty is `global.imagePullSecrets`."
    )
    session_groups: TranscriberGroups = Field(default_factory=TranscriberGroups, description="The groups.")
    transcriber: TranscriberContainer = Field(
        default_factory=TranscriberContainer, description="The transcriber itself."
    )
    readiness_tracker: ReadinessTracker = Field(
        default_factory=ReadinessTracker, description="The sidecar that registers the pod."
    )
    worker_proxy: WorkerProxy = Field(default_factory=WorkerProxy, description="The sidecar towards inference.")
    resource_manager: ResourceManagerAddress = Field(
        default_factory=ResourceManagerAddress, description="How the sidecars learn the resource manager's address."
    )
    eats: Eats = Field(default_factory=Eats, description="Usage reporting.")
    translation: Translation = Field(default_factory=Translation, description="Translation.")
    session_transfer: SessionTransfer = Field(default_factory=SessionTransfer, description="Hand-over of sessions.")
    volumes: tuple[Volume, ...] = Field((), description="Volumes beside the license and the cache.")
    external_secrets: ProviderStore = Field(
        default_factory=ProviderStore, description="Licenses made here and the keys of speakers from a store."
    )

    @property
    def live(self) -> bool:
        """Whether pods hold live sessions: only then they register, and look for capacity of inference servers."""
        return self.transcriber.mode is Mode.REAL_TIME
