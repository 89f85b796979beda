"""The weekly node image: whom it reimages, when, and within which window.

The calendar alone first; then one cluster for the rest of the module.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from sandbox import settings
from sandbox.azure import catalogue, windows
from sandbox.azure.node_image import ask, channel, outcomes
from sandbox.azure.nodes import image
from sandbox.azure.store import Record, Store
from sandbox.settings import Settings
from sandbox.toolchain import Tools
from tests.sandbox.azure_cluster_world import World, budget, standing, until
from tests.sandbox.azure_world import CLUSTER_ID, Json, inputs

IMAGE = "kubernetes.azure.com/node-image-version"
WEEK = 7 * 24 * 3600


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


def window(schedule: Json, **changes: Any) -> Json:
    return {"durationHours": 4, "startTime": "02:00", "schedule": schedule} | changes


SUNDAY = {"weekly": {"dayOfWeek": "Sunday", "intervalWeeks": 1}}
EVERY_OTHER = {"weekly": {"dayOfWeek": "Sunday", "intervalWeeks": 2}}
THIRD_DAY = {"daily": {"intervalDays": 3}}
LAST_FRIDAY = {"relativeMonthly": {"dayOfWeek": "Friday", "weekIndex": "Last", "intervalMonths": 1}}
THE_31ST = {"absoluteMonthly": {"dayOfMonth": 31, "intervalMonths": 1}}
QUARTERLY = {"absoluteMonthly": {"dayOfMonth": 1, "intervalMonths": 3}}
CLOSED = [{"start": "2026-11-28", "end": "2026-11-30"}]


@pytest.mark.parametrize(
    ("given", "at", "is_open"),
    [
        (window(SUNDAY), "2026-11-29T02:00:00+00:00", True),
        (window(SUNDAY), "2026-11-29T05:59:59+00:00", True),
        (window(SUNDAY), "2026-11-29T06:00:00+00:00", False),
        (window(SUNDAY), "2026-11-29T01:59:59+00:00", False),
        (window(SUNDAY), "2026-11-30T03:00:00+00:00", False),
        (window(SUNDAY, utcOffset="+05:30"), "2026-11-28T20:30:00+00:00", True),
        (window(SUNDAY, utcOffset="-08:00"), "2026-11-29T03:00:00+00:00", False),
        (window(SUNDAY, startTime="22:00"), "2026-11-30T01:00:00+00:00", True),
        (window(SUNDAY, startDate="2026-12-01"), "2026-11-29T03:00:00+00:00", False),
        (window(SUNDAY, notAllowedDates=CLOSED), "2026-11-29T03:00:00+00:00", False),
        (window(EVERY_OTHER, startDate="2026-11-22"), "2026-11-22T03:00:00+00:00", True),
        (window(EVERY_OTHER, startDate="2026-11-22"), "2026-11-29T03:00:00+00:00", False),
        (window(EVERY_OTHER, startDate="2026-11-22"), "2026-12-06T03:00:00+00:00", True),
        (window(THIRD_DAY, startDate="2026-11-01"), "2026-11-04T03:00:00+00:00", True),
        (window(THIRD_DAY, startDate="2026-11-01"), "2026-11-05T03:00:00+00:00", False),
        (window(LAST_FRIDAY), "2026-11-27T03:00:00+00:00", True),
        (window(LAST_FRIDAY), "2026-11-20T03:00:00+00:00", False),
        (window(THE_31ST), "2026-11-30T03:00:00+00:00", True),
        (window(THE_31ST), "2026-12-30T03:00:00+00:00", False),
        (window(QUARTERLY, startDate="2026-08-01"), "2026-11-01T03:00:00+00:00", True),
        (window(QUARTERLY, startDate="2026-08-01"), "2026-12-01T03:00:00+00:00", False),
    ],
)
def test_when_a_window_is_open(given: Json, at: str, is_open: bool) -> None:
    assert windows.is_open(given, moment(at)) == is_open


def test_the_next_start_of_a_window() -> None:
    assert windows.next_start(window(SUNDAY), moment("2026-11-29T02:00:01+00:00")) == moment(
        "2026-12-06T02:00:00+00:00"
    )
    assert windows.next_start(window(SUNDAY), moment("2026-11-24T00:00:00+00:00")) == moment(
        "2026-11-29T02:00:00+00:00"
    )


@pytest.mark.parametrize(
    ("profile", "in_force"),
    [
        (None, "NodeImage"),
        ({"upgradeChannel": "none"}, "NodeImage"),
        ({"nodeOSUpgradeChannel": "None"}, "None"),
        ({"nodeOSUpgradeChannel": "Unmanaged"}, "Unmanaged"),
        ({"nodeOSUpgradeChannel": "SecurityPatch"}, "SecurityPatch"),
        ({"upgradeChannel": "node-image", "nodeOSUpgradeChannel": "None"}, "NodeImage"),
    ],
)
def test_which_channel_is_in_force(profile: Json | None, in_force: str) -> None:
    assert channel({"autoUpgradeProfile": profile}) == in_force


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with standing(tools, tmp_path_factory.mktemp("azure")) as found:
        settings.write(Settings(time_factor=60), found.home)

        async def begun() -> bool:
            return "nodeImage" in cluster(found).hidden

        # its calendar has begun: of what was asked for before that it knows nothing
        await until(begun)
        yield found


def cluster(world: World) -> Record:
    found = world.store.find(CLUSTER_ID)
    assert found is not None
    return found


def os_channel(world: World, name: str) -> None:
    cluster(world).state["autoUpgradeProfile"] = {"nodeOSUpgradeChannel": name}


async def images(world: World, pool: str) -> list[str]:
    return [node["metadata"]["labels"][IMAGE] for node in await world.nodes(pool)]


async def a_week(world: World) -> dict[str, str]:
    """Let a week come, as the command does; what it did to each pool."""
    asked = ask(world.home)

    async def done() -> Any:
        return outcomes(Store(world.home.azure), asked)

    found: dict[str, dict[str, str]] = await until(done)
    (outcome,) = found.values()
    return outcome


@pytest.mark.asyncio(loop_scope="module")
async def test_a_week_reimages_every_machine_of_every_pool(world: World) -> None:
    resource_id, _, _ = await world.pool("weekly", count=2, minCount=2)
    before = await world.nodes("weekly")
    first, second = image(0), image(1)
    assert await images(world, "weekly") == [first, first]
    os_channel(world, "NodeImage")
    assert await a_week(world) == {"system": second, "weekly": second}
    assert (await images(world, "weekly"), await images(world, "system")) == ([second, second], [second])
    after = await world.nodes("weekly")
    assert not {node["metadata"]["uid"] for node in before} & {node["metadata"]["uid"] for node in after}
    drained = [event["message"] for event in await world.kube.list("v1", "Event", fields="reason=Drain")]
    assert {f"Draining node: [{node['metadata']['name']}]" for node in before} <= set(drained)
    found = world.store.find(resource_id)
    assert found is not None
    assert (found.state["nodeImageVersion"], found.state["count"]) == (second, 2)
    await world.drop(resource_id)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", ["None", "Unmanaged"])
async def test_without_a_channel_no_machine_is_touched(world: World, name: str) -> None:
    os_channel(world, name)
    (before,) = await world.nodes("system")
    assert await a_week(world) == {"": f"nothing is reimaged: nodeOSUpgradeChannel is {name}"}
    (after,) = await world.nodes("system")
    assert before["metadata"]["uid"] == after["metadata"]["uid"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_budget_that_allows_nothing_keeps_the_image_out(world: World) -> None:
    os_channel(world, "NodeImage")
    before = await images(world, "system")
    async with budget(world, "session"):
        outcome = await a_week(world)
    assert outcome["system"].startswith('Status=400 Code="UnsatisfiablePDB"')
    assert await images(world, "system") == before


WINDOW = "aksManagedNodeOSUpgradeSchedule"


async def sundays(world: World) -> tuple[str, Json]:
    given = window(SUNDAY)
    maintenance = inputs(catalogue.MAINTENANCE, configName=WINDOW, maintenanceWindow=given)
    resource_id, _ = await world.engine.create(catalogue.MAINTENANCE, maintenance)
    return resource_id, given


@pytest.mark.asyncio(loop_scope="module")
async def test_the_week_comes_by_itself_and_waits_for_its_window(world: World) -> None:
    """An hour is a second. The week is over on a Saturday evening; the window opens six hours later."""
    os_channel(world, "NodeImage")
    system = world.store.find(f"{CLUSTER_ID}/agentPools/system")
    assert system is not None
    system.state["upgradeSettings"] |= {"drainTimeoutInMinutes": 1440}
    resource_id, given = await sundays(world)
    (before,) = await world.nodes("system")
    settings.write(Settings(time_factor=3600), world.home)
    saturday = moment("2026-11-28T20:00:00+00:00").timestamp()
    kept = cluster(world).hidden["nodeImage"]
    week = kept["week"]
    kept |= {"calendar": saturday - WEEK, "real": time.time() - WEEK / 3600}

    async def came() -> bool:
        return bool(cluster(world).hidden["nodeImage"]["calendar"] >= saturday)

    await until(came)
    kept = cluster(world).hidden["nodeImage"]
    assert kept["week"] == week + 1
    assert windows.is_open(given, datetime.datetime.fromtimestamp(kept["calendar"], datetime.UTC))
    assert kept["outcome"] == {"system": image(week + 1)}
    (after,) = await world.nodes("system")
    assert before["metadata"]["uid"] != after["metadata"]["uid"]
    settings.write(Settings(time_factor=60), world.home)
    await world.engine.delete(catalogue.MAINTENANCE, resource_id)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_week_asked_for_moves_the_calendar_into_the_window(world: World) -> None:
    os_channel(world, "NodeImage")
    resource_id, given = await sundays(world)
    before = cluster(world).hidden["nodeImage"]["calendar"]
    await a_week(world)
    after = cluster(world).hidden["nodeImage"]["calendar"]
    assert windows.is_open(given, datetime.datetime.fromtimestamp(after, datetime.UTC))
    assert WEEK <= after - before < 2 * WEEK
    await world.engine.delete(catalogue.MAINTENANCE, resource_id)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_calendar_can_be_set_and_a_closed_window_keeps_the_image_out(world: World) -> None:
    """Two Wednesdays' noons, years on: the week is long over, and the window between them was never come to."""
    noons = ("2095-12-28T12:00:00Z", "2096-01-04T12:00:00Z")
    resource_id, _ = await sundays(world)
    os_channel(world, "NodeImage")
    week = cluster(world).hidden["nodeImage"]["week"]

    async def came() -> bool:
        return bool(cluster(world).hidden["nodeImage"]["week"] > week)

    for noon in noons:
        settings.write(Settings(time_factor=60, calendar=noon), world.home)

        async def moved(to: str = noon) -> bool:
            return bool(cluster(world).hidden["nodeImage"].get("set") == to)

        await until(moved)
        assert not await came()
    await world.engine.delete(catalogue.MAINTENANCE, resource_id)
    await until(came)
    settings.write(Settings(time_factor=60), world.home)
