"""The file flow-service reads at its start: what it hears, thinks and speaks with (contract: flow 2.6)."""

from __future__ import annotations

from typing import Any

import yaml

from components.speech.pod import Json
from stacks.schema.flow import FlowSettings

GPT = (
    ("gpt-4o", "GPT-4o model", "gpt-4o-2024-08-06"),
    ("gpt-4o-mini", "GPT-4o mini model", "gpt-4o-mini-2024-07-18"),
)
ELEVEN_LABS = "https://api.elevenlabs.io/v1/text-to-speech/{voice}/stream"


def known(**fields: Any) -> Json:
    """Without what is not set or empty."""
    return {key: value for key, value in fields.items() if value is not None and value not in ((), [], {})}


def service(config: Json, presets: list[Json] | tuple[Json, ...]) -> Json:
    """One service behind flow: its defaults, and the presets agents can name."""
    return known(defaults={"config": config} if config else None, presets=list(presets))


def conversation(settings: FlowSettings) -> Json:
    engine, limits = settings.config.ce, {}
    if engine.conversation_limit.enabled:
        limits = {
            "conversation_duration_limit_s": engine.conversation_limit.duration,
            "conversation_termination_warning_s": engine.conversation_limit.termination_warning_interval,
        }
    return known(conversation_config=limits, services={"llm": engine.llm.default})


def language_models(settings: FlowSettings, llm_url: str) -> Json:
    models, found = settings.config.llm, {}
    if models.azure.enabled:
        found["Azure"] = service(
            known(completion=known(max_tokens=models.azure.max_tokens), api={"api_version": models.azure.api_version}),
            models.azure.additional_presets,
        )
    if models.chatgpt.enabled:
        own = [
            {name: {"description": description, "config": {"completion": {"model": model}}}}
            for name, description, model in GPT
        ]
        completion = known(completion=known(max_tokens=models.chatgpt.max_tokens))
        found["ChatGPT"] = service(completion, [*own, *models.chatgpt.additional_presets])
    if settings.llm_proxy.enabled:
        proxied = models.llm_proxy
        found["ProxyLLM"] = service(
            known(
                # longer than the LLM proxy itself waits, so that its answer is the one that counts
                llm_timeout=settings.llm_proxy.backend_timeout_sec + 2,
                completion=known(max_tokens=proxied.max_tokens),
                api={"base_url": llm_url},
            ),
            [{"base": {"config": {"completion": {"model": proxied.model_group}}}}, *proxied.additional_presets],
        )
    return found


def voices(settings: FlowSettings, tts_url: str) -> Json:
    given, found = settings.config.tts, {}
    if given.sm.enabled:
        found["SpeechmaticsTTS"] = service({"endpoint": given.sm.endpoint or tts_url}, given.sm.additional_presets)
    if given.playht.enabled:
        address = {"AdvancedOptions": {"grpc_addr": given.playht.endpoint}}
        found["PlayHT"] = service(address, given.playht.additional_presets)
    if given.elevenlabs.enabled:
        endpoint = {"endpoint": given.elevenlabs.endpoint or ELEVEN_LABS}
        found["ElevenLabs"] = service(endpoint, given.elevenlabs.additional_presets)
    return found


def end_of_turn(settings: FlowSettings) -> Json:
    model = settings.end_of_turn
    if not model.enabled:
        return {"enabled": False}
    return {
        "enabled": True,
        "base_url": model.base_url,
        "model": model.model,
        "probability_threshold": model.probability_threshold,
        "max_conversation_history_length": model.max_conversation_history_length,
        "max_history_tokens": model.max_history_tokens,
        "timeout_ms": model.timeout,
        "supported_languages": list(model.supported_languages),
    }


def tree(settings: FlowSettings, *, transcribes_here: bool, llm_url: str, tts_url: str) -> Json:
    """The whole file; the two addresses are those of the LLM proxy and the TTS of this platform."""
    local = transcribes_here or settings.config.asr.flow_use_local_transcriber
    asr = None if local else {"SpeechmaticsASR": {"defaults": {"config": {"server": settings.config.asr.endpoint}}}}
    reporting = settings.usage_reporting
    return {
        "services": known(
            ce={"LLaVA": {"defaults": {"config": conversation(settings)}}},
            asr=asr,
            llm=language_models(settings, llm_url),
            tts=voices(settings, tts_url),
        ),
        "UsageReporting": known(
            mode=reporting.mode.value,
            server=reporting.server,
            status_event_interval_s=reporting.status_event_interval,
        ),
        "EndOfTurn": end_of_turn(settings),
    }


def text(document: Json) -> str:
    """As flow-service reads it."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=1000)
