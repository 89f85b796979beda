"""`proxy.proxy`: the proxy's pods and their two sides (seed: `proxy.proxy.*`; contract: proxy 2 and 4)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from stacks.schema.base import DnsLabel, Host, ImageTag, Quantity, Registry, Section, only, shaped
from stacks.schema.fragment import EnvEntry, ProbeFragment, Volume, VolumeMount
from stacks.schema.images import PullPolicy
from stacks.schema.proxy_config import ConfigKey, ProxyConfig
from stacks.schema.workload import Amounts, Labels, Resources

DeploymentKey = Annotated[
    str, shaped("^[a-z][a-z0-9]{0,14}$", "at most 15 lower case letters and digits, a letter first, such as a or b")
]
"""`a`, `b`, …: part of the names of Deployment and pods."""

NEVER_EVICTED = "a session ends with its pod, so none may be evicted, however many there are"


class CommonRequests(Amounts):
    """Requests of all deployments."""

    cpu: Quantity | None = Field("200m", description="CPU.")
    memory: Quantity | None = Field("2Gi", description="Memory.")


class CommonResources(Resources):
    """Resources of all deployments."""

    requests: CommonRequests = Field(default_factory=CommonRequests, description="What is kept free for each pod.")


class ImageChoice(Section):
    """An image, part by part; what is not given comes from further out, at last from `global.proxy.image`."""

    registry: Registry | None = Field(None, description="Registry to pull images from.")
    repository: str | None = Field(None, min_length=1, description="Repository in the registry.")
    tag: ImageTag | None = Field(None, description="Image tag.")


class ProxyDeployment(Section):
    """One deployment of the proxy."""

    active: bool = Field(False, description="Enable sessions to this deployment; exactly one has it.")
    image: ImageChoice = Field(default_factory=ImageChoice, description="Its image.")
    resources: Resources = Field(
        default_factory=Resources, description="Its resources; what is not given is as in those of all deployments."
    )
    additional_env: tuple[EnvEntry, ...] = Field(
        (), description="Environment variables of its own; they replace those of `proxy.proxy.additionalEnv`."
    )
    additional_volumes: tuple[Volume, ...] = Field((), description="Volumes beside those of all deployments.")
    additional_volume_mounts: tuple[VolumeMount, ...] = Field((), description="Mounts beside those of all deployments.")
    pdb_min_available: Annotated[int | None, only(None, NEVER_EVICTED)] = Field(
        None, description="Pods that stay when others are evicted; none is ever evicted."
    )


SEED_DEPLOYMENTS: dict[str, ProxyDeployment] = {"a": ProxyDeployment(active=True)}
"""The seed's default."""


def _seeds() -> dict[DeploymentKey, ProxyDeployment | None]:
    return {**SEED_DEPLOYMENTS}


def _as_default(key: str, given: ProxyDeployment) -> ProxyDeployment:
    """A deployment of the seed's is active as long as nobody says that it is not."""
    if key not in SEED_DEPLOYMENTS or "active" in given.model_fields_set:
        return given
    return given.model_copy(update={"active": SEED_DEPLOYMENTS[key].active})


class SrvRecord(Section):
    """A DNS SRV record."""

    port: int = Field(gt=0, lt=65536, description="Port of the resource manager's Service.")
    priority: int = Field(ge=0, lt=65536, description="Lower ones are asked first.")
    target: DnsLabel = Field(description="Name of the resource manager's Service.")
    weight: int = Field(ge=0, lt=65536, description="Share among equal priorities.")


class Dns(Section):
    """How the proxy finds resource managers by DNS."""

    enabled: bool = Field(False, description="Enable DNS SRV lookup from external DNS source.")
    name: Host | None = Field(None, description="Domain that is asked; required when enabled.")
    service: str | None = Field(None, min_length=1, description="Service that is asked for; required when enabled.")
    default_srv_records: tuple[SrvRecord, ...] = Field(
        (),
        description="Default SRV record to use for proxy service; target should match with service name of resource "
        "manager.",
    )


class CustomDict(Section):
    """A map mounted at `/etc/config`."""

    enabled: bool = Field(False, description="Make and mount the map.")
    data: dict[ConfigKey, str] = Field(default_factory=dict, description="Files by name.")


class ProxyService(Section):
    """The proxy's pods."""

    image: ImageChoice = Field(default_factory=ImageChoice, description="Image of all deployments.")
    resources: CommonResources = Field(
        default_factory=CommonResources, description="Resources of all deployments; an entry's are laid over them."
    )
    image_pull_policy: PullPolicy = Field(PullPolicy.IF_NOT_PRESENT, description="When a node asks for the image.")
    custom_args: tuple[str, ...] = Field((), description="Arguments of the program; none is what the image starts.")
    container_port: Literal[8080] = Field(
        8080, description="Port of the program; no variable tells it another, and the probes ask there."
    )
    liveness_probe: ProbeFragment | None = Field(
        None, description="The whole probe; unset is GET /live on 8080 as in the chart."
    )
    readiness_probe: ProbeFragment | None = Field(
        None, description="The whole probe; unset is GET /ready on 8080 as in the chart."
    )
    additional_env: tuple[EnvEntry, ...] = Field((), description="Environment variables added to all deployments.")
    additional_volume_mounts: tuple[VolumeMount, ...] = Field((), description="Mounts of all deployments.")
    additional_pod_labels: Annotated[Labels, only({}, "no template of the chart reads it")] = Field(
        default_factory=dict, description="Read by nothing; only its default is accepted."
    )
    asr_request_base_path: Annotated[
        str, shaped("^(/[-._a-z0-9]+)*$", "a path in lower case, such as /v2, with no / at the end, or empty")
    ] = Field("", description="Path under which transcribers are asked; empty is `/v1`.")
    copy_all_headers: bool = Field(True, description="Copy headers from incoming request to outgoing request.")
    given_deployments: dict[DeploymentKey, ProxyDeployment | None] = Field(
        default_factory=_seeds,
        alias="deployments",
        description="List of deployments of proxy, laid over the active `a` there is by default; null takes one away.",
    )
    dns: Dns = Field(default_factory=Dns, description="Finding resource managers by DNS.")
    custom_dict: CustomDict = Field(default_factory=CustomDict, description="A file in the pods.")
    config: ProxyConfig = Field(default_factory=ProxyConfig, description="How the proxy treats sessions.")

    @property
    def deployments(self) -> dict[str, ProxyDeployment]:
        """What is deployed: what is given, laid over the seed's own as Helm does it."""
        laid = {**SEED_DEPLOYMENTS, **self.given_deployments}
        return {key: _as_default(key, each) for key, each in laid.items() if each is not None}

    def active_by_default(self, key: str) -> bool:
        """Whether a deployment is active without anybody having said so."""
        given = self.given_deployments.get(key)
        return key in SEED_DEPLOYMENTS and (given is None or "active" not in given.model_fields_set)
