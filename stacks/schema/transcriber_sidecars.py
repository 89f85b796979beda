"""The two sidecars of a transcriber: `transcribers.readinessTracker` and `transcribers.workerProxy`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from stacks.schema.base import Flag, Language, Section, only, shaped
from stacks.schema.fragment import EnvEntry, ProbeFragment, ResourceRequirements, laid_over
from stacks.schema.images import ImageOverride, PullPolicy, Repository, TrackerImage

POLICY = "When to ask the registry for the image; unset is Kubernetes' default."
NO_TRACKER = "without it no pod is registered, and no session finds one"
NO_PROXY = "without it a transcriber does not reach the inference servers"

ContractId = Annotated[str, shaped(r"^-?[0-9]+$", "a whole number, as text")]
"""A contract's number, as text."""


class OperatingPoint(StrEnum):
    """The accuracy and cost class of a model."""

    STANDARD = "standard"
    ENHANCED = "enhanced"


class PreWarm(Section):
    """A session the readiness-tracker runs against its own transcriber before real ones come."""

    enabled: bool = Field(True, description="Run a pre-warm session on start to improve startup connection times.")
    every_session: Flag = Field(False, description="Run preWarm for a pod after every session.")
    operating_point: OperatingPoint = Field(
        OperatingPoint.ENHANCED, description="Operating point used for the preWarm session."
    )
    contract_id: ContractId = Field("-77777777777777", description="Contract the pre-warm session is counted for.")
    pre_warm_only: Flag = Field(False, description="Pre-warm and nothing else.")
    use_audio: Flag = Field(True, description="Pre-warm with audio; read for plain Deployments only.")


class ReadinessTracker(Section):
    """The sidecar that registers a transcriber with the resource manager."""

    enabled: Annotated[bool, only(True, NO_TRACKER)] = Field(True, description="Deploy the readiness-tracker.")
    image: TrackerImage = Field(default_factory=TrackerImage, description="Its image.")
    image_pull_policy: PullPolicy | None = Field(None, description=POLICY)
    readiness_probe: ProbeFragment | None = Field(None, description="Readiness probe; none by default.")
    startup_probe: ProbeFragment | None = Field(None, description="Startup probe; none by default.")
    resources: Annotated[ResourceRequirements, laid_over({"requests": {"cpu": "10m", "memory": "15Mi"}})] = Field(
        {"requests": {"cpu": "10m", "memory": "15Mi"}}, description="Requests and limits."
    )
    register_conditions: Flag = Field(False, description="Register the pod's conditions as well.")
    language_override: Language | None = Field(
        None, description="Code the tracker looks languages up by; unset is the language's, up to the first `-`."
    )
    restart_after_n_sessions: int = Field(0, ge=0, description="Restart transcriber after N sessions; 0 is never.")
    pre_warm: PreWarm = Field(default_factory=PreWarm, description="The pre-warm session.")
    env: tuple[EnvEntry, ...] = Field((), description="Environment variables to add to readiness-tracker container.")


class WorkerProxyImage(ImageOverride):
    """The worker-proxy's image."""

    repository: Repository = Field("worker-proxy", description="Path of the image in its registry.")


PROXY_RESOURCES = {"limits": {"cpu": "500m", "memory": "200Mi"}, "requests": {"cpu": "10m", "memory": "15Mi"}}
PROXY_READY = {
    "httpGet": {"path": "/ready", "port": 8024},
    "periodSeconds": 15,
    "timeoutSeconds": 10,
    "failureThreshold": 3,
}
PROXY_START = {
    "httpGet": {"path": "/ready", "port": 8024},
    "periodSeconds": 1,
    "timeoutSeconds": 10,
    "failureThreshold": 180,
}


class WorkerProxy(Section):
    """The sidecar between transcriber and inference servers."""

    enabled: Annotated[bool, only(True, NO_PROXY)] = Field(True, description="Deploy the worker-proxy.")
    image: WorkerProxyImage = Field(default_factory=WorkerProxyImage, description="Its image.")
    image_pull_policy: PullPolicy | None = Field(None, description=POLICY)
    resources: Annotated[ResourceRequirements, laid_over(PROXY_RESOURCES)] = Field(
        PROXY_RESOURCES, description="Requests and limits."
    )
    readiness_probe: Annotated[ProbeFragment, laid_over(PROXY_READY)] = Field(
        PROXY_READY, description="Readiness probe."
    )
    startup_probe: Annotated[ProbeFragment, laid_over(PROXY_START)] = Field(
        PROXY_START, description="Startup probe: how long it waits for capacity before it is started again."
    )
    env: tuple[EnvEntry, ...] = Field((), description="Environment variables to add to worker-proxy container.")
    check_for_capacity_on_start: bool | None = Field(
        None, description="Wait at start for free inference capacity; unset follows readinessTracker.preWarm.enabled."
    )
