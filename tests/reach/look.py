"""A look at one knob: what it changes in a context."""

from __future__ import annotations

from tests.reach.contexts import Context, Knob, StoppedError
from tests.reach.fields import changed, lost, object_of, shown
from tests.reach.groups import Base
from tests.reach.record import Entry
from tests.unit.graph import Graph


def looked_at(context: Context, knob: Knob, base: Base) -> Entry | None:
    """What a knob changes; None where that is nothing, or not its own, or the program stops."""
    if not own(context, knob, base):
        return None
    try:
        before, after = base(context.name), context.changed([knob]).graph()
    except StoppedError:
        return None
    fields = changed(before, after)
    return Entry(knob, context.name, fields, lost(before, after)) if fields else None


def own(context: Context, knob: Knob, base: Base) -> bool:
    """Whether what changes together with a key changes nothing without it: it would be taken for the key's."""
    if knob.rest is None:
        return True
    alone = context.changed([knob.rest])
    return alone.settings()[0] is None or not changed(base(context.name), alone.graph())


def names(graph: Graph) -> dict[str, str]:
    """What the objects of a graph are called, by kind and logical name."""
    return {object_of(each): shown(each) for each in graph.resources if each.custom}
