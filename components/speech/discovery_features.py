"""What the platform tells clients it can do: languages, locales, domains, translations (contract: control plane 6.1).

The document is static: it does not follow the languages that are deployed. The order is the contract's.
"""

from __future__ import annotations

import json

from components.speech.pod import Json

_NAMES = """\
ar Arabic, ba Bashkir, eu Basque, be Belarusian, bg Bulgarian, bn Bengali, yue Cantonese, ca Catalan, hr Croatian,
cs Czech, da Danish, nl Dutch, en English, en_ms English / Malay, eo Esperanto, et Estonian, fa Persian, fi Finnish,
fr French, gl Galician, de German, el Greek, he Hebrew, hi Hindi, hu Hungarian, ia Interlingua, it Italian,
id Indonesian, ga Irish, ja Japanese, ko Korean, lv Latvian, lt Lithuanian, ms Malay, mt Maltese, cmn Mandarin,
cmn_en English / Mandarin, mr Marathi, mn Mongolian, nn Norwegian Nynorsk, no Norwegian, pl Polish, pt Portuguese,
ro Romanian, ru Russian, sk Slovakian, sl Slovenian, es Spanish, sv Swedish, sw Swahili, ta Tamil, th Thai, tr Turkish,
ug Uyghur, uk Ukrainian, ur Urdu, vi Vietnamese, cy Welsh"""

LANGUAGES: dict[str, str] = {
    code: name for code, _, name in (entry.partition(" ") for entry in _NAMES.replace("\n", " ").split(", "))
}
"""Code → name of every language that is described."""

DESCRIBED_ONLY = ("nn",)
"""Described, and not transcribed in real time."""

LOCALES: dict[str, dict[str, str]] = {
    "en": {"en-US": "US English", "en-GB": "British English", "en-AU": "Australian English"},
    "cmn": {"cmn-Hans": "Simplified Mandarin", "cmn-Hant": "Traditional Mandarin"},
}
DOMAINS: dict[str, dict[str, str]] = {
    "en": {"finance": "English - financial"},
    "es": {"bilingual-en": "English / Spanish"},
}

_PARTNERS = "bg ca cmn cs da de el es et fi fr gl hi hr hu id it ja ko lt lv ms nl no pl pt ro ru sk sl sv tr uk vi"

TRANSLATED = tuple(_PARTNERS.split())
"""Translated from English and into English."""


def _named(entries: dict[str, str]) -> Json:
    return {key: {"name": name} for key, name in entries.items()}


def _described(code: str) -> Json:
    described: Json = {"language_description": LANGUAGES[code]}
    if code in LOCALES:
        described["locales"] = _named(LOCALES[code])
    if code in DOMAINS:
        described["domains"] = _named(DOMAINS[code])
    return described


def features() -> Json:
    """The whole document."""
    return {
        "metadata": {"language_pack_info": {code: _described(code) for code in LANGUAGES}},
        "realtime": {
            "transcription": [
                {
                    "version": "latest",
                    "languages": [code for code in LANGUAGES if code not in DESCRIBED_ONLY],
                    "locales": {code: list(locales) for code, locales in LOCALES.items()},
                    "domains": {code: list(domains) for code, domains in DOMAINS.items()},
                }
            ],
            "translation": [
                {
                    "version": "latest",
                    "languages": {"en": list(TRANSLATED), **{code: ["en"] for code in TRANSLATED}},
                }
            ],
        },
    }


def text() -> str:
    """As the proxy reads it."""
    return json.dumps(features(), separators=(",", ":"))
