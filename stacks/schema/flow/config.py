"""`flow.config`, `flow.usageReporting` and `flow.endOfTurn`: the file flow-service reads (contract: flow 2.6)."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from stacks.schema.base import Section, shaped

Url = Annotated[str, shaped(r"^[a-z]+://[^\s]+$", "an address with its scheme, such as https://, and without blanks")]
"""An address with its scheme; some hold placeholders such as `{voice}`."""


def _one_key(given: dict[str, Any]) -> dict[str, Any]:
    if len(given) != 1 or not isinstance(next(iter(given.values())), dict):
        raise PydanticCustomError(
            "bad_format", "should be one preset: its name, and under it an object", {"only": "null"}
        )
    return given


Preset = Annotated[dict[str, Any], AfterValidator(_one_key)]
"""One preset: its name, and under it what the service reads."""

PRESETS = "Presets beside the vendor's own, each a map of one name."
MAX_TOKENS = "Most tokens of an answer."


class ConversationLimit(Section):
    """A limit that the operator sets for clients, announced to them before it is reached."""

    enabled: bool = Field(False, description="End conversations that last too long.")
    duration: int = Field(1200, ge=1, description="Seconds a conversation may last.")
    termination_warning_interval: int = Field(60, ge=0, description="Seconds before the end at which clients are told.")


class DefaultLlm(Section):
    """The language model of agents that name none."""

    default: str = Field("ProxyLLM:base", min_length=1, description="Service and preset.")


class ConversationEngine(Section):
    """The conversation engine."""

    conversation_limit: ConversationLimit = Field(
        default_factory=ConversationLimit, description="How long a conversation may last."
    )
    llm: DefaultLlm = Field(default_factory=DefaultLlm, description="The language model of agents that name none.")


class Asr(Section):
    """Where flow pods transcribe."""

    flow_use_local_transcriber: bool = Field(
        False, description="Transcribe here; `global.flow.flowUseLocalTranscriber` says so for everything."
    )
    endpoint: Url | None = Field(None, description="Where else; required when nothing says here.")


class Azure(Section):
    """Language models of Azure OpenAI."""

    enabled: bool = Field(False, description="Offer them.")
    max_tokens: int | None = Field(None, ge=1, description=MAX_TOKENS)
    api_version: str = Field("2024-02-15-preview", min_length=1, description="Version of Azure's interface.")
    additional_presets: tuple[Preset, ...] = Field((), description=PRESETS)


class ChatGpt(Section):
    """Language models of OpenAI; needs the secret key `flowOpenaiApiKey`."""

    enabled: bool = Field(False, description="Offer them.")
    max_tokens: int | None = Field(None, ge=1, description=MAX_TOKENS)
    additional_presets: tuple[Preset, ...] = Field((), description=PRESETS)


class ProxiedLlm(Section):
    """The language models behind the LLM proxy."""

    model_group: str = Field("vllm", min_length=1, description="Group of models that the preset `base` asks for.")
    max_tokens: int | None = Field(None, ge=1, description=MAX_TOKENS)
    additional_presets: tuple[Preset, ...] = Field((), description=PRESETS)


class Llm(Section):
    """Language models."""

    azure: Azure = Field(default_factory=Azure, description="Azure OpenAI.")
    chatgpt: ChatGpt = Field(default_factory=ChatGpt, description="OpenAI.")
    llm_proxy: ProxiedLlm = Field(default_factory=ProxiedLlm, description="What is behind the LLM proxy.")


class SpeechmaticsVoices(Section):
    """The vendor's own voices."""

    enabled: bool = Field(True, description="Offer them.")
    endpoint: Url | None = Field(None, description="Where they are spoken; unset is the TTS of this platform.")
    additional_presets: tuple[Preset, ...] = Field((), description=PRESETS)


class PlayHt(Section):
    """Voices of PlayHT; needs the secret keys `flowPlayhtApiKey` and `flowPlayhtUserId`."""

    enabled: bool = Field(False, description="Offer them.")
    endpoint: str | None = Field(None, min_length=1, description="Their gRPC address; required when enabled.")
    additional_presets: tuple[Preset, ...] = Field((), description=PRESETS)


class ElevenLabs(Section):
    """Voices of ElevenLabs; needs the secret key `flowElevenLabsApiKey`."""

    enabled: bool = Field(False, description="Offer them.")
    endpoint: Url | None = Field(None, description="Where they are spoken; unset is ElevenLabs' own.")
    additional_presets: tuple[Preset, ...] = Field((), description=PRESETS)


class Voices(Section):
    """Voices."""

    sm: SpeechmaticsVoices = Field(default_factory=SpeechmaticsVoices, description="The vendor's own.")
    playht: PlayHt = Field(default_factory=PlayHt, description="PlayHT.")
    elevenlabs: ElevenLabs = Field(default_factory=ElevenLabs, description="ElevenLabs.")


class FlowConfig(Section):
    """What flow pods hear, think and speak with."""

    ce: ConversationEngine = Field(default_factory=ConversationEngine, description="The conversation engine.")
    asr: Asr = Field(default_factory=Asr, description="Speech to text.")
    llm: Llm = Field(default_factory=Llm, description="Language models.")
    tts: Voices = Field(default_factory=Voices, description="Text to speech.")


class ReportingMode(StrEnum):
    """How usage is reported."""

    ONLINE = "online"
    OFFLINE = "offline"


class UsageReporting(Section):
    """Usage reporting of flow pods."""

    mode: ReportingMode = Field(ReportingMode.ONLINE, description="How usage is reported.")
    server: str | None = Field(None, min_length=1, description="Where to; unset is the vendor's.")
    status_event_interval: int | None = Field(None, ge=1, description="Seconds between two reports.")


class EndOfTurn(Section):
    """A model that tells when a speaker is done; the service of that model is not part of the chart."""

    enabled: bool = Field(False, description="Ask it.")
    base_url: Url = Field("http://eot-llm:8000", description="Where it answers.")
    model: str = Field("HuggingFaceTB/SmolLM2-360M-Instruct", min_length=1, description="Its name.")
    probability_threshold: float = Field(0.01, ge=0, le=1, description="From which probability on a turn is over.")
    max_conversation_history_length: int = Field(10, ge=0, description="Turns it is shown.")
    max_history_tokens: int = Field(512, ge=1, description="Tokens it is shown.")
    timeout: int = Field(150, ge=1, description="Milliseconds it may take.")
    supported_languages: tuple[str, ...] = Field(("en",), description="Languages it knows.")
