"""The one builder of pod templates, for Deployments, StatefulSets and SessionGroups alike.

Plain JSON in the API's own camelCase: a SessionGroup is a custom resource, whose template the SDK does not type, and
one builder for both keeps them the same. Empty fields are left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.placement import Placement
from stacks.schema.base import Section

Json = dict[str, Any]


def env(name: str, value: str) -> Json:
    """A plain variable."""
    return {"name": name, "value": value}


def env_flag(name: str, value: bool) -> Json:
    """A switch, as the vendor's services read it: `true` or `false`."""
    return env(name, "true" if value else "false")


def env_config(name: str, config_map: pulumi.Input[str], key: str) -> Json:
    """A variable from a ConfigMap."""
    return {"name": name, "valueFrom": {"configMapKeyRef": {"name": config_map, "key": key}}}


def env_secret(name: str, secret: pulumi.Input[str], key: str) -> Json:
    """A variable from a Secret."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def env_field(name: str, path: str) -> Json:
    """A variable from the pod itself."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def session_env(group: str) -> list[Json]:
    """The three variables the sessiongroups-controller puts at the end of every container (contract: 14.2)."""
    return [
        env("SM_DEPLOYMENT_NAME", group),
        env_field("SM_NODE_NAME", "spec.nodeName"),
        env_field("SM_SPEC_VERSION", "metadata.labels['speechmatics.com/spec-version']"),
    ]


def port(name: str, number: int) -> Json:
    """A named TCP port of a container."""
    return {"name": name, "containerPort": number, "protocol": "TCP"}


def http_probe(path: str, port: int | str, **numbers: int) -> Json:
    """An HTTP probe; numbers in the API's names (`periodSeconds` and so on)."""
    return {"httpGet": {"path": path, "port": port}, **numbers}


def requests(cpu: str, memory: str) -> Json:
    """Resources with requests only."""
    return {"requests": {"cpu": cpu, "memory": memory}}


def present(fields: Mapping[str, Any]) -> Json:
    """Without what is None or empty; 0 and false stay."""
    return {key: value for key, value in fields.items() if value is not None and value not in ("", [], {})}


def passed_on(settings: Section) -> Json:
    """A probe or resources as configured, in the API's names; what is not set is left out."""
    fields = settings.model_dump(by_alias=True, exclude_none=True, mode="json")
    return {key: value for key, value in fields.items() if value != {}}


@dataclass(frozen=True)
class Files:
    """What the program itself puts into a pod: volumes, and where the first container sees them.

    What the configuration adds comes beside it and never in its place (`stacks.rules.volumes` reads this as well).
    """

    volumes: tuple[Json, ...] = ()
    mounts: tuple[Json, ...] = ()

    def __add__(self, more: Files) -> Files:
        return Files((*self.volumes, *more.volumes), (*self.mounts, *more.mounts))


def container(
    name: str,
    image: str,
    *,
    args: Sequence[str] = (),
    command: Sequence[str] = (),
    variables: Sequence[Json] = (),
    ports: Sequence[Json] = (),
    resources: Json | None = None,
    mounts: Sequence[Json] = (),
    startup_probe: Json | None = None,
    liveness_probe: Json | None = None,
    readiness_probe: Json | None = None,
    lifecycle: Json | None = None,
    image_pull_policy: str | None = None,
    restart_policy: str | None = None,
    security_context: Json | None = None,
) -> Json:
    """One container."""
    return present(
        {
            "name": name,
            "image": image,
            "imagePullPolicy": image_pull_policy,
            "command": list(command),
            "args": list(args),
            "env": list(variables),
            "ports": list(ports),
            "resources": resources,
            "volumeMounts": list(mounts),
            "startupProbe": startup_probe,
            "livenessProbe": liveness_probe,
            "readinessProbe": readiness_probe,
            "lifecycle": lifecycle,
            "restartPolicy": restart_policy,
            "securityContext": security_context,
        }
    )


def pod_template(
    *,
    placement: Placement,
    labels: Mapping[str, str],
    containers: Sequence[Json],
    annotations: Mapping[str, pulumi.Input[str]] | None = None,
    init_containers: Sequence[Json] = (),
    service_account: pulumi.Input[str] | None = None,
    pull_secrets: Sequence[str] = (),
    volumes: Sequence[Json] = (),
    security_context: Json | None = None,
    grace_seconds: int | None = None,
    affinity: Json | None = None,
    runtime_class: str | None = None,
    restart_policy: str | None = None,
    dns_policy: str | None = None,
) -> Json:
    """A pod template on the active generation of a pool; `affinity` is the program's own."""
    return {
        "metadata": present({"labels": dict(labels), "annotations": dict(annotations or {})}),
        "spec": present(
            {
                "serviceAccountName": service_account,
                "imagePullSecrets": [{"name": name} for name in pull_secrets],
                "securityContext": security_context,
                "terminationGracePeriodSeconds": grace_seconds,
                "runtimeClassName": runtime_class,
                "restartPolicy": restart_policy,
                "dnsPolicy": dns_policy,
                "affinity": placement.affinity_with(affinity or {}),
                "nodeSelector": placement.node_selector,
                "tolerations": placement.tolerations,
                "initContainers": list(init_containers),
                "containers": list(containers),
                "volumes": list(volumes),
            }
        ),
    }
