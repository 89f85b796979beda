"""Rules of the proxy: one active deployment, one host, and nothing that would have no effect or cut sessions."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from components.speech.proxy_ingress import OWN_ANNOTATIONS
from components.speech.proxy_maps import computed_config
from stacks.problem import Problem, set_command
from stacks.schema import Settings
from stacks.schema.proxy import CONFIGURATION_SNIPPET, SEED_ANNOTATIONS, USE_REGEX

DEPLOYMENTS = "proxy.proxy.deployments"

_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(duration: str) -> float:
    """A Go duration in seconds."""
    return sum(float(number) * _SECONDS[unit] for number, unit in re.findall(r"([0-9.]+)(ns|us|µs|ms|s|m|h)", duration))


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


def one_host(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    ingress = settings.proxy.ingress
    if ingress.hostname and "url" in ingress.model_fields_set and ingress.hostname != ingress.url:
        path = "proxy.ingress.hostname"
        reason = f"it is another name for proxy.ingress.url, which says {ingress.url}"
        yield Problem(path, "two-hosts", reason, f"pulumi config rm --path '{path}'")


def ingress_annotations(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """What the controller does not read, refuses, or gets from elsewhere."""
    for key, value in settings.proxy.ingress.annotations.items():
        reason = _refused(key, value)
        if reason:
            path = f'proxy.ingress.annotations["{key}"]'
            yield Problem(path, "annotation-not-supported", reason, f"pulumi config rm --path '{path}'")


def _refused(key: str, value: str) -> str | None:
    if SEED_ANNOTATIONS.get(key, "").strip() == value.strip() != "":
        return None
    if key == USE_REGEX:
        return "the paths are regular expressions"
    if key == CONFIGURATION_SNIPPET:
        return "snippets of an Ingress are off; the controller itself adds the Request-Id header"
    if key.startswith("nginx.ingress.kubernetes.io/"):
        return "it is for ingress-nginx, which is retired; the controller here reads nginx.org/ annotations"
    if key in OWN_ANNOTATIONS:
        return "it is set by the program: paths are regular expressions, time-outs follow sessions.maxDurationSeconds"
    if key.startswith("nginx.org/") and key.endswith("-snippets"):
        return "snippets of an Ingress are off, and the controller refuses the whole Ingress for one"
    if key.startswith(("nginx.com/", "appprotect.f5.com/", "appprotectdos.f5.com/")):
        return "it needs NGINX Plus, and the controller refuses the whole Ingress for it"
    if key == "nginx.org/mergeable-ingress-type":
        return "one Ingress has the whole host"
    return None


def agents(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Agents come from files, and each file has its agent's name."""
    api = settings.proxy.agent_api
    if api.enabled and not api.use_local:
        path = "proxy.agentAPI.useLocal"
        reason = "agents are to be loaded, and from nowhere"
        yield Problem(path, "agents-without-source", reason, set_command(path, "true"))
    elif api.enabled and not api.config_map.enabled:
        path = "proxy.agentAPI.configMap.enabled"
        reason = "agents are to be loaded from files, and no map holds them"
        yield Problem(path, "agents-without-source", reason, set_command(path, "true"))
    for name, agent in (api.config_map.data or {}).items():
        file_id = name.partition("_")[0]
        if agent.get("agent_id") != file_id:
            path = f'proxy.agentAPI.configMap.data["{name}"].agent_id'
            reason = f"the file is named after {file_id}; a client that asks for it would get another agent, or none"
            yield Problem(path, "other-agent", reason, set_command(path, file_id))


def lookups(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """What is switched on has what it needs, and leads to the resource manager there is."""
    service, manager = settings.proxy.proxy, settings.resource_manager
    needed = [("proxy.proxy.config.auth.url", service.config.auth.enabled, service.config.auth.url)]
    needed += [
        (f"proxy.proxy.dns.{key}", service.dns.enabled, value)
        for key, value in (("name", service.dns.name), ("service", service.dns.service))
    ]
    for path, wanted, value in needed:
        if wanted and not value:
            reason = f"{path.rpartition('.')[0]} is enabled, and the vendor has no default for it"
            yield Problem(path, "missing", reason, set_command(path, "VALUE"))
    here = (manager.fullname_override, manager.service.port)
    for index, record in enumerate(service.dns.default_srv_records):
        if (record.target, record.port) != here:
            path = f"proxy.proxy.dns.defaultSrvRecords[{index}].target"
            reason = f"{record.target}:{record.port} is not the resource manager, {here[0]}:{here[1]}"
            yield Problem(path, "unknown-target", reason, set_command(path, here[0]))


def deadlines(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A deadline that ends sessions earlier than promised is a clock of the path that is too short."""
    limits, promised = settings.proxy.proxy.config.deadlines, settings.sessions.max_duration_seconds
    given = limits.max_duration.deadline_duration
    if limits.enabled and not limits.max_duration.log_only and seconds(given) < promised:
        path = "proxy.proxy.config.deadlines.maxDuration.deadline_duration"
        reason = f"sessions end after {given}, and sessions.maxDurationSeconds promises {promised} s"
        yield Problem(path, "shorter-than-a-session", reason, set_command(path, f"{promised}s"))


def own_names(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """What is added to the map does not hide what the program puts there."""
    taken = computed_config(settings.proxy)
    for key in settings.proxy.proxy.config.additional_config:
        if key in taken:
            path = f'proxy.proxy.config.additionalConfig["{key}"]'
            reason = "it is computed from another key of the configuration"
            yield Problem(path, "name-taken", reason, f"pulumi config rm --path '{path}'")


PROXY = (one_active_deployment, one_host, ingress_annotations, agents, lookups, deadlines, own_names)
"""All of them."""
