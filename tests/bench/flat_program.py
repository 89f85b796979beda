"""The flat program: every object of `objects.json` in a loop, with the providers' own classes and nothing else."""

import base64
import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import pulumi
import pulumi_azure_native as azure_native
import pulumi_kubernetes as kubernetes
from pulumi_azure_native import containerservice

GROUPS = {"rbac.authorization.k8s.io": "rbac"}
made: dict[str, pulumi.CustomResource] = {}
parameters: dict[Any, dict[str, str]] = {}


def class_of(token: str) -> Any:
    """The SDK's class for a type token."""
    package, module, kind = token.split(":")
    if package == "pulumi":
        return {"azure-native": azure_native.Provider, "kubernetes": kubernetes.Provider}[kind]
    if package == "azure-native":
        return getattr(importlib.import_module(f"pulumi_azure_native.{module}"), kind)
    group, _, version = module.partition("/")
    group = GROUPS.get(group, group.split(".")[0])
    if not hasattr(kubernetes, group):
        return kubernetes.apiextensions.CustomResource
    return getattr(importlib.import_module(f"pulumi_kubernetes.{group}.{version}"), kind)


def resolved(value: Any) -> Any:
    """A value with its references made."""
    if isinstance(value, dict):
        return made[value["$id"]].id if "$id" in value else {key: resolved(each) for key, each in value.items()}
    return [resolved(each) for each in value] if isinstance(value, list) else value


def keywords(cls: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    """Inputs by the names of the class's parameters."""
    if cls not in parameters:
        names = inspect.signature(cls._internal_init).parameters
        parameters[cls] = {name.replace("_", "").lower(): name for name in names}
    return {parameters[cls].get(key.lower(), key): resolved(value) for key, value in inputs.items()}


def kubeconfig(each: dict[str, Any]) -> pulumi.Output[str]:
    """What Azure answers once the cluster exists."""
    cluster = next(r for r in made.values() if isinstance(r, containerservice.ManagedCluster))
    group, name = each["inputs"]["clusterIdentifier"].split("/")[4::4]
    answer = containerservice.list_managed_cluster_user_credentials_output(
        resource_group_name=group,
        resource_name=name,
        opts=pulumi.InvokeOutputOptions(provider=made["azure"], depends_on=[cluster]),  # type: ignore[arg-type]
    )
    return pulumi.Output.secret(answer.apply(lambda a: base64.b64decode(a.kubeconfigs[0].value).decode()))


for each in json.loads(Path("objects.json").read_text()):
    cls = class_of(each["type"])
    given = keywords(cls, each["inputs"])
    for key in each["secret"]:
        name = parameters[cls].get(key.lower(), key)
        given[name] = pulumi.Output.secret(given[name])
    if cls is kubernetes.Provider:
        given = {key: {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
                 for key, value in given.items()} | {"kubeconfig": kubeconfig(each)}  # fmt: skip
    options = pulumi.ResourceOptions(
        provider=made[each["provider"]] if each["provider"] else None,  # type: ignore[arg-type]
        protect=each["protect"],
        ignore_changes=each["ignoreChanges"],
        depends_on=[made[name] for name in each["dependsOn"]],
    )
    made[each["name"]] = cls(each["name"], **given, opts=options)
