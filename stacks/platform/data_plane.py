"""Inference servers and transcribers."""

from __future__ import annotations

import pulumi

from components.speech.inference_server import InferenceServer, InferenceServerArgs
from components.speech.shared_maps import SharedMaps
from components.speech.transcriber import Transcriber, TranscriberArgs
from stacks.platform.azure import Foundation
from stacks.platform.base import Base
from stacks.schema import Settings
from stacks.schema.pools import Role


def data_plane(
    settings: Settings, found: Foundation, on: Base, maps: SharedMaps, ready: tuple[pulumi.Resource, ...],
    opts: pulumi.ResourceOptions,
) -> list[str]:  # fmt: skip
    """Inference servers and transcribers; the names of their groups."""
    groups: list[str] = []
    seconds = settings.sessions.max_duration_seconds
    if settings.inference_server_enhanced_recipe1.enabled:
        server = InferenceServer(
            "inference-recipe1",
            InferenceServerArgs(
                namespace=on.namespace,
                release=settings.release,
                settings=settings.inference_server_enhanced_recipe1,
                global_=settings.global_,
                release_map=maps.release_map,
                placement=found.placements[Role.INFERENCE],
                session_seconds=seconds,
                ready=ready,
            ),
            opts,
        )
        groups.append(server.group)
    if settings.transcribers.enabled:
        transcribers = Transcriber(
            "transcribers",
            TranscriberArgs(
                namespace=on.namespace,
                namespace_name=settings.namespace,
                settings=settings.transcribers,
                global_=settings.global_,
                release_map=maps.release_map,
                placement=found.placements[Role.TRANSCRIBERS],
                session_seconds=seconds,
                ready=ready,
            ),
            opts,
        )
        groups += transcribers.groups
    return groups
