"""Requests of a transcriber pod by language, tuned by the vendor for two sessions in a pod.

Source: contract, transcription 6: the complete default table of chart 0.6.0 (sub-chart sm-transcriber 0.7.28, the same
in 0.7.0). Looked up by the raw language code.
"""

from __future__ import annotations

REQUESTS: dict[str, tuple[str, str]] = {
    "ar": ("500m", "5Gi"),
    "ba": ("300m", "3Gi"),
    "be": ("400m", "2Gi"),
    "bg": ("400m", "3Gi"),
    "bn": ("800m", "3Gi"),
    "ca": ("450m", "3Gi"),
    "cmn": ("500m", "3Gi"),
    "cmn_en": ("350m", "3Gi"),
    "cs": ("400m", "3Gi"),
    "cy": ("300m", "2Gi"),
    "da": ("500m", "3Gi"),
    "de": ("500m", "4Gi"),
    "el": ("400m", "3Gi"),
    "en": ("600m", "5Gi"),
    "eo": ("300m", "2Gi"),
    "es": ("400m", "5Gi"),
    "et": ("500m", "3Gi"),
    "eu": ("300m", "2Gi"),
    "fa": ("400m", "3Gi"),
    "fi": ("400m", "3Gi"),
    "fr": ("600m", "5Gi"),
    "ga": ("800m", "3Gi"),
    "gl": ("400m", "2Gi"),
    "he": ("800m", "3Gi"),
    "hi": ("600m", "3Gi"),
    "hr": ("400m", "2Gi"),
    "hu": ("500m", "3Gi"),
    "ia": ("300m", "2Gi"),
    "id": ("500m", "3Gi"),
    "it": ("450m", "3Gi"),
    "ja": ("500m", "4Gi"),
    "ko": ("550m", "4Gi"),
    "lt": ("500m", "3Gi"),
    "lv": ("500m", "3Gi"),
    "mn": ("400m", "2Gi"),
    "mr": ("700m", "2Gi"),
    "ms": ("400m", "3Gi"),
    "mt": ("500m", "3Gi"),
    "nl": ("550m", "3Gi"),
    "no": ("700m", "3Gi"),
    "pl": ("550m", "3Gi"),
    "pt": ("450m", "3Gi"),
    "ro": ("400m", "3Gi"),
    "ru": ("500m", "3Gi"),
    "sk": ("450m", "3Gi"),
    "sl": ("400m", "3Gi"),
    "sv": ("500m", "3Gi"),
    "sw": ("400m", "3Gi"),
    "ta": ("600m", "2Gi"),
    "th": ("450m", "3Gi"),
    "tr": ("550m", "3Gi"),
    "ug": ("450m", "2Gi"),
    "uk": ("400m", "3Gi"),
    "ur": ("600m", "3Gi"),
    "vi": ("500m", "3Gi"),
    "yue": ("600m", "2Gi"),
}
"""Language → CPU and memory request."""

OTHERS = ("300m", "3.5Gi")
"""Any other GPU language, codes with a domain suffix included."""


def requests_of(language: str) -> tuple[str, str]:
    """CPU and memory request of a transcriber of this language."""
    return REQUESTS.get(language, OTHERS)
