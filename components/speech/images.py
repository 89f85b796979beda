"""Which image each container of the data plane runs, and from which registries they come."""

from __future__ import annotations

from collections.abc import Iterable

from components.speech.naming import image
from stacks.schema.global_settings import GlobalSettings
from stacks.schema.images import ImageOverride
from stacks.schema.inference_server import ServerSettings
from stacks.schema.transcribers import TranscriberSettings


def transcriber_tag(settings: TranscriberSettings, global_: GlobalSettings) -> str:
    """The transcribers' version, by which capacity is looked up."""
    return settings.transcriber.image.tag or global_.transcriber.image.tag


def server_tag(settings: ServerSettings, global_: GlobalSettings) -> str:
    """An inference server's version, under which it registers."""
    return settings.triton_server.image.tag or global_.transcriber.image.tag


def transcriber_image(settings: TranscriberSettings, global_: GlobalSettings, language: str) -> str:
    own = settings.transcriber.image
    registry = own.registry or global_.transcriber.image.registry
    return image(registry, f"{own.repository}-{language}", transcriber_tag(settings, global_))


def triton_image(settings: ServerSettings, global_: GlobalSettings) -> str:
    own = settings.triton_server.image
    return image(own.registry or global_.transcriber.image.registry, own.repository, server_tag(settings, global_))


def sidecar_image(own: ImageOverride, repository: str, global_: GlobalSettings) -> str:
    """A sidecar's image: it comes with the resource manager."""
    common = global_.resource_manager.image
    return image(own.registry or common.registry, repository, own.tag or common.tag)


def registries(
    transcribers: TranscriberSettings, servers: Iterable[ServerSettings], global_: GlobalSettings
) -> tuple[str, ...]:
    """Registries that images of the data plane come from, what is off left out."""
    speech, manager = global_.transcriber.image.registry, global_.resource_manager.image.registry
    found: list[str] = []
    if transcribers.enabled:
        found.append(transcribers.transcriber.image.registry or speech)
        beside = (transcribers.readiness_tracker.image, transcribers.worker_proxy.image) if transcribers.live else ()
        found += [own.registry or manager for own in beside]
    for server in servers:
        if server.enabled:
            found.append(server.triton_server.image.registry or speech)
            found += [server.inference_sidecar.image.registry or manager] if server.inference_sidecar.enabled else []
    return tuple(dict.fromkeys(found))
