"""`global`: what several services share (seed: the `global.*` values)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import DnsLabel, HttpUrl, ImageTag, Language, Registry, Section, only

VENDOR_REGISTRY = "speechmaticspublic.azurecr.io"
IN_STORE = "Name of the license in the store, where it comes from one"
PART = "The part of it, in a store of kind vault"


class SpeechImage(Section):
    """Where transcriber and inference images come from, and their tag."""

    registry: Registry = Field(VENDOR_REGISTRY, description="Registry to pull images from.")
    tag: ImageTag = Field("13.5.0", description="Image tag for both transcribers and inference server.")


class ResourceManagerImage(Section):
    """Where the resource manager's components and the sidecars come from, and their tag."""

    registry: Registry = Field(VENDOR_REGISTRY, description="Registry to pull images from.")
    tag: ImageTag = Field("1.34.6-1307912", description="Version of resource manager components and sidecars.")


class GlobalProxyImage(Section):
    """Where the proxy comes from, and its tag."""

    registry: Registry = Field(VENDOR_REGISTRY, description="Registry to pull images from.")
    tag: ImageTag = Field("2.8.8-1307675", description="Image tag for proxy component.")


class PullSecret(Section):
    """A reference to an image pull secret."""

    name: DnsLabel = Field(description="Name of a Secret of type kubernetes.io/dockerconfigjson.")


class Licensing(Section):
    """The license Secret that transcribers and inference servers mount."""

    create_secret: bool = Field(False, description="Create secret for license or read from existing secret.")
    secret_name: DnsLabel = Field("speechmatics-license", description="Secret name to read license from.")
    secret_key: str | None = Field(None, min_length=1, description=f"{IN_STORE}; unset is `speechmatics-license`.")
    secret_property: str | None = Field(None, min_length=1, description=f"{PART}; unset is `license`.")


class ComponentLicensing(Section):
    """The license of one component; unset is `global.licensing`."""

    create_secret: bool = Field(False, description="Create the license Secret, once for all components that ask.")
    secret_name: DnsLabel | None = Field(None, description="Secret to read license from.")


class StoredLicensing(ComponentLicensing):
    """The license of a component whose Secret may come from a store."""

    secret_key: str | None = Field(None, min_length=1, description=f"{IN_STORE}; unset is `global`'s.")
    secret_property: str | None = Field(None, min_length=1, description=f"{PART}; unset is `global`'s.")


class GlobalScaling(Section):
    """Scaling of session groups, for all of them."""

    enabled: bool = Field(False, description="Enable auto-scaling of sessiongroup components.")


class GlobalSessionGroups(Section):
    """How transcribers, inference servers, flow-service and TTS are deployed."""

    enabled: bool = Field(
        True,
        description="Deploy as session groups. Off: as plain Deployments, of which nothing knows the sessions; an "
        "update or a drained node cuts those that outlast the pod.",
    )
    scaling: GlobalScaling = Field(default_factory=GlobalScaling, description="Scaling of session groups.")


class GlobalTranscriber(Section):
    """Common transcriber and inference server configuration."""

    image: SpeechImage = Field(default_factory=SpeechImage, description="Image registry and tag.")
    languages: tuple[Language, ...] = Field(
        ("en",), min_length=1, description="List of languages supported by environment."
    )


class GlobalResourceManager(Section):
    """Common resource manager components configuration."""

    image: ResourceManagerImage = Field(
        default_factory=ResourceManagerImage, description="Resource manager image configuration."
    )
    url: HttpUrl | None = Field(
        None, description="Its address, for services that do not read it from the ConfigMap; unset is its Service."
    )


class GlobalFlowImage(Section):
    """Where the Flow service comes from, and its tag."""

    registry: Registry = Field(VENDOR_REGISTRY, description="Registry to pull images from.")
    tag: ImageTag = Field("0.27.4-1305499", description="Image tag for Flow service component.")


class GlobalTtsImage(Section):
    """Where TTS comes from, and its tag."""

    registry: Registry = Field(VENDOR_REGISTRY, description="Registry to pull images from.")
    tag: ImageTag = Field("1.1.0", description="Image tag for TTS component.")


class GlobalTts(Section):
    """Common TTS configuration."""

    image: GlobalTtsImage = Field(default_factory=GlobalTtsImage, description="Image registry and tag.")


class GlobalVllmService(Section):
    """vLLM's Service."""

    service_name: DnsLabel | None = Field(None, description="Its name; unset is `flow.vllm.service.serviceName`.")
    port: int | None = Field(None, gt=0, lt=65536, description="Its port; unset is `flow.vllm.service.port`.")


class GlobalVllmConfig(Section):
    """vLLM's model."""

    model: str | None = Field(None, min_length=1, description="Model to use; unset is `flow.vllm.config.model`.")


class GlobalVllm(Section):
    """What the LLM proxy knows of vLLM."""

    enabled: bool = Field(
        False, description="Add vLLM to the LLM proxy's models, as group `vllm`; an unset list has it anyway."
    )
    service: GlobalVllmService = Field(default_factory=GlobalVllmService, description="Its Service.")
    config: GlobalVllmConfig = Field(default_factory=GlobalVllmConfig, description="Its model.")


class GlobalFlow(Section):
    """Common Flow configuration, and what the transcription services know of Flow."""

    flow_use_local_transcriber: bool = Field(True, description="Connect local ASR workers from Flow workers.")
    image: GlobalFlowImage = Field(default_factory=GlobalFlowImage, description="Image registry and tag.")
    vllm: GlobalVllm = Field(default_factory=GlobalVllm, description="What the LLM proxy knows of vLLM.")


class GlobalConfig(Section):
    """The seed's switch without a description, read by nothing of the vendor's chart."""

    enabled: Annotated[bool, only(True, "nothing reads it, so no other value would have an effect")] = Field(
        True, description="Read by nothing; only its default is accepted."
    )


class GlobalProxy(Section):
    """Common proxy configuration."""

    image: GlobalProxyImage = Field(default_factory=GlobalProxyImage, description="Image registry and tag.")


class GlobalSettings(Section):
    """Settings shared by several services."""

    cluster: str = Field("test", min_length=1, description="Cluster name; distinct in each cluster of a multi-cluster.")
    config: GlobalConfig = Field(default_factory=GlobalConfig, description="A switch that nothing reads.")
    image_pull_secrets: tuple[PullSecret, ...] = Field(
        (PullSecret(name="speechmatics-registry"),), description="List of image pull secrets to use."
    )
    licensing: Licensing = Field(default_factory=Licensing, description="The license Secret.")
    session_groups: GlobalSessionGroups = Field(
        default_factory=GlobalSessionGroups, description="Deployment of components as session groups."
    )
    transcriber: GlobalTranscriber = Field(
        default_factory=GlobalTranscriber, description="Common transcriber/inference server configuration."
    )
    resource_manager: GlobalResourceManager = Field(
        default_factory=GlobalResourceManager, description="Common resource manager components configuration."
    )
    proxy: GlobalProxy = Field(default_factory=GlobalProxy, description="Common proxy configuration.")
    flow: GlobalFlow = Field(default_factory=GlobalFlow, description="Common Flow configuration.")
    tts: GlobalTts = Field(default_factory=GlobalTts, description="Common TTS configuration.")
