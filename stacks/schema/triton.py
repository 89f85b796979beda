"""`inferenceServer….tritonServer`: the inference server itself, and where its pods run."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from stacks.schema.base import DnsLabel, Section, only, shaped
from stacks.schema.fragment import (
    PodSecurityContext,
    ProbeFragment,
    ResourceRequirements,
    Toleration,
    VolumeMount,
    laid_over,
)
from stacks.schema.global_settings import StoredLicensing
from stacks.schema.images import ImageOverride, PullPolicy, Repository
from stacks.schema.modes import ServerMode
from stacks.schema.placement import PlacementSettings
from stacks.schema.pools import Role
from stacks.schema.session_groups import RECREATES
from stacks.schema.transcriber_sidecars import OperatingPoint
from stacks.schema.workload import Annotations, ServiceType, SessionAnnotations, SessionLabels

RecipeName = Literal[
    "custom", "standard-all", "enhanced-recipe1", "enhanced-recipe2", "enhanced-recipe3", "enhanced-recipe4"
]

IMAGE = "Its image."
RECIPE = (
    "The recipe, which is this block's; each other one has a block with the same keys, any name, image and pool, and "
    "inferenceServerCustom takes any."
)
CUSTOM_RECIPE = (
    "Recipe can be standard-all, enhanced-recipe1, enhanced-recipe2, enhanced-recipe3, enhanced-recipe4 or custom; its "
    "image and operating point are to be set with it."
)
OPERATING_POINT = "Operating point can be standard or enhanced or set null to support both."
POLICY = "When to ask the registry for the image; read for plain Deployments only."
GRACE = "a pod may take as long to end as a session may last, which is `sessions.maxDurationSeconds`"
PRE_STOP = "without it a server ends while transcribers still speak to it"
OWN_INGRESS = "its backend is a Service that nobody makes"
SCALER = "sm-scaling is not made; session groups scale by themselves, and plain Deployments have a fixed number of pods"

EnvName = Annotated[str, shaped("^[A-Za-z_][A-Za-z0-9_]*$", "a variable's name: letters, digits and _, no digit first")]
"""Name of a variable."""

Variables = dict[EnvName, str]
"""Variables of a container, as a map."""

GPU = {"limits": {"nvidia.com/gpu": "1"}}
START = {"httpGet": {"path": "/v2", "port": 8000}, "periodSeconds": 15, "failureThreshold": 60}
LIVE = {
    "httpGet": {"path": "/v2", "port": 8000},
    "initialDelaySeconds": 300,
    "periodSeconds": 20,
    "timeoutSeconds": 15,
    "successThreshold": 1,
    "failureThreshold": 3,
}
READY = {
    "httpGet": {"path": "/v2/health/ready", "port": 8000},
    "initialDelaySeconds": 2,
    "periodSeconds": 20,
    "timeoutSeconds": 15,
    "successThreshold": 1,
    "failureThreshold": 3,
}


class TritonImage(ImageOverride):
    """The inference server's image."""

    repository: Repository = Field(
        "sm-gpu-inference-server-enhanced-recipe1", description="Repository for the inference server triton container."
    )


class TritonService(Section):
    """The Service of the pods."""

    type: ServiceType = Field(ServiceType.CLUSTER_IP, description="How it is reached.")
    headless: bool = Field(False, description="Without an address of its own; immutable.")
    annotations: Annotations = Field(default_factory=dict, description="Annotations of the Service.")


class TritonAutoscaling(Section):
    """The vendor's scaler of plain Deployments."""

    enabled: Annotated[bool, only(False, SCALER)] = Field(False, description="Scale with sm-scaling; refused.")
    install_dependencies: Annotated[bool, only(False, SCALER)] = Field(
        False, description="Deploy sm-scaling and Prometheus; refused."
    )


class TritonIngress(Section):
    """The vendor's Ingresses in front of a server."""

    enabled: Annotated[bool, only(False, OWN_INGRESS)] = Field(False, description="Make them; refused.")


class Triton(PlacementSettings):
    """The inference server itself."""

    role: ClassVar[Role] = Role.INFERENCE

    image: TritonImage = Field(description=IMAGE)
    image_pull_policy: PullPolicy | None = Field(None, description=POLICY)
    mode: ServerMode = Field(ServerMode.REAL_TIME, description="What it works on: live sessions, jobs or translation.")
    operating_point: OperatingPoint | None = Field(OperatingPoint.ENHANCED, description=OPERATING_POINT)
    recipe: RecipeName = Field(description=RECIPE)
    command: tuple[str, ...] = Field((), description="Command in place of the image's.")
    args: tuple[str, ...] = Field((), description="Arguments in place of the image's.")
    resources: Annotated[ResourceRequirements, laid_over(GPU)] = Field(GPU, description="Requests and limits.")
    additional_envs: Variables = Field(default_factory=dict, description="Environment variables to add.")
    startup_probe: Annotated[ProbeFragment, laid_over(START)] = Field(
        START, description="Startup probe: how long the models may take to load."
    )
    liveness_probe: Annotated[ProbeFragment, laid_over(LIVE)] = Field(LIVE, description="Liveness probe.")
    readiness_probe: Annotated[ProbeFragment, laid_over(READY)] = Field(READY, description="Readiness probe.")
    enable_pre_stop_hook: Annotated[bool, only(True, PRE_STOP)] = Field(
        True, description="Wait for the transcribers' connections to end before the server does."
    )
    termination_grace_period_seconds: Annotated[int, only(600, GRACE)] = Field(
        600, description="Not the pods' grace, which is the longest session; nothing but its default is accepted."
    )
    additional_volume_mounts: tuple[VolumeMount, ...] = Field((), description="Where additionalVolumes are mounted.")
    additional_annotations: SessionAnnotations = Field(default_factory=dict, description="Annotations of the pods.")
    additional_labels: SessionLabels = Field(default_factory=dict, description="Labels of the pods.")
    runtime_class_name: DnsLabel | None = Field(None, description="RuntimeClass of the pods.")
    security_context: PodSecurityContext = Field(default_factory=dict, description="What the pod's processes may do.")
    licensing: StoredLicensing = Field(default_factory=StoredLicensing, description="The license Secret.")
    service: TritonService = Field(default_factory=TritonService, description="The Service of the pods.")
    ingress: TritonIngress = Field(default_factory=TritonIngress, description="Ingresses in front of the server.")
    replicas: int = Field(1, ge=0, description="Pods of a plain Deployment; a session group has a number of its own.")
    use_recreate_strategy: bool = Field(False, description=RECREATES)
    autoscaling: TritonAutoscaling = Field(default_factory=TritonAutoscaling, description="Scaling of Deployments.")
    tolerations: tuple[Toleration, ...] = Field(
        ({"key": "sku", "operator": "Equal", "value": "gpu", "effect": "NoSchedule"},),
        description="Taints that keep no server away, beside the pool's own.",
    )
