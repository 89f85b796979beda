"""Kubernetes quantities (`500m`, `0.5`, `1Gi`): different texts of the same amount are no difference.

The API server rewrites quantities of its own kinds to a canonical text; pulumi-kubernetes does the same to inputs
before it compares. Custom resources keep the text they were given.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

QUANTITY_MAPS = frozenset({"limits", "requests", "hard", "capacity", "overhead"})
"""Fields of built-in kinds that map a resource to a quantity."""

QUANTITY_FIELDS = frozenset({"sizeLimit", "divisor", "averageValue", "storage"})
"""Fields of built-in kinds that are a quantity."""

_SUFFIX: dict[str, Fraction] = {
    "": Fraction(1),
    **{s: Fraction(1, 10 ** (3 * (i + 1))) for i, s in enumerate("mun")},
    **{s: Fraction(10 ** (3 * (i + 1))) for i, s in enumerate("kMGTPE")},
    **{f"{s}i": Fraction(1024 ** (i + 1)) for i, s in enumerate("KMGTPE")},
}

_QUANTITY = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([numkMGTPE]?i?))\Z")


def amount(text: Any) -> Fraction | None:
    """The amount a quantity stands for; None when it is not one."""
    if isinstance(text, bool) or not isinstance(text, str | int | float):
        return None
    match = _QUANTITY.match(str(text))
    if match is None:
        return None
    number, exponent, suffix = match.groups()
    if exponent is not None:
        return Fraction(number) * Fraction(10) ** int(exponent[1:])
    return Fraction(number) * _SUFFIX[suffix] if suffix in _SUFFIX else None


def is_quantity_at(path: tuple[str | int, ...]) -> bool:
    """Whether a path of a built-in kind holds a quantity."""
    return bool(path) and (path[-1] in QUANTITY_FIELDS or (len(path) > 1 and path[-2] in QUANTITY_MAPS))


def same_amount(one: Any, other: Any) -> bool:
    first, second = amount(one), amount(other)
    return first is not None and first == second
