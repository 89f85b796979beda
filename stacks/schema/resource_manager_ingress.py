"""`resourceManager.ingress`: Ingresses straight to the resource manager (contract: control plane 5.3)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import DnsLabel, Host, Section, only, shaped
from stacks.schema.proxy_ingress import OUR_CLASS
from stacks.schema.workload import Annotations, Labels

REDIRECT = (
    "it makes the redirect Ingress, whose path is a regular expression without the annotation that makes it one and "
    "which hands over to a location that nothing defines; resourceManager.ingress.api.enabled makes the API's alone"
)

ClassName = Annotated[
    str,
    shaped(
        r"^([a-z]([-a-z0-9]{0,61}[a-z0-9])?)?$",
        "a name of at most 63 characters: lower case letters, digits and -, a letter first, no - at the end; or empty",
    ),
]
"""An ingress class; the empty one is the cluster's default."""


class DirectIngress(Section):
    """The Ingress of one path."""

    enabled: bool = Field(False, description="Deploy the Ingress; the resource manager asks nobody who they are.")
    host: Host | None = Field(None, description="The host, without a scheme; unset is a name in the zone.")
    annotations: Annotations = Field(default_factory=dict, description="Annotations of the Ingress.")
    labels: Labels = Field(default_factory=dict, description="Labels of the Ingress.")


class ResourceManagerIngress(Section):
    """Ingresses straight to the resource manager."""

    enabled: Annotated[bool, only(False, REDIRECT)] = Field(
        False, description="Redirect clients to the resource manager; not offered."
    )
    ingress_class_name: ClassName = Field(
        OUR_CLASS,
        description="Ingress class to use; `nginx` is our controller's while `ingress.enabled`, empty the cluster's "
        "default.",
    )
    zone: Host | None = Field(
        None, description="Domain of the hosts that are not given; the vendor's default is a domain of its own."
    )
    tls_secret_name: DnsLabel | None = Field(
        None, description="An existing Secret of type kubernetes.io/tls; unset is the controller's own certificate."
    )
    api: DirectIngress = Field(
        default_factory=DirectIngress,
        description="An Ingress for `/v1/transcribers`; the chart asks for `resourceManager.ingress.enabled` too.",
    )
    flow: DirectIngress = Field(default_factory=DirectIngress, description="An Ingress for `/v1/flow`.")
