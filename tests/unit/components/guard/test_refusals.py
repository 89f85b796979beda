"""When a refusal is told: at the step of an update, of a preview all at once."""

from __future__ import annotations

import asyncio

import pytest

from components.guard.refusals import Refusals, RefusedError


async def said(refusals: Refusals, text: str) -> str:
    """What is raised for it; empty: nothing."""
    try:
        await refusals.refuse(text)
    except RefusedError as refused:
        return str(refused)
    return ""


async def test_an_update_is_refused_at_the_step() -> None:
    refusals = Refusals(preview=False)
    assert await said(refusals, "a is refused") == "a is refused"
    assert await said(refusals, "b is refused") == "b is refused"
    assert refusals.conclude() is None


async def test_a_preview_is_refused_when_the_program_is_over_with_all_of_it() -> None:
    refusals = Refusals(preview=True)
    assert await said(refusals, "a is refused") == ""
    assert await said(refusals, "b is refused") == ""
    assert refusals.conclude() == "2 steps are refused; nothing was changed.\n1. a is refused\n2. b is refused"


async def test_a_preview_with_nothing_refused_goes_on() -> None:
    assert Refusals(preview=True).conclude() is None


async def test_of_deletes_that_are_asked_about_together_the_first_answer_has_all() -> None:
    """Deletes of what the program no longer has are asked about after its end."""
    refusals = Refusals(preview=True, quiet_seconds=0.01)
    assert refusals.conclude() is None
    answers = [asyncio.create_task(said(refusals, f"{step} is refused")) for step in "ab"]
    first, second = [await answer for answer in asyncio.as_completed(answers)]
    assert first == "2 steps are refused; nothing was changed.\n1. a is refused\n2. b is refused"
    assert second == "This is refused as well; it stands in the list."


@pytest.mark.parametrize("concluded", [True, False])
async def test_a_single_refusal_is_no_list(concluded: bool) -> None:
    refusals = Refusals(preview=True, quiet_seconds=0)
    if concluded:
        refusals.conclude()
        assert await said(refusals, "a is refused") == "a is refused\nNothing was changed."
    else:
        await said(refusals, "a is refused")
        assert refusals.conclude() == "a is refused\nNothing was changed."
