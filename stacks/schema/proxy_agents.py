"""`proxy.agentAPI`: where the proxy finds the agents of Flow (seed: `proxy.agentAPI.*`; contract: proxy 7.1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from stacks.schema.base import HttpUrl, Section, shaped
from stacks.schema.external_secrets import ExternalKeys
from stacks.schema.proxy_secrets import KEYS

AgentFile = Annotated[
    str,
    shaped(
        "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}_[-._A-Za-z0-9]{1,64}$",
        "an agent's id, which is a UUID of version 4, then _ and a version",
    ),
]
"""Name of an agent's file: `<agent id>_<version>`, with or without `.json`; the id is a UUID of version 4."""


AUTHORIZATION = re.compile(
    r"(^|[-_])(authorization|((api|subscription|access)[-_]?)key|token|secret|password|cookie)$", re.IGNORECASE
)
"""Names of headers that say who asks."""

IN_CLEAR = (
    "a ConfigMap is no place for a key; an agent with one comes from a Secret mounted at proxy.agentAPI.localPath "
    "(proxy.additionalVolumes, proxy.proxy.additionalVolumeMounts), with proxy.agentAPI.configMap.enabled off"
)
"""Why a key is refused, and where it can be (contract: proxy 7.1)."""


def keys_in_clear(agent: Mapping[str, Any]) -> Iterator[tuple[str | int, ...]]:
    """Where an agent has a key for a language model of its own, or a header that says who asks."""
    models = agent.get("custom_llm_config")
    for index, model in enumerate(models if isinstance(models, list) else [models]):
        if not isinstance(model, Mapping):
            continue
        at = ("custom_llm_config", index) if isinstance(models, list) else ("custom_llm_config",)
        if model.get("api_key"):
            yield (*at, "api_key")
        for place, name, value in _headers(model.get("headers")):
            if value and AUTHORIZATION.search(name):
                yield (*at, "headers", place)


def _headers(given: Any) -> Iterator[tuple[str | int, str, Any]]:
    """Place, name and value of each header, in a map, a list of names with values, or a list of lines."""
    if isinstance(given, Mapping):
        for name, value in given.items():
            yield name, name, value
    for index, each in enumerate(given if isinstance(given, list) else []):
        if isinstance(each, Mapping):
            name = each.get("name") or each.get("key") or next(iter(each), "")
            yield index, str(name), each.get("value", each.get(name))
        else:
            name, _, value = str(each).partition(":")
            yield index, name.strip(), value


def _agent(given: Any) -> Any:
    agent = given
    if isinstance(given, str):
        try:
            agent = json.loads(given)
        except ValueError as error:
            raise PydanticCustomError("bad_format", "the text is no JSON") from error
    if not isinstance(agent, dict):
        raise PydanticCustomError("wrong_type", "should be a map, or the text of a JSON object")
    # a part of a text has no path that a command could take away
    context: dict[str, Any] = {"only": "null"} if agent is given else {"take_out": True}
    refused = PydanticCustomError("secret_in_clear", IN_CLEAR, context)
    found = [InitErrorDetails(type=refused, loc=place, input=None) for place in keys_in_clear(agent)]
    if found:
        raise ValidationError.from_exception_data("agent", found)
    return agent


Agent = Annotated[Any, AfterValidator(_agent)]
"""One agent: a map, or JSON text, which is the same."""


class AgentConfigMap(Section):
    """The agents of Flow, as files."""

    enabled: bool = Field(True, description="Enable reading agent configuration from configMap.")
    data: dict[AgentFile, Agent] | None = Field(
        None, min_length=1, description="configMap data with one or more agent configurations; unset is a default one."
    )


class AgentApi(Section):
    """Where the proxy finds the agents of Flow."""

    enabled: bool = Field(True, description="Load agents.")
    use_local: bool = Field(True, description="Use local file system to fetch agent configuration.")
    local_path: Annotated[
        str, shaped("^(/[-._A-Za-z0-9]+)+$", "a folder, such as /config/agents, with no / at the end")
    ] = Field("/config/agents", description="Folder of the agents' files in the pod.")
    use_remote: bool = Field(
        False, description="Use remote endpoint to fetch agent configuration; files win where both are on."
    )
    remote_url: HttpUrl | None = Field(
        None, alias="remoteURL", description="The remote endpoint; required where it is used."
    )
    secret_data: ExternalKeys = Field((), description=KEYS)
    config_map: AgentConfigMap = Field(default_factory=AgentConfigMap, description="The agents as files.")

    @property
    def from_files(self) -> bool:
        """Whether agents are read from files."""
        return self.enabled and self.use_local

    @property
    def from_remote(self) -> bool:
        """Whether agents are asked for over the network."""
        return self.enabled and self.use_remote and not self.use_local
