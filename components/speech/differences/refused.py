"""What the contract has with a value that the configuration refuses: nothing brings it here.

The reason is the one with which the configuration refuses the value, and is read from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from components.speech.differences.difference import NOTHING, fits
from components.speech.differences.everywhere import SERVERS
from stacks.schema import Settings
from stacks.schema.base import only_value
from stacks.schema.paths import field_at

SERVER = "<server>"
"""In a key: each of the six blocks of inference servers."""


def keys_of(key: str) -> Iterator[str]:
    """The keys that one stands for."""
    top = [field.alias or name for name, field in Settings.model_fields.items()]
    servers = [each for each in top if each.startswith("inferenceServer")]
    yield from (key.replace(SERVER, each) for each in servers) if SERVER in key else (key,)


def reason_of(key: str) -> str:
    """Why the configuration takes only one value of a key, as a sentence."""
    fields = (field_at(tuple(each.split("."))) for each in keys_of(key))
    found = {only.reason for field in fields if field is not None and (only := only_value(field)) is not None}
    if len(found) != 1:
        raise ValueError(f"{key} is not refused with one reason: {sorted(found)}")
    (reason,) = found
    return f"{reason[0].upper()}{reason[1:].removesuffix('.')}."


@dataclass(frozen=True, eq=False)
class Refused:
    """One thing of the contract's that no configuration brings."""

    objects: str
    """Patterns over `Kind/name`, separated by blanks, as a difference has them."""
    path: str
    """The field; empty: the whole object."""
    where: tuple[str, object]
    """The key, and the value with which the chart has it."""
    contract: str
    """The section that says so."""
    ours: object = NOTHING

    @property
    def reason(self) -> str:
        return reason_of(self.where[0])

    def is_of_whole(self, title: str) -> bool:
        """Whether it speaks of this object as a whole."""
        return not self.path and fits(self.objects, title)


_SCALER = (
    "Deployment/*-sm-scaling ServiceAccount/*-sm-scaling Role/*-sm-scaling-k8s-access "
    "RoleBinding/*-sm-scaling-k8s-access"
)

REFUSED: tuple[Refused, ...] = (
    Refused("Ingress/*resource-manager-redirect", "", ("resourceManager.ingress.enabled", True), "control-plane 5.3"),
    Refused("DaemonSet/nvidia-gpu-drivers", "", (f"{SERVER}.nvidiaDrivers.enable", True), "transcription 11.11"),
    Refused(_SCALER, "", (f"{SERVER}.tritonServer.autoscaling.installDependencies", True), "transcription 11.12"),
    Refused(
        "Service/*inference-server-*",
        "metadata.annotations.prometheus.io/*",
        (f"{SERVER}.tritonServer.autoscaling.enabled", True),
        "transcription 11.8",
    ),
    Refused(
        "Ingress/realtime Ingress/realtime-grpc",
        "",
        (f"{SERVER}.tritonServer.ingress.enabled", True),
        "transcription 11.13",
    ),
    Refused("Pod/*", "", (f"{SERVER}.tests.enabled", True), "transcription 11.13"),
    Refused(
        SERVERS,
        "spec.template.metadata.annotations.ad.datadoghq.com/*",
        (f"{SERVER}.datadog.addAnnotations", True),
        "transcription 11.13",
    ),
)
"""All of them."""
