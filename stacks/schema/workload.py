"""What the configuration can say of any workload: probes, resources, labels, annotations."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from stacks.schema.base import Quantity, Section, shaped

OWN_LABELS = frozenset({"app", "app.kubernetes.io/name", "app.kubernetes.io/instance", "speechmatics.io/safe-to-evict"})
"""By these Services and budgets find their pods; another value would take the pod from its Service."""

LAID_OVER = "x-laid-over"
"""Mark in the JSON schema of a section whose keys may all be left out, or null."""


@dataclass(frozen=True)
class Over:
    """What is given is laid over a default key by key, as Helm does with values; null takes a key away."""

    default: dict[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(self._laid, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), LAID_OVER: True}

    def _laid(self, given: Any) -> Any:
        return _merged(self.default, given)


def over(default: Section) -> Over:
    """A section that is laid over its default."""
    return Over(default.model_dump(by_alias=True, exclude_none=True, mode="json"))


def _merged(base: Any, given: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(given, dict)):
        return given
    return base | {key: _merged(base.get(key), value) for key, value in given.items()}


class ServiceType(StrEnum):
    """How a Service is reached."""

    CLUSTER_IP = "ClusterIP"
    NODE_PORT = "NodePort"
    LOAD_BALANCER = "LoadBalancer"


class Budget(Section):
    """A disruption budget."""

    enabled: bool = Field(False, description="Deploy a PodDisruptionBudget.")
    min_available: int = Field(1, ge=1, description="Pods that are always there.")


class HttpGet(Section):
    """The request of a probe."""

    path: Annotated[str, shaped("^/", "a path that begins with /")] = Field(description="Path of the request.")
    port: int = Field(gt=0, lt=65536, description="Port number on the pod.")


class Probe(Section):
    """A liveness or readiness probe, passed on whole; what is not set is Kubernetes' default."""

    http_get: HttpGet = Field(description="The request.")
    initial_delay_seconds: int | None = Field(None, ge=0, description="Seconds before the first attempt.")
    period_seconds: int | None = Field(None, gt=0, description="Seconds between two attempts.")
    timeout_seconds: int | None = Field(None, gt=0, description="Seconds an attempt may take.")
    failure_threshold: int | None = Field(None, gt=0, description="Failed attempts in a row that count.")


class StartupProbe(Probe):
    """A startup probe: its budget is initialDelaySeconds + periodSeconds × failureThreshold."""

    period_seconds: int = Field(gt=0, description="Seconds between two attempts.")
    failure_threshold: int = Field(gt=0, description="Attempts before the container is restarted.")

    @property
    def budget_seconds(self) -> int:
        """How long the container may take to start, in seconds."""
        return (self.initial_delay_seconds or 0) + self.period_seconds * self.failure_threshold


class Amounts(Section):
    """CPU and memory."""

    cpu: Quantity | None = Field(None, description="CPU, such as `500m`.")
    memory: Quantity | None = Field(None, description="Memory, such as `128Mi`.")


class Resources(Section):
    """What a container asks for and what it may take at most."""

    requests: Amounts = Field(default_factory=Amounts, description="What the scheduler keeps free for it.")
    limits: Amounts = Field(default_factory=Amounts, description="What it may take at most; none is no limit.")


LabelKey = Annotated[
    str,
    shaped(
        r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$",
        "a key of at most 63 letters, digits, -, _ and ., with an optional domain and / before it",
    ),
]
"""Key of a label or an annotation, with an optional domain before a slash."""

LabelValue = Annotated[
    str,
    shaped(
        r"^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$",
        "at most 63 letters, digits, -, _ and ., a letter or digit at both ends",
    ),
]
"""Value of a label: at most 63 characters."""


def _additional(labels: dict[str, str]) -> dict[str, str]:
    return _free_of(labels, OWN_LABELS, "set by the program, by it Services and budgets find their pods")


Labels = Annotated[dict[LabelKey, LabelValue], AfterValidator(_additional)]
"""Labels beside the program's own."""

Annotations = dict[LabelKey, str]
"""Annotations beside the program's own."""

OWN_SESSION_LABELS = OWN_LABELS | {"lang", "mode", "speechmatics.com/spec-version"}
"""By these the vendor's services tell session pods apart."""

AUTOSCALER_VETO = "cluster-autoscaler.kubernetes.io/safe-to-evict"
"""Pod annotation that keeps the autoscaler from removing the node under a session."""


def _session_labels(labels: dict[str, str]) -> dict[str, str]:
    return _free_of(labels, OWN_SESSION_LABELS, "set by the program, by it a session pod is told from others")


def _session_annotations(annotations: dict[str, str]) -> dict[str, str]:
    return _free_of(annotations, {AUTOSCALER_VETO}, "set by the program, it keeps nodes from going under sessions")


def _free_of(given: dict[str, str], own: Collection[str], why: str) -> dict[str, str]:
    taken = sorted(set(own) & given.keys())
    if taken:
        raise PydanticCustomError("not_allowed", "{taken}: {why}", {"taken": ", ".join(taken), "why": why})
    return given


SessionLabels = Annotated[dict[LabelKey, LabelValue], AfterValidator(_session_labels)]
"""Labels of pods that hold sessions, beside the program's own."""

SessionAnnotations = Annotated[dict[LabelKey, str], AfterValidator(_session_annotations)]
"""Annotations of pods that hold sessions, beside the program's own."""
