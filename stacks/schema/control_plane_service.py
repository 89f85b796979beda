"""What the four services of the control plane have in common: image, security, placement, default numbers."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import ImageTag, Registry, Section, only
from stacks.schema.fragment import PodSecurityContext
from stacks.schema.images import Repository
from stacks.schema.placement import WorkloadPlacement
from stacks.schema.transcribers import EnvVar
from stacks.schema.workload import Amounts, Annotations, HttpGet, Labels, Probe, Resources, StartupProbe

FIXED_PORT = only(8080, "nothing tells the program another port")

ContainerPort = Annotated[int, FIXED_PORT]


def startup(path: str, port: int, attempts: int) -> StartupProbe:
    """A startup probe with the vendor's period."""
    request = HttpGet.model_construct(path=path, port=port)
    return StartupProbe.model_construct(http_get=request, period_seconds=15, failure_threshold=attempts)


def probe(path: str, port: int, delay: int, period: int) -> Probe:
    """A liveness or readiness probe with the vendor's time-out."""
    request = HttpGet.model_construct(path=path, port=port)
    return Probe.model_construct(
        http_get=request, initial_delay_seconds=delay, period_seconds=period, timeout_seconds=10
    )


def requests(cpu: str, memory: str, limits: Amounts | None = None) -> Resources:
    """Requests, and limits where the vendor has some."""
    return Resources(requests=Amounts(cpu=cpu, memory=memory), limits=limits or Amounts())


SMALL = requests("20m", "40Mi")
"""Default of the resource manager and the metrics (contract: control plane 4.1 and 4.2)."""

SECURITY = {"runAsUser": 10000, "runAsGroup": 10000, "fsGroup": 20000}
"""The vendor's pod context (contract: control plane 3.5)."""


class Service(Section):
    """A Service in the cluster."""

    port: int = Field(8080, gt=0, lt=65536, description="Port of the Service.")


class OwnImage(Section):
    """The image of one service, where it is not that of all."""

    registry: Registry | None = Field(None, description="Registry; unset is `global.resourceManager.image.registry`.")
    repository: Repository | None = Field(None, description="Repository; unset is the vendor's own.")
    tag: ImageTag | None = Field(None, description="Tag; unset is `global.resourceManager.image.tag`.")


class ControlPlaneService(WorkloadPlacement):
    """What can be said of each of the four services."""

    image: OwnImage = Field(default_factory=OwnImage, description="Its image.")
    additional_env: tuple[EnvVar, ...] = Field((), description="More variables; none that is set already.")


class LabelledService(ControlPlaneService):
    """What can be said of those whose pods may have more labels: all but the sessiongroups-controller."""

    container_port: ContainerPort = Field(8080, description="Its port; only the default.")
    security_context: PodSecurityContext = Field(
        default_factory=lambda: dict(SECURITY), description="What the processes of its pods may do."
    )
    additional_labels: Labels = Field(default_factory=dict, description="More labels of its pods.")
    additional_annotations: Annotations = Field(default_factory=dict, description="More annotations of its pods.")
