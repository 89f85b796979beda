"""Rules of the proxy: one active deployment, and nothing that would have no effect or cut sessions."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from components.speech.proxy_maps import computed_config
from stacks.problem import Problem, remove_command, set_command
from stacks.rules.proxy_ingress import PROXY_INGRESS
from stacks.rules.proxy_secrets import proxy_secrets
from stacks.schema import Settings

DEPLOYMENTS = "proxy.proxy.deployments"


def one_active_deployment(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """The chart takes the first active one of the alphabet; two are most likely a switch half made."""
    deployments = settings.proxy.proxy.deployments
    active = [key for key in sorted(deployments) if deployments[key].active]
    if not active:
        path = f"{DEPLOYMENTS}.{min(deployments, default='a')}.active"
        yield Problem(path, "no-active-deployment", "no deployment gets new sessions", set_command(path, "true"))
    for key in active[1:]:
        path, first = f"{DEPLOYMENTS}.{key}.active", f"{DEPLOYMENTS}.{active[0]}"
        if settings.proxy.proxy.active_by_default(active[0]):
            reason = f"{first} is active already, as it is by default; to switch, set it to false"
            yield Problem(path, "two-active-deployments", reason, set_command(f"{first}.active", "false"))
            continue
        reason = f"{first} is active already; exactly one gets new sessions"
        yield Problem(path, "two-active-deployments", reason, set_command(path, "false"))


def agents(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Agents come from files, and each file has its agent's name."""
    api = settings.proxy.agent_api
    if api.enabled and not api.use_local and not api.use_remote:
        path = "proxy.agentAPI.useLocal"
        reason = "agents are to be loaded, and from nowhere"
        yield Problem(path, "agents-without-source", reason, set_command(path, "true"))
    elif api.from_files and not api.config_map.enabled and not _mounted(settings, api.local_path):
        path = "proxy.agentAPI.configMap.enabled"
        reason = f"agents are to be loaded from files, no map holds them and nothing is mounted at {api.local_path}"
        yield Problem(path, "agents-without-source", reason, set_command(path, "true"))
    for name, agent in (api.config_map.data or {}).items():
        file_id = name.partition("_")[0]
        if agent.get("agent_id") != file_id:
            path = f'proxy.agentAPI.configMap.data["{name}"].agent_id'
            reason = f"the file is named after {file_id}; a client that asks for it would get another agent, or none"
            yield Problem(path, "other-agent", reason, set_command(path, file_id))


def _mounted(settings: Settings, path: str) -> bool:
    """Whether every deployment has a mount of the operator's at a path."""
    service = settings.proxy.proxy
    common = [mount["mountPath"] for mount in service.additional_volume_mounts]
    own = [[mount["mountPath"] for mount in each.additional_volume_mounts] for each in service.deployments.values()]
    return path in common or all(path in each for each in own)


def lookups(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """What is switched on has what it needs, and leads to the resource manager there is."""
    service, manager = settings.proxy.proxy, settings.resource_manager
    needed = [("proxy.proxy.config.auth.url", service.config.auth.enabled, service.config.auth.url)]
    needed += [
        (f"proxy.proxy.dns.{key}", service.dns.enabled, value)
        for key, value in (("name", service.dns.name), ("service", service.dns.service))
    ]
    agents = settings.proxy.agent_api
    needed.append(("proxy.agentAPI.remoteURL", agents.from_remote, agents.remote_url))
    for path, wanted, value in needed:
        if wanted and not value:
            reason = f"{path.rpartition('.')[0]} is enabled, and the vendor has no default for it"
            yield Problem(path, "missing", reason, set_command(path, "VALUE"))
    here = (manager.fullname_override, manager.service.port)
    for index, record in enumerate(service.dns.default_srv_records):
        if (record.target, record.port) != here:
            at = f"proxy.proxy.dns.defaultSrvRecords[{index}]"
            reason = f"{record.target}:{record.port} is not the resource manager, {here[0]}:{here[1]}"
            mend = f"{set_command(f'{at}.target', here[0])} && {set_command(f'{at}.port', here[1])}"
            yield Problem(f"{at}.target", "unknown-target", reason, mend)


def capture(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """What is captured goes to the storage."""
    if settings.proxy.proxy.config.custom_dictionary_capture.enabled and not settings.proxy.storage.enabled:
        reason = "proxy.proxy.config.customDictionaryCapture is enabled, and has nowhere to put a dictionary"
        path = "proxy.storage.enabled"
        yield Problem(path, "capture-without-storage", reason, set_command(path, "true"))


def anti_affinity(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Terms of the kind the switch asks for, in one place."""
    proxy = settings.proxy
    if "podAntiAffinity" in (proxy.affinity or {}):
        path = "proxy.affinity.podAntiAffinity"
        yield _taken(path, "the program keeps pods of a deployment apart; proxy.podAntiAffinity adds to that")
    for index, term in enumerate(proxy.pod_anti_affinity):
        if ("podAffinityTerm" in term) is proxy.required_during_scheduling_strategy:
            path = f"proxy.podAntiAffinity[{index}]"
            kind = "a term without a weight" if proxy.required_during_scheduling_strategy else "a term with its weight"
            reason = f"proxy.requiredDuringSchedulingStrategy asks for {kind}"
            yield Problem(path, "term-of-the-other-kind", reason, remove_command(path))


def own_names(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """What is added to the map does not hide what the program puts there."""
    taken = computed_config(settings.proxy)
    for key in settings.proxy.proxy.config.additional_config:
        if key in taken:
            path = f'proxy.proxy.config.additionalConfig["{key}"]'
            yield _taken(path, "it is computed from another key of the configuration")
    if settings.proxy.proxy_cache.enabled and "cache" in settings.proxy.proxy.deployments:
        yield _taken(f"{DEPLOYMENTS}.cache", "the proxy's cache has a Deployment of that name")


def _taken(path: str, reason: str) -> Problem:
    return Problem(path, "name-taken", reason, remove_command(path))


PROXY = (
    one_active_deployment, *PROXY_INGRESS, proxy_secrets, agents, lookups, capture,
    anti_affinity, own_names,
)  # fmt: skip
"""All of them."""
