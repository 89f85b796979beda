"""Rules of transcribers and inference servers: overrides, scaling, versions, variables, resources."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from components.speech.images import server_tag, transcriber_tag
from components.speech.pod import Json
from components.speech.transcriber_languages import speech, speeches
from stacks.capacity import gpus
from stacks.problem import Problem, remove_command, set_command
from stacks.quantities import quantity
from stacks.schema import Settings
from stacks.schema.session_groups import ScalingOverride
from stacks.schema.transcriber_container import CacheType

OVERRIDES = "transcribers.transcriber.languages.overrides"

CONTROLLERS = ("SM_DEPLOYMENT_NAME", "SM_NODE_NAME", "SM_SPEC_VERSION")
"""What the sessiongroups-controller puts at the end of every container's variables (contract: transcription 14.2)."""

WHO = ("POD_NAME", "POD_IP")
"""How a sidecar tells which pod it registers."""

CONCURRENCY = {"SM_MAX_CONCURRENT_CONNECTIONS": "transcribers.transcriber.maxConcurrentConnections.value"}
"""Variables with a key of their own, because what a pod registers must say the same."""


def overridden_languages(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """An override is for a language with transcribers."""
    overrides = settings.transcribers.transcriber.languages.overrides
    deployed = settings.transcribers.transcriber.languages.deployed(settings.global_.transcriber.languages)
    for field, described in type(overrides).model_fields.items():
        for language in getattr(overrides, field):
            if language not in deployed:
                path = f"{OVERRIDES}.{described.alias}.{language}"
                reason = f"{language} has no transcribers; there is {', '.join(deployed)}"
                yield Problem(path, "language-not-deployed", reason, remove_command(path))


def scalings(settings: Settings) -> Iterator[tuple[str, ScalingOverride]]:
    """Every block that says how something is scaled, with its path."""
    yield "transcribers.sessionGroups.scaling", settings.transcribers.session_groups.scaling
    for language, scaling in settings.transcribers.transcriber.languages.overrides.session_groups_scaling.items():
        yield f"{OVERRIDES}.sessionGroupsScaling.{language}", scaling
    for key, server in settings.inference_servers.items():
        yield f"{key}.sessionGroups.scaling", server.session_groups.scaling


def triggers(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A block has one trigger: pods left or capacity left."""
    for path, scaling in scalings(settings):
        given = scaling.model_fields_set
        both = not {scaling.scale_on_pods_left, scaling.scale_on_capacity_left} & {None, -1}
        if both and {"scale_on_pods_left", "scale_on_capacity_left"} <= given:
            reason = "scaleOnCapacityLeft stands beside it, in another unit; a block has one of the two"
            yield Problem(
                f"{path}.scaleOnPodsLeft", "two-triggers", reason, remove_command(f"{path}.scaleOnCapacityLeft")
            )
    for path, spec in wanted(settings):
        if not spec.keys() & {"scaleOnPodsLeft", "scaleOnCapacityLeft"}:
            path = f"{path}.scaleOnCapacityLeft"
            reason = "neither this nor scaleOnPodsLeft is set, so nothing says when to grow; -1 is never"
            yield Problem(path, "no-trigger", reason, set_command(path, 1))


def wanted(settings: Settings) -> Iterator[tuple[str, Json]]:
    """What is wanted of every group's scaling, with the block that says most of it."""
    own = settings.transcribers
    overrides = own.transcriber.languages.overrides.session_groups_scaling
    for each in speeches(own, settings.global_):
        there = each.language in overrides
        yield (
            f"{OVERRIDES}.sessionGroupsScaling.{each.language}" if there else "transcribers.sessionGroups.scaling",
            each.scaling,
        )
    for key, server in settings.inference_servers.items():
        scaling = server.session_groups.scaling
        yield f"{key}.sessionGroups.scaling", scaling.model_dump(by_alias=True, exclude_none=True)


def replica_ranges(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Fewest pods are not more than most."""
    told = set()
    for above, spec in wanted(settings):
        least, most = spec["minReplicas"], spec["maxReplicas"]
        if least > most and above not in told:
            told.add(above)
            path = f"{above}.minReplicas"
            reason = f"minReplicas {least} is above maxReplicas {most}"
            yield Problem(path, "min-above-max", reason, set_command(f"{above}.maxReplicas", least))


def growth(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """What is scaled and may have more pods grows by a rule, or never."""
    everywhere = settings.global_.session_groups.scaling.enabled
    told = {f"{key}.sessionGroups.scaling" for key, each in settings.inference_servers.items() if not each.enabled}
    for above, spec in wanted(settings):
        key = "scaleOnPodsLeft" if "scaleOnPodsLeft" in spec else "scaleOnCapacityLeft"
        path = f"{above}.{key}"
        grows = spec.get(key) != -1 or spec["maxReplicas"] <= spec["minReplicas"]
        if grows or above in told or not (spec.get("enabled") or everywhere):
            continue
        told.add(above)
        reason = f"scaling is on, but -1 is off: it would stay at minReplicas, {spec['minReplicas']}, for ever"
        yield Problem(path, "never-grows", reason, set_command(path, 1))


def one_name(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A name for the whole group fits one language."""
    container = settings.transcribers.transcriber
    languages = container.languages.deployed(settings.global_.transcriber.languages)
    if container.name_override is not None and len(languages) > 1:
        path = "transcribers.transcriber.nameOverride"
        reason = f"{len(languages)} languages would have this one name: {', '.join(languages)}"
        yield Problem(path, "one-name-for-several", reason, remove_command(path))


def versions(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Capacity is looked up by version, so a server of another one is found by no transcriber."""
    own = settings.transcribers
    version = transcriber_tag(own, settings.global_)
    version = next((str(v.get("value")) for v in own.worker_proxy.env if v["name"] == "TRANSCRIBER_VERSION"), version)
    for key, server in settings.inference_servers.items():
        tag = server_tag(server, settings.global_)
        if own.enabled and own.live and server.enabled and server.registers and tag != version:
            path = f"{key}.tritonServer.image.tag"
            reason = f"the server would register version {tag}, and transcribers look for capacity of {version}"
            yield Problem(path, "version-mismatch", reason, set_command(path, version))


def variables(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """No variable that another key or the controller sets."""
    own = settings.transcribers
    processors = own.transcriber.processors
    speaking = {**dict.fromkeys(CONTROLLERS), **CONCURRENCY}
    beside: dict[str, str | None] = dict.fromkeys((*CONTROLLERS, *WHO))
    lists: list[tuple[str, Iterable[Mapping[str, Any]], Mapping[str, str | None]]] = [
        ("transcribers.transcriber.env", own.transcriber.env, speaking),
        ("transcribers.transcriber.processors.gpu.env", processors.gpu.env, speaking),
        ("transcribers.transcriber.processors.cpu.env", processors.cpu.env, speaking),
        ("transcribers.workerProxy.env", own.worker_proxy.env, beside),
        (
            "transcribers.readinessTracker.env",
            own.readiness_tracker.env,
            beside | {"REGISTER_FEATURES": CONCURRENCY["SM_MAX_CONCURRENT_CONNECTIONS"]},
        ),
    ]
    for path, given, taken in lists:
        for index, each in enumerate(given):
            if each["name"] in taken:
                yield _taken(f"{path}[{index}].name", each["name"], taken[each["name"]])
    for key, server in settings.inference_servers.items():
        maps = (
            (f"{key}.tritonServer.additionalEnvs", server.triton_server.additional_envs, CONTROLLERS),
            (f"{key}.inferenceSidecar.env", server.inference_sidecar.env, (*CONTROLLERS, *WHO)),
        )
        for path, given_map, names in maps:
            for name in given_map:
                if name in names:
                    yield _taken(f"{path}.{name}", name, None)


def _taken(path: str, name: str, key: str | None) -> Problem:
    reason = f"{name} is set by {f'the key {key}' if key else 'the program'}; another value would contradict it"
    return Problem(path, "variable-taken", reason, remove_command(path.removesuffix(".name")))


def companions(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A switch whose other half is missing."""
    own = settings.transcribers
    if own.eats.enabled and own.eats.config_map.enabled and own.eats.config_map.name is None:
        path = "transcribers.eats.configMap.name"
        yield Problem(path, "missing", "the ConfigMap has no default name", set_command(path, "NAME"))
    cache = own.transcriber.cd_cache
    if cache.enabled and cache.type is CacheType.HTTP and own.resource_manager.url is None:
        path = "transcribers.resourceManager.url"
        reason = "the cache is asked at this address; without it transcribers ask at no host"
        manager = settings.resource_manager
        address = f"http://{manager.fullname_override}:{manager.service.port}"
        yield Problem(path, "missing", reason, set_command(path, address))


def container_resources(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """No pod asks for more than it may take, and every server has a GPU: nothing later would say so."""
    own = settings.transcribers
    found = [
        ("transcribers.readinessTracker.resources", own.readiness_tracker.resources),
        ("transcribers.workerProxy.resources", own.worker_proxy.resources),
    ]
    found += [
        (f"{OVERRIDES}.resources.{language}", speech(own, settings.global_, language).resources)
        for language in own.transcriber.languages.overrides.resources
    ]
    for key, server in settings.inference_servers.items():
        path = f"{key}.tritonServer.resources"
        found += [(path, server.triton_server.resources)]
        found += [(f"{key}.inferenceSidecar.resources", server.inference_sidecar.resources)]
        if gpus(server) < 1:
            reason = "the models run on a GPU; a pod without one never becomes ready"
            mend = set_command(f'{path}.limits["nvidia.com/gpu"]', 1, "string")
            yield Problem(f'{path}.limits["nvidia.com/gpu"]', "server-without-gpu", reason, mend)
    for path, resources in found:
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        for name in sorted(limits.keys() & requests.keys()):
            if quantity(requests[name]) > quantity(limits[name]):
                reason = f"it requests {requests[name]} and may take {limits[name]}; no such pod is ever made"
                mend = set_command(f"{path}.limits.{name}", requests[name])
                yield Problem(f"{path}.requests.{name}", "request-above-limit", reason, mend)


DATA_PLANE = (
    overridden_languages,
    triggers,
    replica_ranges,
    growth,
    one_name,
    versions,
    variables,
    companions,
    container_resources,
)
"""All of them."""
