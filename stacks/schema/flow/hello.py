"""What an agent says that speaks first and has no first message, by language (contract: flow 2.5)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

HELLO = {
    "ar": "مرحبا",
    "bg": "здравей",
    "cmn": "你好",
    "cs": "Ahoj",
    "da": "Hej",
    "de": "Hallo",
    "el": "Γειά σου",
    "en": "Hello",
    "es-bilingual-en": "Hello",
    "fi": "Hei",
    "fr": "Bonjour",
    "hi": "नमस्ते",
    "hr": "Zdravo",
    "hu": "Helló",
    "id": "Halo",
    "it": "Ciao",
    "ja": "こんにちは",
    "ko": "안녕하세요",
    "ms": "Hello",
    "nl": "Hallo",
    "no": "Hallo",
    "pl": "Witam",
    "pt": "Olá",
    "ro": "Bună ziua!",
    "ru": "привет",
    "sk": "Ahoj",
    "sv": "Hej",
    "ta": "வணக்கம்",
    "th": "สวัสดี",
    "tr": "Merhaba",
    "uk": "привіт",
    "vi": "Xin chào",
}


def _over(given: Any) -> Any:
    """Laid over the default key by key, as Helm does with values; null takes a key away, null for all takes all."""
    if given is None:
        return {}
    if not isinstance(given, dict):
        return given
    merged: dict[str, Any] = {**HELLO, **given}
    return {key: value for key, value in merged.items() if value is not None}


HelloMessages = Annotated[dict[str, str], BeforeValidator(_over, json_schema_input_type=dict[str, str | None] | None)]
"""Language → first message."""
