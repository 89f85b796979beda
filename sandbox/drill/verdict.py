"""Whether a run shows what its scenario expects. Pure."""

from __future__ import annotations

from sandbox.drill.result import Ending, Result
from sandbox.drill.scenario import Cut, Expect, Kind


def red(expect: Expect, result: Result) -> str:
    """What is other than expected; empty: nothing is."""
    expected: Cut = getattr(expect, result.kind.value)
    if result.error:
        return result.error
    if result.counts.alive == 0:
        return "no session was alive when the first step began: it shows nothing"
    cut = len(result.counts.cuts)
    if expected.cut == 0 and cut:
        return f"{cut} sessions were cut, and none was to be"
    if expected.cut == "some" and not cut:
        return f"nothing was cut, though the file says it would ({expected.because or 'a baseline must cut'})"
    if result.amiss:
        return result.amiss[0]
    if result.kind is not Kind.FRIENDLY:
        never = result.kind is Kind.HOSTILE and result.ending is Ending.NEVER
        return f"not done even without clients: {_left(result)}" if never else ""
    if expected.done == "without load" and result.ending is Ending.UNDER_LOAD:
        return f"done under load, though the file says it would not be ({expected.because})"
    late = result.ending is Ending.NEVER or (result.ending is Ending.AFTER and expected.done == "under load")
    return f"not done under load: {_left(result)}" if late else ""


def _left(result: Result) -> str:
    return result.left[0] if result.left else "nothing says what was left"


def work_left(expect: Expect, kind: Kind) -> str:
    """What the program has to learn, by the scenario's file: why it cuts sessions, or what it cannot do."""
    expected: Cut = getattr(expect, kind.value)
    if kind is Kind.BASELINE:
        return ""
    return expected.because or expect.missing
