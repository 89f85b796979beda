"""The page of the ladder of clocks, `docs/reference/clocks.md`: made from the ladder of the defaults."""

from __future__ import annotations

from collections.abc import Iterator

from operations.clocks import defaults, must_be, set_by, state
from operations.reference import ROOT, code
from stacks.clocks import Place, Rung, ladder, spoken
from stacks.load import fields
from stacks.schema.own import LONGEST_SECONDS

FILE = ROOT / "docs" / "reference" / "clocks.md"

SHOWN = 2
"""Objects of a rung that are named."""

HEAD = """\
# The ladder of clocks

Made by `python -m operations reference --write` from `stacks/clocks`; do not edit. A session lives only as long as the
shortest clock on its path. The program computes every rung from `sessions.maxDurationSeconds` (the longest session) and
the rest of the configuration, sets what it can set, and refuses a preview while a key makes one shorter than it must
be. `python -m operations clocks --stack NAME` prints the ladder of a stack; [ladder.md](ladder.md) names for each rung
the scenario that is red when it is put back.

This is the ladder of the defaults with Flow on, the shortest first; the columns are a longest session of 24 hours, the
default, and of 48 hours, the most that is accepted.

| clock | 24 h | 48 h | must be (24 h) | when it runs out | set in | set by | what protects, what to know |
|---|---|---|---|---|---|---|---|
"""

TAIL = """
## Sessions longer than 24 hours

The most is 48 hours: the vendor's own service ends a session then (docs.speechmatics.com, Realtime limits, read
2026-11-27), and the chart's deadline of every session, where it is switched on, is 48 hours too. Each rung follows but
the ones below, which no setting lifts.

| clock | most | what protects the session |
|---|---|---|
"""

REST = """
A session of 24 hours has no margin there either, so the protection is the same for both.

## What no clock governs

- Deletion of a pool: AKS gives up after 10 minutes when budgets refuse, and pods without a budget go (Azure/AKS#2090,
  #3996). A pool is protected, and the guard refuses its deletion while pods with sessions are on it.
- AKS repairs nodes that are not ready, and upgrades a cluster on a version that it no longer supports: neither can be
  switched off.
- A crash of a node or a pod, and the maintenance of a host with GPUs (NCasT4_v3: neither live migration nor
  memory-preserving updates). Clients reconnect.
- The autoscaler's largest wait: AKS documents none. Pods with sessions have the annotation that keeps their node.
- A silence without a ping: where `SM_WEBSOCKET_CONFIG` is taken out of the transcribers' variables, the longest silence
  is not known and the rungs against it are not judged. The same holds for Flow, whose pods have no such variable.
"""


def text() -> str:
    """The file as it should be."""
    day, two = _ladder(24 * 3600), _ladder(LONGEST_SECONDS)
    longer = {each.name: each for each in two}
    guarded = [f"| {each.name} | {spoken(each.seconds)} | {each.guard} |\n" for each in two if state(each) == "guarded"]
    return HEAD + "".join(_row(each, longer[each.name]) for each in day) + TAIL + "".join(guarded) + REST


def _ladder(longest: int) -> tuple[Rung, ...]:
    config = defaults(sessions={"maxDurationSeconds": longest}, flow={"enabled": True})
    settings, problems = fields(config, [])
    assert settings is not None, problems
    return ladder(settings)


def _row(day: Rung, two: Rung) -> str:
    cut = f"{day.cut} {day.who}"
    where = "<br>".join(_where(day.places))
    cells = (day.name, spoken(day.seconds), spoken(two.seconds), must_be(day), cut, where, set_by(day), day.guard)
    return f"| {' | '.join(cells)} |\n"


def _where(places: tuple[Place, ...]) -> Iterator[str]:
    """Objects with the field, those of one field together."""
    fields_of: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for place in places:
        fields_of.setdefault((place.kind, place.field), []).append(place.name)
    for (kind, field), names in fields_of.items():
        # the names of pools carry a hash of what they are made of
        named = [] if kind in ("AgentPool", "ManagedCluster") else names[:SHOWN]
        more = f" and {len(names) - len(named)} more" if named and len(names) > len(named) else ""
        yield f"{kind} {', '.join(map(code, named))}{more} {code('.'.join(field))}".replace("  ", " ")
