"""The provider resource's settings: checked, compared, and turned into one connection's configuration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from sandbox.rpc import UNKNOWN

Json = dict[str, Any]

CLUSTER_IDENTIFIER = "clusterIdentifier"
_TEXTS = frozenset({"kubeconfig", "context", "cluster", "namespace", CLUSTER_IDENTIFIER})
_SWITCHES = frozenset(
    {
        "enableConfigMapMutable",
        "enableSecretMutable",
        "suppressDeprecationWarnings",
        "suppressHelmHookWarnings",
    }
)
_ONLY: dict[str, tuple[bool, str]] = {
    "enableServerSideApply": (True, "client-side apply is not supported here"),
    "upsertExistingObjects": (False, "not supported here: a replacement under the same name deletes the new object"),
    "enablePatchForce": (False, "not supported here: it would overwrite what other managers own"),
    "deleteUnreachable": (False, "not supported here: it drops state while the API server is away"),
    "skipUpdateUnreachable": (False, "not supported here: it answers with data that may be stale"),
}
"""Switches of which the stand-in knows only one position, and why the other is refused."""

_ENGINE_KEYS = frozenset({"version", "pluginDownloadURL", "__internal"})


@dataclass(frozen=True)
class Settings:
    """One provider resource's settings."""

    kubeconfig: Json
    namespace: str
    config_maps_mutable: bool
    secrets_mutable: bool


def check(inputs: Json) -> list[tuple[str, str]]:
    """What is wrong with a provider's inputs: property and reason."""
    failures: list[tuple[str, str]] = []
    for key, value in inputs.items():
        if key in _ENGINE_KEYS or value is None or value == UNKNOWN:
            continue
        if key in _TEXTS:
            if not isinstance(value, str):
                failures.append((key, "must be text"))
        elif key in _SWITCHES or key in _ONLY:
            position = _switch(value)
            if position is None:
                failures.append((key, f"must be true or false, not {value!r}"))
            elif key in _ONLY and position is not _ONLY[key][0]:
                failures.append((key, _ONLY[key][1]))
        elif key in ("renderYamlToDirectory", "alwaysRender"):
            failures.append((key, "not supported here: it replaces every object and writes secrets in clear"))
        else:
            failures.append((key, "unknown to the Kubernetes stand-in"))
    if not inputs.get("kubeconfig"):
        failures.append(("kubeconfig", "required: the local plane has no ambient cluster"))
    elif inputs["kubeconfig"] != UNKNOWN and isinstance(inputs["kubeconfig"], str):
        failures += _kubeconfig_failures(inputs["kubeconfig"])
    return failures


def parse(inputs: Json) -> Settings:
    """The settings behind checked, fully known inputs."""
    loaded = load_kubeconfig(inputs["kubeconfig"])
    selected = select(loaded, inputs.get("context"), inputs.get("cluster"))
    return Settings(
        kubeconfig=selected,
        namespace=inputs.get("namespace") or _namespace(selected),
        config_maps_mutable=_switch(inputs.get("enableConfigMapMutable")) is True,
        secrets_mutable=_switch(inputs.get("enableSecretMutable")) is True,
    )


@dataclass(frozen=True)
class ConfigDiff:
    changed: list[str]
    replaces: list[str]


def diff(old: Json, new: Json) -> ConfigDiff:
    """What changes of a provider resource, and what of it replaces the provider with every object in the cluster.

    A `clusterIdentifier` that stays the same means never; one that changes, always; adding or removing one decides
    nothing. Without one: a changed active cluster, or one not known yet.
    """
    before = {key: value for key, value in old.items() if key not in _ENGINE_KEYS and value is not None}
    after = {key: value for key, value in new.items() if key not in _ENGINE_KEYS and value is not None}
    changed = sorted(key for key in {**before, **after} if before.get(key) != after.get(key))
    if not changed:
        return ConfigDiff([], [])
    identified = CLUSTER_IDENTIFIER in before and CLUSTER_IDENTIFIER in after
    if identified and CLUSTER_IDENTIFIER not in changed:
        return ConfigDiff(changed, [])
    replaces = [CLUSTER_IDENTIFIER] if identified else []
    unknown = [key for key in ("kubeconfig", "context", "cluster") if after.get(key) == UNKNOWN]
    if unknown:
        return ConfigDiff(unknown, replaces + unknown[:1])
    if _active_cluster(before) != _active_cluster(after):
        replaces = changed
    return ConfigDiff(changed, replaces)


def load_kubeconfig(text_or_path: str) -> Json:
    """The parsed kubeconfig. Raises `ValueError` when it is neither a kubeconfig nor the path of one."""
    loaded = _yaml(text_or_path)
    if isinstance(loaded, str) and (path := Path(loaded).expanduser()).is_file():
        loaded = _yaml(path.read_text())
    if not isinstance(loaded, dict) or "clusters" not in loaded:
        raise ValueError("is neither a kubeconfig nor the path of one")
    return loaded


def _yaml(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"is not YAML: {error}") from error


def select(kubeconfig: Json, context: str | None, cluster: str | None) -> Json:
    """The kubeconfig with the overrides of the provider resource made its current context."""
    result = {**kubeconfig, "current-context": context or kubeconfig.get("current-context")}
    if cluster:
        result["contexts"] = [
            {**item, "context": {**item["context"], "cluster": cluster}}
            if item["name"] == result["current-context"]
            else item
            for item in kubeconfig.get("contexts") or []
        ]
    return result


def _kubeconfig_failures(text: str) -> list[tuple[str, str]]:
    try:
        load_kubeconfig(text)
    except ValueError as error:
        return [("kubeconfig", str(error))]
    return []


def _named(items: Any, name: Any, what: str) -> Json:
    for item in items or []:
        if item.get("name") == name:
            found = item.get(what)
            return dict(found) if isinstance(found, Mapping) else {}
    return {}


def _namespace(kubeconfig: Json) -> str:
    context = _named(kubeconfig.get("contexts"), kubeconfig.get("current-context"), "context")
    return str(context.get("namespace") or "default")


def _active_cluster(inputs: Json) -> Json:
    """What the kubeconfig says about its active cluster: server, authority. Empty when it says nothing."""
    text = inputs.get("kubeconfig")
    if not text or text == UNKNOWN:
        return {}
    kubeconfig = select(load_kubeconfig(str(text)), inputs.get("context"), inputs.get("cluster"))
    context = _named(kubeconfig.get("contexts"), kubeconfig.get("current-context"), "context")
    return _named(kubeconfig.get("clusters"), context.get("cluster"), "cluster")


def _switch(value: Any) -> bool | None:
    """A switch as the SDK sends it: `true`, or the JSON text of it. None: neither."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return bool(json.loads(value))
    return None
