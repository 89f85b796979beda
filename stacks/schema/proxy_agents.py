"""`proxy.agentAPI`: where the proxy finds the agents of Flow (seed: `proxy.agentAPI.*`; contract: proxy 7.1)."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

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


def _agent(given: Any) -> Any:
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise PydanticCustomError("bad_format", "the text is no JSON") from error
    if not isinstance(given, dict):
        raise PydanticCustomError("wrong_type", "should be a map, or the text of a JSON object")
    return given


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
