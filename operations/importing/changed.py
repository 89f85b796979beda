"""Keys of the chart with another name here, and defaults that are others here: the report tells both."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from operations.importing.left_out import LEFT, covers
from operations.importing.reading import Plain
from operations.importing.tree import GONE, get, put, remove
from stacks.problem import Problem
from stacks.schema import Settings
from stacks.schema.proxy_ingress import OUR_CLASS


@dataclass(frozen=True)
class Renamed:
    """A key of the chart, or of the charts in it, and its name here."""

    path: str
    here: str
    text: str
    """What there is to know of it."""


_DISK = "the chart's Redis is Bitnami's; here one size and one class are those of every disk of Redis"

RENAMED = (
    Renamed("resourceManager.redis.master.persistence.size", "redis.storageSize", _DISK),
    Renamed("resourceManager.redis.master.persistence.storageClass", "redis.storageClass", _DISK),
    Renamed("resourceManager.redis.replica.persistence.size", "redis.storageSize", _DISK),
    Renamed("resourceManager.redis.replica.persistence.storageClass", "redis.storageClass", _DISK),
    Renamed("global.storageClass", "redis.storageClass", _DISK),
    Renamed(
        "inferenceServerCustom.languages",
        "inferenceServerCustom.tritonServer.languages",
        "beside the recipe that reads it; the server registers their models at the vendor's costs",
    ),
)
"""Their values are moved."""

TWO_NAMES = {
    "resourceManager.redis.replica.replicaCount": "the chart's templates read this, its README gives "
    "`resourceManager.redis.replicas.replicaCount`; both are read here, with Sentinel there are 3 nodes at least",
    "resourceManager.redis.connectionTimeout": "the chart's templates read this, its README gives "
    "`resourceManager.redis.timeoutConnection`; both are read here, and this one wins",
    "proxy.ingress.hostname": "as newer charts call `proxy.ingress.url`; both are read here, and two different ones "
    "are refused",
}
"""Keys that are kept as they are, with the other name there is for them."""


@dataclass(frozen=True)
class OtherDefault:
    """A key whose default is another one here."""

    key: str
    chart: str
    """What an unset key is in the chart."""
    here: str
    switches: tuple[str, ...] = ()
    """Only with all of these on."""
    one_of: tuple[str, ...] = ()
    """Only with one of these on."""


_FLOW, _PROXY = ("flow.enabled",), ("proxy.enabled",)
_LLM, _TTS, _VLLM = (*_FLOW, "flow.llmProxy.enabled"), (*_FLOW, "flow.tts.enabled"), (*_FLOW, "flow.vllm.enabled")
_DIRECT = ("resourceManager.ingress.api.enabled", "resourceManager.ingress.flow.enabled")
_NOBODY = "which nobody makes, so that the controller shows a certificate of its own"
_SHOWN = "the ingress controller's own certificate"
_PROBED = "one that says when it answers"

OTHER_DEFAULT = (
    OtherDefault(
        "proxy.ingress.tls.secretName",
        f"the Secret `tls-secret`, {_NOBODY}",
        "none: our controller shows a self-signed certificate, another one's Ingresses have no `tls`",
        (*_PROXY, "proxy.ingress.enabled"),
    ),
    OtherDefault(
        "proxy.ingress.flow.additionalHost.tlsSecretName",
        f"the Secret `tls-secret-flow`, {_NOBODY}",
        _SHOWN,
        (*_PROXY, "proxy.ingress.enabled", "proxy.ingress.flow.additionalHost.enabled"),
    ),
    OtherDefault("proxy.podDisruptionBudget.enabled", "false", "true: a session ends with its pod", _PROXY),
    OtherDefault("proxy.strategy", "25 % at once, either way", "new before old, one at a time", _PROXY),
    OtherDefault("sessions.maxDurationSeconds", "transcribers stop after 30 seconds, inference servers after 600",
                 "their pods may live as long as the longest session"),
    OtherDefault("resourceManager.redis.image", "Bitnami's image", "the official one, docker.io/library/redis",
                 ("resourceManager.redis.enabled",)),
    OtherDefault("redis.storageClass", "the cluster's default class", "`managed-csi`",
                 ("resourceManager.redis.enabled",)),
    OtherDefault("resourceManager.redis.timeoutConnection", "not read: as long as the services see fit", "`10m`"),
    OtherDefault("resourceManager.metrics.workerMonitor.podNamePrefix", "`rt-transcribers-`, which no pod begins with",
                 "`transcribers.fullnameOverride` and `-`",
                 ("resourceManager.metrics.enabled", "resourceManager.metrics.workerMonitor.enabled")),
    OtherDefault("resourceManager.metrics.workerMonitor.containerName", "`rt-asr-transcriber`, in batch too",
                 "the transcribers' own container, in batch `batch-asr-transcriber`",
                 ("resourceManager.metrics.enabled", "resourceManager.metrics.workerMonitor.enabled")),
    OtherDefault("resourceManager.ingress.zone", "a domain of the vendor's", "none", one_of=_DIRECT),
    OtherDefault("resourceManager.ingress.tlsSecretName", "`tls-secret`", _SHOWN, one_of=_DIRECT),
    OtherDefault("flow.terminationGracePeriodSeconds", "30", "the longest session", _FLOW),
    OtherDefault("flow.readinessTracker.resources", "256Ki of memory", "256Mi", _FLOW),
    OtherDefault("flow.ingress.zone", "a domain of the vendor's", "none", (*_FLOW, "flow.ingress.enabled")),
    OtherDefault("flow.ingress.tlsSecretName", "`tls-secret`", _SHOWN, (*_FLOW, "flow.ingress.enabled")),
    OtherDefault("flow.llmProxy.replicas", "1", "2: with one, a drain of its node would cut turns", _LLM),
    OtherDefault("flow.llmProxy.readinessProbe", "none", _PROBED, _LLM),
    OtherDefault("flow.llmProxy.config.model_list", "vLLM with the chart's names",
                 "made of group, model and Service as they are set", _LLM),
    OtherDefault("flow.llmProxy.ingress.zone", "a domain of the vendor's", "none",
                 (*_LLM, "flow.llmProxy.ingress.enabled")),
    OtherDefault("flow.llmProxy.ingress.tlsHost", "`*.` and the zone", "on our controller the Ingress's own host",
                 (*_LLM, "flow.llmProxy.ingress.enabled")),
    OtherDefault("flow.llmProxy.ingress.tlsSecretName", "`tls-secret`", _SHOWN,
                 (*_LLM, "flow.llmProxy.ingress.enabled")),
    OtherDefault("flow.tts.terminationGracePeriodSeconds", "30", "the longest session", _TTS),
    OtherDefault("flow.tts.readinessProbe", "none", _PROBED, _TTS),
    OtherDefault("flow.tts.ingress.zone", "a domain of the vendor's", "none", (*_TTS, "flow.tts.ingress.enabled")),
    OtherDefault("flow.tts.ingress.tls.secretName", "`tls-secret-tts`", _SHOWN,
                 (*_TTS, "flow.tts.ingress.enabled", "flow.tts.ingress.tls.enabled")),
    OtherDefault("flow.vllm.readinessProbe", "none", _PROBED, _VLLM),
    OtherDefault("flow.vllm.resources", "no GPU", "the GPUs of `flow.vllm.config.numGPUs`", _VLLM),
    OtherDefault("flow.vllm.persistence.accessModes", "ReadWriteOnce", "ReadWriteMany", _VLLM),
    OtherDefault("flow.vllm.persistence.storageClassName", "`default`", "`azurefile-csi-premium`", _VLLM),
    OtherDefault("flow.vllm.ingress.zone", "a domain of the vendor's", "none",
                 (*_VLLM, "flow.vllm.ingress.enabled")),
    OtherDefault("flow.vllm.ingress.tls.secretName", "`tls-secret-vllm`", _SHOWN,
                 (*_VLLM, "flow.vllm.ingress.enabled", "flow.vllm.ingress.tls.enabled")),
)  # fmt: skip
"""Sources: the contract's defaults; the reasons stand in `components/speech/differences`."""

REDIS = ("resourceManager", "redis")
NO_TLS = ("proxy", "ingress", "tls")


def moved(values: dict[str, Any]) -> tuple[list[Renamed], list[Problem], list[tuple[str, str]]]:
    """Move what has another name here; what was renamed, what has no place beside it, and what was understood."""
    found, problems = _renamed(values)
    problems += _images(values)
    notes = [
        (path, text) for path, text in TWO_NAMES.items() if get(values, tuple(path.split("."))) not in (GONE, None)
    ]
    if get(values, NO_TLS) is None:
        remove(values, NO_TLS)
        text = (
            "null is no Secret: the Ingresses of another controller have no `tls`, ours shows a self-signed certificate"
        )
        notes.append((".".join(NO_TLS), text))
    if get(values, (*REDIS, "image", "registry")) is not GONE and get(values, (*REDIS, "image", "repository")) is GONE:
        text = "the official image is pulled from there, as library/redis, not Bitnami's"
        notes.append((".".join((*REDIS, "image", "registry")), text))
    return found, problems, notes


def _renamed(values: dict[str, Any]) -> tuple[list[Renamed], list[Problem]]:
    found: list[Renamed] = []
    problems: list[Problem] = []
    sentinel = get(values, (*REDIS, "sentinel", "enabled"))
    nodes = sentinel is True or (isinstance(sentinel, Plain) and sentinel.value is True)
    first: dict[str, Renamed] = {}
    # with Sentinel every node is a replica to Bitnami
    for each in sorted(RENAMED, key=lambda each: (".replica." in each.path) is not nodes):
        steps, here = tuple(each.path.split(".")), tuple(each.here.split("."))
        value = get(values, steps)
        if value is GONE or value is None:
            continue
        remove(values, steps)
        before, above = get(values, here), get(values, here[:-1])
        if above not in (GONE, None) and not isinstance(above, dict):
            reason = f"here it is `{each.here}`, and `{'.'.join(here[:-1])}` is no section in this file"
            problems.append(Problem(each.path, "wrong-type", reason, LEFT))
            continue
        if before is GONE or before is None:
            put(values, here, value)
        elif before != value:
            says = first[each.here].path if each.here in first else each.here
            reason = f"here it is `{each.here}`, one for all, and that is what `{says}` says"
            problems.append(Problem(each.path, "another-content", reason, LEFT))
            continue
        first.setdefault(each.here, each)
        found.append(each)
    return found, problems


def _images(values: dict[str, Any]) -> list[Problem]:
    """Bitnami's images of Redis, taken out: what runs here needs what the official one has."""
    problems = []
    for steps in ((*REDIS, "image"), (*REDIS, "sentinel", "image")):
        image = get(values, steps)
        if not isinstance(image, dict):
            continue
        named = str(image.get("repository", ""))
        theirs = "bitnami" in named or (not named and "-debian-" in str(image.get("tag", "")))
        if theirs or "sentinel" in steps:
            remove(values, steps)
            reason = "the chart's Redis is Bitnami's image; here every Redis and every sentinel runs the official one"
            mend = "a mirror of the official image: resourceManager.redis.image.registry, with .repository and .tag"
            problems.append(Problem(".".join(steps), "other-image", reason, mend))
    return problems


def idle_controller(settings: Settings) -> list[tuple[str, str]]:
    """What there is to say of our ingress controller where the proxy's Ingress is another one's."""
    ingress = settings.proxy.ingress
    if not (settings.proxy.enabled and ingress.enabled and settings.ingress.enabled) or settings.our_ingress:
        return []
    text = (
        f"on, as where nothing is said: the program's own controller is made beside that of class "
        f"{ingress.ingress_class_name}, and serves the Ingresses of class {OUR_CLASS}. Where there are none: "
        "pulumi config set --path 'ingress.enabled' false"
    )
    return [("ingress.enabled", text)]


def other_defaults(settings: Settings, told: Collection[str]) -> list[OtherDefault]:
    """Those that count with these settings, of keys of which the values file says nothing (`told` are the others)."""
    shown = settings.model_dump(by_alias=True)

    def on(switch: str) -> bool:
        return get(shown, tuple(switch.split("."))) is True

    return [
        each
        for each in OTHER_DEFAULT
        if not any(covers(each.key, path) or covers(path, each.key) for path in told)
        and all(map(on, each.switches))
        and (not each.one_of or any(map(on, each.one_of)))
    ]
