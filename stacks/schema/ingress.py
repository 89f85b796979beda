"""`ingress`: the controller in front of the proxy. Ours; the seed only says how ingress-nginx must be set up."""

from __future__ import annotations

from pydantic import Field

from stacks.schema.base import ImageTag, Quantity, Section
from stacks.schema.placement import WorkloadPlacement


class ControllerImage(Section):
    """Which release of the controller runs."""

    tag: ImageTag | None = Field(None, description="Tag of nginx/nginx-ingress; unset is the one this program pins.")


class ControllerResources(Section):
    """What one controller pod requests."""

    cpu: Quantity = Field("100m", description="CPU request (the controller's own manifest).")
    memory: Quantity = Field("128Mi", description="Memory request (the controller's own manifest).")


class IngressSettings(WorkloadPlacement):
    """The ingress controller, made here because the one the seed names is retired."""

    enabled: bool = Field(True, description="Make the controller; off when another one serves the class.")
    replicas: int = Field(2, ge=2, le=10, description="Controller pods; with fewer than two a node takes all sessions.")
    image: ControllerImage = Field(default_factory=ControllerImage, description="Which release runs.")
    resources: ControllerResources = Field(default_factory=ControllerResources, description="Requests of one pod.")
    idle_timeout_minutes: int = Field(
        30,
        ge=4,
        le=30,
        description="Idle minutes after which the load balancer drops a connection (safe by every document: 4 to 30).",
    )
