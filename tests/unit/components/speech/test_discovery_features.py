"""What clients are told, counted (contract: control plane 6.1 and proxy 7.2)."""

from __future__ import annotations

import json

from components.speech.discovery_features import LANGUAGES, features, text


def test_it_describes_58_codes_and_transcribes_all_but_one() -> None:
    assert len(LANGUAGES) == 58
    (transcription,) = features()["realtime"]["transcription"]
    assert set(LANGUAGES) - set(transcription["languages"]) == {"nn"}
    assert len(transcription["languages"]) == len(set(transcription["languages"])) == 57


def test_a_name_may_have_blanks_and_strokes() -> None:
    assert LANGUAGES["cmn_en"] == "English / Mandarin"
    assert LANGUAGES["nn"] == "Norwegian Nynorsk"


def test_translation_is_from_english_and_back() -> None:
    (translation,) = features()["realtime"]["translation"]
    partners = translation["languages"].pop("en")
    assert len(partners) == 34
    assert translation["languages"] == {code: ["en"] for code in partners}
    assert set(partners) <= set(LANGUAGES)


def test_locales_and_domains_are_named_where_they_are_listed() -> None:
    document = features()
    described = document["metadata"]["language_pack_info"]
    (transcription,) = document["realtime"]["transcription"]
    for kind in ("locales", "domains"):
        listed = {code: set(entries) for code, entries in transcription[kind].items()}
        assert listed == {code: set(each[kind]) for code, each in described.items() if kind in each}
        assert listed


def test_a_variable_holds_it() -> None:
    """Linux takes at most 128 KiB in one variable."""
    assert json.loads(text()) == features()
    assert len(text()) < 16_000
