"""What the four components of Flow have in common in their settings."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from stacks.schema.base import DnsLabel, Host, Section, only
from stacks.schema.external_secrets import ExternalData, ExternalSecretsSettings, ReferencesOrNone
from stacks.schema.fragment import EnvEntry, PodSecurityContext, Volume, VolumeMount
from stacks.schema.global_settings import PullSecret
from stacks.schema.placement import WorkloadPlacement
from stacks.schema.resource_manager_address import AddressMap
from stacks.schema.triton import Variables
from stacks.schema.workload import Annotations, Labels

RECREATE = "the old pod would be gone before the new one answers, and conversations with it"


class FlowExternalSecrets(ExternalSecretsSettings):
    """Secrets from an external store, by the External Secrets Operator, which must be in the cluster."""

    secret_store_name: DnsLabel = Field("akv-secrets", description="Name of the store.")


class InClear(tuple[ExternalData, ...]):
    """What stands where references may: a map, as the chart has it for plain Secrets. Its values are not kept."""

    keys: tuple[str, ...]


def _references(given: Any, references: ValidatorFunctionWrapHandler) -> Any:
    if isinstance(given, dict):
        clear = InClear()
        clear.keys = tuple(str(key) for key in given)
        return clear if given else ()
    return references(tuple(given) if isinstance(given, list) else given)


References = Annotated[tuple[ExternalData, ...], WrapValidator(_references, json_schema_input_type=ReferencesOrNone)]
"""References to an external store. A map with content is secrets in clear: a rule refuses it with the way to do it."""


class FlowSecrets(Section):
    """What the component's own Secret holds beside the flat secret keys."""

    data: References = Field((), description="References to the external store; known keys in clear are flat keys.")
    additional_data: References = Field((), description="Further references to the external store.")


class FlowAddressMap(AddressMap):
    """The ConfigMap with the resource manager's address."""

    enabled: bool = Field(False, description="Read the resource manager's address from the ConfigMap.")


class IngressTls(Section):
    """TLS of an Ingress."""

    enabled: bool = Field(False, description="Serve the host with TLS.")
    secret_name: DnsLabel | None = Field(
        None, description="Existing Secret with the certificate; unset is the ingress controller's own."
    )


class IngressClass(Section):
    """Which controller serves the Ingress, and the zone its host is in."""

    ingress_class_name: DnsLabel = Field("nginx", description="Class of the Ingress.")
    zone: Host | None = Field(None, description="Domain of the host; the vendor's default is a domain of its own.")


class HostIngress(IngressClass):
    """The Ingress of one host."""

    enabled: bool = Field(False, description="Deploy an Ingress.")
    host: Host | None = Field(None, description="Host; unset is the component's name in the zone.")
    annotations: Annotations = Field(default_factory=dict, description="Annotations of the Ingress.")
    labels: Labels = Field(default_factory=dict, description="Labels of the Ingress.")


class TlsIngress(HostIngress):
    """The Ingress of a host whose TLS is a choice."""

    tls: IngressTls = Field(default_factory=IngressTls, description="TLS of the Ingress.")


Port = Annotated[int, Field(gt=0, lt=65536)]
"""A port number."""


class FlowWorkload(WorkloadPlacement):
    """What every pod of Flow can be given."""

    enabled: bool = Field(True, description="Deploy it.")
    name_override: Annotated[str, only("", "it is read only where fullnameOverride is empty, which it never is")] = (
        Field("", description="Read only where fullnameOverride is empty; only its default is accepted.")
    )
    image_pull_secrets: tuple[PullSecret, ...] = Field((), description="Pull secrets; none is `global`'s.")
    security_context: PodSecurityContext = Field(default_factory=dict, description="Security context of the pods.")
    additional_volumes: tuple[Volume, ...] = Field((), description="Volumes beside the program's own.")
    additional_volume_mounts: tuple[VolumeMount, ...] = Field((), description="Mounts of them.")
    additional_env_from: tuple[EnvEntry, ...] = Field((), description="Variables with a source, such as a Secret.")
    additional_env: Variables = Field(default_factory=dict, description="Variables with a plain value.")
    additional_labels: Labels = Field(default_factory=dict, description="Labels of the objects.")
    additional_annotations: Annotations = Field(default_factory=dict, description="Annotations of the objects.")
    additional_pod_labels: Labels = Field(default_factory=dict, description="Labels of the pods.")
    additional_pod_annotations: Annotations = Field(default_factory=dict, description="Annotations of the pods.")
    use_recreate_strategy: Annotated[bool, only(False, RECREATE)] = Field(
        False, description="Refused: the old pod would go before the new one answers."
    )
