"""Many keys in few runs: each key is changed in the runs that its number spells.

A field that one key reaches changes in exactly the runs in which that key is changed, and spells its number. A field
that several reach spells a mixture; the keys that it could be are looked at one by one. So is every key of a batch in
which something changes that no single key spells, such as a name made of two keys.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.reach.contexts import Context, Knob, StoppedError
from tests.reach.fields import changed, fields_of, lost, pairs
from tests.reach.record import Entry
from tests.unit.graph import Graph

Mark = tuple[str, str]
"""Object and path, or LOSES and what is lost."""

LOSES = "(loses)"
MOST = 63
"""Keys of one batch: two runs for each of the six digits of their numbers."""

Base = Callable[[str], Graph]


def marks(before: Graph, after: Graph) -> frozenset[Mark]:
    """All that differs between two graphs."""
    return pairs(changed(before, after)) | {(LOSES, text) for text in lost(before, after)}


def entry(knob: Knob, context: Context, found: frozenset[Mark]) -> Entry:
    fields = fields_of(frozenset(each for each in found if each[0] != LOSES))
    return Entry(knob, context.name, fields, tuple(sorted(text for name, text in found if name == LOSES)))


def alone(context: Context, knob: Knob, base: Base) -> Entry:
    """What one key changes, by itself; nothing where the program stops."""
    try:
        return entry(knob, context, marks(base(context.name), context.changed([knob]).graph()))
    except StoppedError:
        return entry(knob, context, frozenset())


def together(context: Context, knobs: Sequence[Knob], base: Base) -> list[Entry]:
    """What each of several keys changes, by their numbers."""
    if len(knobs) <= 3:
        return [alone(context, knob, base) for knob in knobs]
    digits = range(len(knobs).bit_length())
    seen: dict[tuple[int, int], frozenset[Mark]] = {}
    for digit in digits:
        for value in (0, 1):
            part = context.changed([k for number, k in enumerate(knobs, 1) if number >> digit & 1 == value])
            if part.settings()[0] is None:
                return _halves(context, knobs, base)
            try:
                seen[digit, value] = marks(base(context.name), part.graph())
            except StoppedError:
                return _halves(context, knobs, base)
    found: list[set[Mark]] = [set() for _ in knobs]
    unclear: set[int] = set()
    for mark in frozenset().union(*seen.values()):
        could = [n for n in range(1, len(knobs) + 1) if all(mark in seen[d, n >> d & 1] for d in digits)]
        if not could:
            return _halves(context, knobs, base)
        if len(could) > 1:
            unclear |= set(could)
        found[could[0] - 1].add(mark)
    return [
        alone(context, knob, base) if number in unclear else entry(knob, context, frozenset(found[number - 1]))
        for number, knob in enumerate(knobs, 1)
    ]


def _halves(context: Context, knobs: Sequence[Knob], base: Base) -> list[Entry]:
    half = len(knobs) // 2
    return together(context, knobs[:half], base) + together(context, knobs[half:], base)
