"""Sessions, the pods they run over, and how they end."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What a client asks for."""

    TRANSCRIPTION = "transcription"
    FLOW = "flow"
    """A conversation with an agent."""


class Role(StrEnum):
    """What a pod is to a session."""

    INGRESS = "ingress controller"
    PROXY = "proxy"
    TRANSCRIBER = "transcriber"
    INFERENCE = "inference server"
    FLOW = "flow-service"
    TTS = "tts"
    LLM_PROXY = "llm-proxy"
    VLLM = "vLLM"
    RESOURCE_MANAGER = "resource manager"
    REDIS = "Redis"


@dataclass(frozen=True)
class Hop:
    """A pod on the path of a session."""

    role: Role
    namespace: str
    pod: str
    uid: str
    cost: int = 1
    """How much of the pod's capacity the session takes, in the unit of its `REGISTER_FEATURES`."""
    life: str = ""
    """Ids of the containers that serve the session: another one does not know it."""


@dataclass(frozen=True)
class Session:
    """One websocket. Times are seconds since the epoch, lengths seconds of this machine's clock."""

    id: int
    kind: Kind
    language: str
    began: float
    length: float
    path: tuple[Hop, ...]

    @property
    def ends(self) -> float:
        """When the client will end it."""
        return self.began + self.length


@dataclass(frozen=True)
class Refused:
    """Why a client was turned away."""

    reason: str


@dataclass(frozen=True)
class Cut:
    """A session that ended before its time."""

    session: Session
    hop: Hop
    reason: str
    step: str
    """What whoever drives was doing."""
    at: float
