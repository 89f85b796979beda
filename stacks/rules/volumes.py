"""Volumes and mounts that the configuration adds, beside those of the program.

A pod has a volume's name once, a container a path once, and what is mounted is a volume of the pod. The API server says
so of a Deployment at once. The pods in a SessionGroup it sees only when the vendor's controller makes them: the group
is accepted, and never has a pod.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from components.cluster.license import license_file
from components.cluster.redis_endpoint import ca_files
from components.flow import flow_service, vllm
from components.speech import inference_containers, proxy_pod, resource_manager, transcriber_containers
from components.speech.pod import Files, Json
from stacks.problem import Problem, remove_command
from stacks.schema import Settings
from stacks.schema.modes import Mode

Given = tuple[str, Sequence[Json]]
"""A list of the configuration: its path, and what it holds."""


@dataclass(frozen=True)
class Pod:
    """A pod: what the program puts into it, and the lists that add to it, the last one being its own."""

    own: Files
    volumes: tuple[Given, ...]
    mounts: tuple[Given, ...]


def pods(settings: Settings) -> Iterator[Pod]:
    """Every kind of pod that the configuration adds volumes to. What is only named here needs no name."""
    for key, server in settings.inference_servers.items():
        if server.enabled:
            volumes = (f"{key}.additionalVolumes", server.additional_volumes)
            mounts = f"{key}.tritonServer.additionalVolumeMounts", server.triton_server.additional_volume_mounts
            yield Pod(inference_containers.own_files("", server.triton_server.mode), (volumes,), (mounts,))
    own = settings.transcribers
    if own.enabled:
        mounts = "transcribers.transcriber.volumeMounts", own.transcriber.volume_mounts
        volumes = ("transcribers.volumes", own.volumes)
        yield Pod(transcriber_containers.own_files(own, ""), (volumes,), (mounts,))
    manager, external = settings.resource_manager, settings.resource_manager.external_redis
    yield Pod(
        resource_manager.own_files("" if manager.mode is Mode.REAL_TIME else None)
        + ca_files(external.ca_secret_name if external.enabled else None),
        (("resourceManager.additionalVolumes", manager.additional_volumes),),
        (("resourceManager.additionalVolumeMounts", manager.additional_volume_mounts),),
    )
    yield from _proxies(settings)
    yield from _flow(settings)


def _proxies(settings: Settings) -> Iterator[Pod]:
    proxy, service = settings.proxy, settings.proxy.proxy
    maps = [
        "" if there else None
        for there in (service.dns.enabled, proxy.agent_api.config_map.enabled, service.custom_dict.enabled)
    ]
    own = proxy_pod.own_files(proxy, *maps)
    # where the agents are mounted is the configuration's own word
    agents = [each for each in own.mounts if each["name"] == proxy_pod.AGENTS]
    fixed = Files(own.volumes, tuple(each for each in own.mounts if each not in agents))
    for key, each in service.deployments.items() if proxy.enabled else ():
        path = f"proxy.proxy.deployments.{key}"
        yield Pod(
            fixed,
            (
                ("proxy.additionalVolumes", proxy.additional_volumes),
                (f"{path}.additionalVolumes", each.additional_volumes),
            ),
            (
                ("proxy.agentAPI.localPath", agents),
                ("proxy.proxy.additionalVolumeMounts", service.additional_volume_mounts),
                (f"{path}.additionalVolumeMounts", each.additional_volume_mounts),
            ),
        )


def _flow(settings: Settings) -> Iterator[Pod]:
    flow = settings.flow
    for path, part, own, on in (
        ("flow", flow, flow_service.own_files("", ""), True),
        ("flow.llmProxy", flow.llm_proxy, Files(), flow.llm_proxy.enabled),
        ("flow.tts", flow.tts, license_file(""), flow.tts.enabled),
        ("flow.vllm", flow.vllm, vllm.own_files(""), flow.vllm.enabled),
    ):
        if flow.enabled and on:
            volumes = (f"{path}.additionalVolumes", part.additional_volumes)
            yield Pod(own, (volumes,), ((f"{path}.additionalVolumeMounts", part.additional_volume_mounts),))


def _at(given: Given, index: int) -> str:
    """The path of an item; a key that stands for the only one is its own."""
    path, _ = given
    return path if path.endswith("Path") else f"{path}[{index}]"


def _volumes(pod: Pod) -> Iterator[Problem]:
    taken = {each["name"]: "" for each in pod.own.volumes}
    for given in pod.volumes:
        for index, each in enumerate(given[1]):
            path, name = _at(given, index), each["name"]
            where = taken.setdefault(name, path)
            if where == "":
                reason = f"{name} is a volume of the program's own in this pod, and a name stands only once"
                yield Problem(path, "volume-taken", reason, remove_command(path))
            elif where != path and not where.startswith(f"{given[0]}["):  # twice in one list: `stacks.rules.lists`
                reason = f"{name} is in the pod already, by {where}"
                yield Problem(path, "volume-taken", reason, remove_command(path))


def _mounts(pod: Pod) -> Iterator[Problem]:
    there = [each["name"] for each in (*pod.own.volumes, *(each for _, items in pod.volumes for each in items))]
    taken = {posixpath.normpath(each["mountPath"]): ("the program", each) for each in pod.own.mounts}
    for given in pod.mounts:
        for index, each in enumerate(given[1]):
            path, at = _at(given, index), posixpath.normpath(each["mountPath"])
            if each["name"] not in there:
                known = f"; there is {', '.join(there)}" if there else "; it has none"
                reason = f"the pod has no volume {each['name']}{known}"
                mend = f"write it in the stack file, in {pod.volumes[-1][0]}: - {{name: {each['name']}, ...}}"
                yield Problem(path, "no-such-volume", reason, mend)
            where, first = taken.setdefault(at, (path, each))
            alike = first["mountPath"] == each["mountPath"] and where.startswith(f"{given[0]}[")
            if where != path and not alike:  # twice in one list: `stacks.rules.lists`
                reason = f"{at} is where {where} mounts {first['name']}, and a container has a path only once"
                yield Problem(path, "mount-taken", reason, remove_command(path))


def volumes(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Every pod can be made: names once, paths once, and no mount without its volume."""
    told = set()
    for pod in pods(settings):
        for problem in (*_volumes(pod), *_mounts(pod)):
            # lists that several pods share say it once
            if (problem.path, problem.code) not in told:
                told.add((problem.path, problem.code))
                yield problem
