"""Flow: conversations with agents, the language model and the voices they need."""

from __future__ import annotations

import pulumi

from components.cluster.ingress_controller import CLASS_NAME
from components.flow.common import FlowCommon, WayIn
from components.flow.flow_service import FlowService, FlowServiceArgs
from components.flow.llm_proxy import LlmProxy, LlmProxyArgs
from components.flow.tts import Tts, TtsArgs
from components.flow.vllm import Vllm, VllmArgs
from components.speech.shared_maps import Address, SharedMaps
from stacks.capacity import bfloat16
from stacks.licenses import license_name
from stacks.platform.azure import Foundation
from stacks.platform.base import Base
from stacks.platform.data_plane import resource_manager_url
from stacks.platform.ingress import WayIn as Controller
from stacks.schema import Settings
from stacks.schema.pools import Role
from stacks.secrets import Secrets


def common(settings: Settings, on: Base, controller: Controller | None) -> FlowCommon:
    """What all four components need."""
    return FlowCommon(
        namespace=on.namespace,
        namespace_name=settings.namespace,
        release=settings.release,
        global_=settings.global_,
        session_seconds=settings.sessions.max_duration_seconds,
        protect=settings.protection.enabled,
        way_in=WayIn(controller.class_name, CLASS_NAME, controller.ready) if controller else None,
    )


def flow(
    settings: Settings, secrets: Secrets, found: Foundation, on: Base, maps: SharedMaps,
    ready: tuple[pulumi.Resource, ...], controller: Controller | None, opts: pulumi.ResourceOptions,
) -> list[str]:  # fmt: skip
    """flow-service with its companions, where it is on; the names of the session groups."""
    wanted, shared = settings.flow, common(settings, on, controller)
    if not wanted.enabled:
        return []
    groups: list[str] = []
    if wanted.vllm.enabled:
        placement = found.placement(Role.INFERENCE, wanted.vllm)
        token, bf16 = secrets.hugging_face_token, bfloat16(settings, wanted.vllm.pool)
        Vllm("vllm", VllmArgs(shared, wanted, token, placement, bf16), opts)
    if wanted.llm_proxy.enabled:
        LlmProxy("llm-proxy", LlmProxyArgs(shared, wanted, found.placement(Role.SERVICES, wanted.llm_proxy)), opts)
    manager = settings.resource_manager
    own = f"http://{manager.fullname_override}:{manager.service.port}"
    if wanted.tts.enabled:
        address = Address(maps.release_map, resource_manager_url(settings))
        placement = found.placement(Role.INFERENCE, wanted.tts)
        license_ = on.license(license_name(settings, wanted.tts.licensing))
        groups += Tts("tts", TtsArgs(shared, wanted.tts, address, placement, license_, ready), opts).groups
    made = FlowService(
        "flow-service",
        FlowServiceArgs(
            common=shared,
            settings=wanted,
            secrets=secrets.flow,
            # its own default, not `global.resourceManager.url` (contract: flow 2.3)
            manager=Address(maps.release_map, own),
            llm_url=f"http://{wanted.llm_proxy.name}:{wanted.llm_proxy.service.port}",
            tts_url=f"http://{wanted.tts.name}:{wanted.tts.service.port}/generate/",
            placement=found.placement(Role.SERVICES, wanted),
            license=on.license(license_name(settings, wanted.licensing)),
            ready=ready,
        ),
        opts,
    )
    return [*made.groups, *groups]
