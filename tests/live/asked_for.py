"""What a configuration asks of others: objects that its own name and nobody makes, labels of nodes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from components.cluster.certificate import self_signed
from components.cluster.redis_endpoint import CA_KEY
from sandbox.nodes.images import VENDOR
from tests.live.conftest import Json
from tests.redis.outside import Outside
from tests.yaml_file import read_yaml

NAMESPACE = "speechmatics"
REDIS, SENTINEL = "redis://other-redis.data:6379", "redis://other-redis.data:26379"
OF_OTHERS: list[Json] = read_yaml(Path(__file__).parent / "of_others.yaml")
"""What every cluster here has beside the platform, that Redis among it."""
REFERENCES = {
    "secret": ("Secret", "secretName"),
    "secretKeyRef": ("Secret", "name"),
    "configMap": ("ConfigMap", "name"),
    "configMapKeyRef": ("ConfigMap", "name"),
}
"""Field that refers to an object → its kind, and the field of the name."""
ALL = {"Secret": "license.json", "ConfigMap": "made-up"}
"""What an object holds of which a pod takes all there is."""


ACCOUNT = "made-up:made-up"
"""User and password of the private ones among them."""
DIGEST = hashlib.sha256(ACCOUNT.encode()).hexdigest()
PRIVATE = ("controller.example", "flow.example", "own.example", "side.example")
MIRRORS = ",".join(["registry.example", "other.example", "tts.example", *(f"{host}={DIGEST}" for host in PRIVATE)])
"""The registries of somebody's own that the files name, as the setting has them."""


def asked_for(objects: list[Json], password: str, redis: Outside) -> list[Json]:
    """Manifests of what others make, with made-up contents: what the objects refer to and is not among them.

    The password is the one that the vendor's registry takes; that Redis is for who trusts an authority of its own.
    """
    there = {(each["kind"], each["metadata"]["name"]) for each in objects}
    found: dict[tuple[str, str], Json] = {}
    for each in objects:
        for manifest in _of_pod(_pod(each), password, redis):
            name = (manifest["kind"], manifest["metadata"]["name"])
            if name not in there:
                held = found.setdefault(name, manifest).get("stringData") or found[name].get("data") or {}
                held |= manifest.get("stringData") or manifest.get("data") or {}
    return [*found.values(), *_certificates(objects, there)]


def _of_pod(pod: Json, password: str, redis: Outside) -> Iterator[Json]:
    variables = [each for container in pod.get("containers") or [] for each in container.get("env") or []]
    asks_sentinel = {"name": "REDIS_FAIL_OVER_CLIENT_ENABLED", "value": "true"} in variables
    trusts = any(each["name"] == "SSL_CERT_DIR" for each in variables)
    address = redis.url if trusts else SENTINEL if asks_sentinel else REDIS
    for kind, name, key in _references(pod):
        is_address = key.endswith(("redis_url", "cache_url"))
        content = {key: address if is_address else redis.authority if key == CA_KEY else "made-up"}
        yield _secret(name, content) if kind == "Secret" else _manifest("v1", kind, name, data=content)
    if not pod.get("priorityClassName", "system-").startswith("system-"):
        yield _manifest("scheduling.k8s.io/v1", "PriorityClass", pod["priorityClassName"], value=1)
    if "serviceAccountName" in pod:
        yield _manifest("v1", "ServiceAccount", pod["serviceAccountName"])
    accounts = {VENDOR: f"sandbox:{password}", **dict.fromkeys(PRIVATE, ACCOUNT)}
    auths = {host: {"auth": base64.b64encode(account.encode()).decode()} for host, account in accounts.items()}
    login = {".dockerconfigjson": json.dumps({"auths": auths})}
    for each in pod.get("imagePullSecrets") or []:
        yield _secret(each["name"], login, "kubernetes.io/dockerconfigjson")


def _certificates(objects: list[Json], there: set[tuple[str, str]]) -> Iterator[Json]:
    """Of every Secret that Ingresses name: one certificate for all hosts of all of them."""
    served = [tls for each in objects if each["kind"] == "Ingress" for tls in each["spec"].get("tls") or []]
    hosts: dict[str, list[str]] = {}
    for tls in served:
        if ("Secret", name := tls.get("secretName")) not in there and name:
            hosts.setdefault(name, []).extend(tls["hosts"])
    for name, names in hosts.items():
        pair = self_signed(names, datetime.now(UTC))
        yield _secret(name, {"tls.crt": pair.certificate, "tls.key": pair.key}, "kubernetes.io/tls")


def _secret(name: str, content: dict[str, str], of_type: str = "Opaque") -> Json:
    return _manifest("v1", "Secret", name, type=of_type, stringData=content)


def _manifest(api_version: str, kind: str, name: str, **fields: Any) -> Json:
    where = {} if kind == "PriorityClass" else {"namespace": NAMESPACE}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name, **where}, **fields}


def _references(part: Any) -> Iterator[tuple[str, str, str]]:
    """Kind, name and key of every object a part of a pod needs."""
    if isinstance(part, list):
        for each in part:
            yield from _references(each)
    elif isinstance(part, dict):
        for field, value in part.items():
            kind, name = REFERENCES.get(field, ("", ""))
            if isinstance(value, dict) and name in value and not value.get("optional"):
                held = [each["key"] for each in value.get("items") or []] or [value.get("key") or ALL[kind]]
                yield from ((kind, value[name], key) for key in held)
            yield from _references(value)


def _pod(each: Json) -> Json:
    """The pod of a workload's template; of anything else none."""
    pod: Json = ((each.get("spec") or {}).get("template") or {}).get("spec") or {}
    return pod


def selectors(objects: list[Json]) -> list[dict[str, str]]:
    """The node selectors of the pods, each once."""
    found: list[dict[str, str]] = []
    for each in objects:
        if (selector := _pod(each).get("nodeSelector")) and selector not in found:
            found.append(selector)
    return found
