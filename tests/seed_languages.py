"""The languages of the seed's four recipe lists (`Enhanced OP Recipe 1 deployment` to `... 4 deployment`)."""

from __future__ import annotations

_LISTS = (
    # English first, so that one language alone is the seed's default
    "en ba be cy eo eu ga mn mr ta tr ug uk",
    "bg es et fa gl hr ia id lt lv ro sk sl ur",
    "ca cs da de el fi he hi hu it ko ms sv sw",
    "ar bn cmn fr ja mt no nl pl pt ru th vi yue",
)

SEED_RECIPES = {number: tuple(spoken.split()) for number, spoken in enumerate(_LISTS, 1)}
"""By the number of the recipe."""

SEED_LANGUAGES = tuple(language for spoken in SEED_RECIPES.values() for language in spoken)
"""All 55."""
