"""`proxy.proxy.config`: how the proxy treats sessions (seed: `proxy.proxy.config.*`; contract: proxy 6)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from stacks.schema.base import GoDuration, HttpUrl, Section, shaped

ConfigKey = Annotated[str, shaped("^[-._A-Za-z0-9]{1,253}$", "a key of letters, digits, -, . and _")]
"""A key of a ConfigMap."""


class WorkerConnectionType(StrEnum):
    """Where the proxy finds transcribers."""

    LOCAL = "local"
    REMOTE = "remote"
    HYBRID = "hybrid"


class ClientAuth(Section):
    """Who a client is."""

    enabled: bool = Field(False, description="Enable proxy to handle authentication.")
    url: HttpUrl | None = Field(None, description="The service that is asked; required when enabled.")


class CustomDictionaryCapture(Section):
    """Keeping clients' dictionaries."""

    enabled: bool = Field(False, description="Store custom dictionaries externally; needs `proxy.storage`.")


class Deadline(Section):
    """What happens to a session that lasts too long; keys as the proxy reads them."""

    deadline_duration: GoDuration = Field(alias="deadline_duration", description="When the deadline is reached.")
    log_only: bool = Field(True, alias="log_only", description="Write it down only; false ends the session.")
    warning_count: int = Field(3, ge=0, alias="warning_count", description="Warnings before the deadline.")
    warning_interval: GoDuration = Field(alias="warning_interval", description="Time between two warnings.")


class ZombieDeadline(Deadline):
    """The deadline of a session in which nothing happens."""

    deadline_duration: GoDuration = Field("1h", alias="deadline_duration", description="When the deadline is reached.")
    warning_interval: GoDuration = Field("5m", alias="warning_interval", description="Time between two warnings.")


class MaxDurationDeadline(Deadline):
    """The deadline of every session."""

    deadline_duration: GoDuration = Field("48h", alias="deadline_duration", description="When the deadline is reached.")
    warning_interval: GoDuration = Field("15m", alias="warning_interval", description="Time between two warnings.")


class Deadlines(Section):
    """Deadlines of sessions."""

    enabled: bool = Field(False, description="Enable session deadlines.")
    zombie: ZombieDeadline = Field(
        default_factory=ZombieDeadline, description="The deadline of a session in which nothing happens."
    )
    max_duration: MaxDurationDeadline = Field(
        default_factory=MaxDurationDeadline,
        description="The deadline of every session; below `sessions.maxDurationSeconds` it may only log.",
    )


class QuotaCaching(Section):
    """How the proxy counts connections against a client's quota."""

    enabled: bool = Field(False, description="Enable quota caching.")
    query_retry_count: int = Field(2, ge=0, description="Attempts after a failed query.")
    query_retry_interval_sec: int = Field(1, ge=0, description="Seconds between two attempts.")
    min_decrement_duration_sec: int = Field(10, ge=0, description="Seconds before a quota is given back.")
    query_timeout_milli_sec: int = Field(250, gt=0, description="Milliseconds a query may take.")


class FlowTemplate(Section):
    """One template of Flow; keys as the proxy reads them."""

    language: str = Field(min_length=1, description="Language of the conversation.")
    agent_id: str = Field(min_length=1, alias="agent_id", description="The agent that answers.")
    domain: str | None = Field(None, min_length=1, description="Domain of the language.")


def _from_text(given: Any) -> Any:
    """The seed takes text, JSON or YAML; a map written out is the same."""
    if not isinstance(given, str):
        return given
    try:
        return yaml.safe_load(given)
    except yaml.YAMLError as error:
        raise PydanticCustomError("bad_format", "is neither JSON nor YAML") from error


class ProxyConfig(Section):
    """How the proxy treats sessions; it watches these values and takes them over without a restart."""

    is_on_prem: bool = Field(True, description="Set proxy service to run in on-prem mode.")
    worker_connection_type: WorkerConnectionType = Field(
        WorkerConnectionType.LOCAL, description="Handle only local worker connection, remote ones, or both (hybrid)."
    )
    local_runtime_hostname: Annotated[
        str, shaped(r"^([-a-z0-9.]+:[0-9]+)?$", "a host in lower case and a port, such as runtime:8080, or empty")
    ] = Field("", description="Host and port of the local runtime.")
    max_channels_per_session: int | None = Field(
        None, gt=0, description="Channels of one session at most, as in newer charts; unset is the program's own."
    )
    use_insecure_websockets: bool = Field(True, description="Allow insecure websocket connections.")
    auth: ClientAuth = Field(default_factory=ClientAuth, description="Who a client is.")
    custom_dictionary_capture: CustomDictionaryCapture = Field(
        default_factory=CustomDictionaryCapture, description="Keeping clients' dictionaries."
    )
    deadlines: Deadlines = Field(default_factory=Deadlines, description="Deadlines of sessions.")
    quota_caching: QuotaCaching = Field(default_factory=QuotaCaching, description="Counting against quotas.")
    flow_template_info: Annotated[
        dict[str, FlowTemplate] | None,
        BeforeValidator(_from_text, json_schema_input_type=dict[str, FlowTemplate] | str | None),
    ] = Field(None, description="Templates of Flow by name, as a map or as text in JSON or YAML.")
    additional_config: dict[ConfigKey, str] = Field({}, description="Additional configuration variables for proxy.")
