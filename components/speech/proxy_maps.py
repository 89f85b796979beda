"""The proxy's ConfigMaps: configuration, agents, DNS lookup, and what it tells clients (contract: proxy 6 and 7)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.outputs import once_made
from components.speech.discovery_features import text as features_text
from components.speech.naming import ProxyLabels, release_labels
from components.speech.pod import Json
from stacks.schema.proxy import ProxySettings
from stacks.schema.proxy_config import Deadline, ProxyConfig

FEATURES_MAP = "discovery-api-features"
FEATURES_KEY = "features"

ZOMBIE = "SM_ZOMBIE_DEADLINE_CONFIG_JSON"
MAX_DURATION = "SM_MAX_DURATION_DEADLINE_CONFIG_JSON"
"""Keys of the proxy's map with a deadline."""

NO_DEADLINE = '{"deadline_duration":"-1s"}'
"""What the proxy reads as no deadline (contract: proxy 6)."""

DEFAULT_AGENT: Json = {
    "agent_id": "32f4725b-fde5-4521-a57c-e899e245d0b0",
    "name": "Jean",
    "version": "latest",
    "tts_config": {"preset": "SpeechmaticsTTS:american-female"},
    "asr_config": {"language": "en", "additional_vocab": [{"content": "Jean", "sounds_like": ["Gene"]}]},
    "instructions": {
        "prompt": "You are Jean, a woman from the United States, talking with somebody over the telephone.\n\n"
        "Style: be courteous at all times. Match the other person's mood and way of speaking. Keep to short, natural "
        "sentences, as people do when they talk with each other.",
        "first_message": "Hello",
        "agent_speaks_first": True,
    },
}
"""The agent that answers when none is configured (contract: proxy 7.1; the prompt's words are ours)."""


def compact(value: Any) -> str:
    """JSON as the chart writes it: sorted, without blanks."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True)


def _deadline(enabled: bool, deadline: Deadline) -> str:
    return compact(deadline.model_dump(by_alias=True)) if enabled else NO_DEADLINE


def computed_config(settings: ProxySettings) -> dict[str, str]:
    """`proxy-config` without what is added to it as it is."""
    config: ProxyConfig = settings.proxy.config
    data: dict[str, str] = {}
    if config.is_on_prem:
        data["SM_ON_PREM"] = "true"
    data["SM_WORKER_CONNECTION_TYPE"] = config.worker_connection_type.value
    data["SM_LOCAL_RUNTIME_HOSTNAME"] = config.local_runtime_hostname
    deadlines = config.deadlines
    data[ZOMBIE] = _deadline(deadlines.enabled, deadlines.zombie)
    data[MAX_DURATION] = _deadline(deadlines.enabled, deadlines.max_duration)
    if config.use_insecure_websockets:
        data["WEB_SOCKET_SCHEME"] = "ws"
    quota = config.quota_caching
    data["SM_CONCURRENT_CONN_CACHING_ENABLED"] = "true" if quota.enabled else "false"
    if quota.enabled:
        data["SM_CONN_USAGE_QUERY_RETRY_COUNT"] = str(quota.query_retry_count)
        data["SM_CONN_USAGE_QUERY_RETRY_INTERVAL_SEC"] = str(quota.query_retry_interval_sec)
        data["SM_MIN_QUOTA_DECREMENT_DURATION_SEC"] = str(quota.min_decrement_duration_sec)
        data["CONNECTION_QUOTA_CACHE_CHECK_TIMEOUT_MILLI"] = str(quota.query_timeout_milli_sec)
    if not config.auth.enabled:
        data["AUTHORIZE_CLIENT_IN_PROXY"] = "false"
    elif config.auth.url:
        data["SM_AUTH_SERVICE_URL"] = config.auth.url
    if not config.custom_dictionary_capture.enabled:
        data["SM_ENABLE_CUSTOM_DICTIONARY_CAPTURE"] = "false"
    if config.flow_template_info is not None:
        templates = {
            name: each.model_dump(by_alias=True, exclude_none=True) for name, each in config.flow_template_info.items()
        }
        data["SM_FLOW_TEMPLATE_INFO_JSON"] = compact(templates)
    if settings.agent_api.from_files:
        data["SM_AGENT_LOCAL_PATH"] = settings.agent_api.local_path
    if config.max_channels_per_session is not None:
        data["SM_MAX_CHANNELS_PER_SESSION"] = str(config.max_channels_per_session)
    return data


def agent_files(given: Mapping[str, Any] | None) -> dict[str, str]:
    """`proxy-agent-config`: one file for each agent, the default one when none is given."""
    agents = given or {f"{DEFAULT_AGENT['agent_id']}_{DEFAULT_AGENT['version']}": DEFAULT_AGENT}
    return {f"{name.removesuffix('.json')}.json": json.dumps(agent, indent=2) for name, agent in agents.items()}


@dataclass(frozen=True)
class ProxyMapsArgs:
    """What the maps hold."""

    namespace: pulumi.Output[str]
    release: str
    settings: ProxySettings
    labels: ProxyLabels


class ProxyMaps(pulumi.ComponentResource):
    """`proxy-config`, `proxy-agent-config`, `proxy-dns`, `proxy-custom-dict` and `discovery-api-features`."""

    config_map: pulumi.Output[str] | None
    """Name of the map the proxy watches; None when there is none."""
    features_map: pulumi.Output[str]
    agent_map: pulumi.Output[str] | None
    """None when agents are not read from a map."""
    dns_map: pulumi.Output[str] | None
    """None when resource managers are not looked up by DNS."""
    dict_map: pulumi.Output[str] | None
    """None when no file is mounted."""

    def __init__(self, name: str, args: ProxyMapsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:speech:ProxyMaps", name, {}, opts)
        self._name, self._namespace = name, args.namespace
        settings, base = args.settings, args.labels.fullname
        self.config_map = None
        if settings.config.enabled:
            data = computed_config(settings) | settings.proxy.config.additional_config
            self.config_map = self._map("config", f"{base}-config", args.labels.common(), data)
        self.features_map = self._map(
            "features", FEATURES_MAP, release_labels(args.release), {FEATURES_KEY: features_text()}
        )
        agents, dns = settings.agent_api.config_map, settings.proxy.dns
        self.agent_map = None
        if agents.enabled:
            self.agent_map = self._map("agents", f"{base}-agent-config", None, agent_files(agents.data))
        self.dns_map = None
        if dns.enabled:
            lookup = compact({"name": dns.name, "proto": "tcp", "service": dns.service})
            self.dns_map = self._map("dns", f"{base}-dns", None, {"dnssrv": lookup})
        self.dict_map = None
        if settings.proxy.custom_dict.enabled:
            self.dict_map = self._map("dict", f"{base}-custom-dict", None, settings.proxy.custom_dict.data)
        self.register_outputs({"configMap": self.config_map, "featuresMap": self.features_map})

    def _map(
        self, suffix: str, map_name: str, labels: dict[str, str] | None, data: dict[str, str]
    ) -> pulumi.Output[str]:
        made = kubernetes.core.v1.ConfigMap(
            f"{self._name}-{suffix}",
            metadata=kubernetes.meta.v1.ObjectMetaArgs(name=map_name, namespace=self._namespace, labels=labels),
            data=data,
            opts=pulumi.ResourceOptions(parent=self),
        )
        return once_made(made, map_name)
