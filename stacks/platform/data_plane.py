"""Inference servers and transcribers."""

from __future__ import annotations

import re

import pulumi

from components.speech.inference_server import InferenceServer, InferenceServerArgs
from components.speech.shared_maps import Address, SharedMaps
from components.speech.transcriber import Transcriber, TranscriberArgs
from stacks.licenses import license_name
from stacks.platform.azure import Foundation
from stacks.platform.base import Base
from stacks.schema import Settings
from stacks.schema.pools import Role


def resource_manager_url(settings: Settings) -> str:
    """The resource manager's address where it is not read from the map: the one given, or its own Service."""
    manager = settings.resource_manager
    return settings.global_.resource_manager.url or f"http://{manager.fullname_override}:{manager.service.port}"


def logical_name(key: str) -> str:
    """Logical name of the server of a block, which is in users' states: the block's, whatever recipe it has."""
    words = re.sub("(?<=[a-z])(?=[A-Z])", "-", key.removeprefix("inferenceServer")).lower()
    return f"inference-{words.removeprefix('enhanced-')}"


def data_plane(
    settings: Settings, found: Foundation, on: Base, maps: SharedMaps, ready: tuple[pulumi.Resource, ...],
    opts: pulumi.ResourceOptions,
) -> list[str]:  # fmt: skip
    """Inference servers and transcribers; the names of their session groups."""
    groups: list[str] = []
    seconds, manager = settings.sessions.max_duration_seconds, Address(maps.release_map, resource_manager_url(settings))
    for key, server in settings.inference_servers.items():
        if server.enabled:
            made = InferenceServer(
                logical_name(key),
                InferenceServerArgs(
                    namespace=on.namespace,
                    release=settings.release,
                    settings=server,
                    global_=settings.global_,
                    manager=manager,
                    placement=found.placement(Role.INFERENCE, server.triton_server, server.affinity),
                    session_seconds=seconds,
                    license=on.license(license_name(settings, server.triton_server.licensing)),
                    ready=ready,
                    protect=settings.protection.enabled,
                ),
                opts,
            )
            groups += made.groups
    if settings.transcribers.enabled:
        transcribers = Transcriber(
            "transcribers",
            TranscriberArgs(
                namespace=on.namespace,
                namespace_name=settings.namespace,
                settings=settings.transcribers,
                global_=settings.global_,
                manager=manager,
                placement=found.placement(Role.TRANSCRIBERS, settings.transcribers.transcriber),
                session_seconds=seconds,
                license=on.license(license_name(settings, settings.transcribers.transcriber.licensing)),
                ready=ready,
            ),
            opts,
        )
        groups += transcribers.groups
    return groups
