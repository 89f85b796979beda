"""Rungs put back, without a plane: what is changed and restored, what is refused, and the verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.drill.ladder import page, rows, seen
from sandbox.drill.ladder.climb import Shown, wrong
from sandbox.drill.ladder.rows import Change, Guard, Ladder, Load, Place, Red, Row
from sandbox.drill.ladder.standing import changed, restored, standing, written
from sandbox.plane.errors import PlaneError

GRACE = ("spec", "template", "spec", "terminationGracePeriodSeconds")
PING = ("spec", "template", "spec", "containers", "app", "env", "PING", "value")

POD = {
    "terminationGracePeriodSeconds": 86400,
    "containers": [{"name": "other"}, {"name": "app", "env": [{"name": "PING", "value": "300"}]}],
}


def deployment(name: str) -> dict[str, Any]:
    return {"kind": "Deployment", "metadata": {"name": name}, "spec": {"template": {"spec": POD}}}


def stored(token: str, name: str, inputs: dict[str, Any], **outputs: str) -> dict[str, Any]:
    return {"type": token, "id": f"x/{name}", "inputs": inputs, "outputs": outputs}


STATE = {
    "deployment": {
        "resources": [
            {"type": "pulumi:pulumi:Stack"},
            stored("kubernetes:apps/v1:Deployment", "proxy-a", deployment("proxy-a"), __fieldManager="pulumi-1"),
            stored("kubernetes:apps/v1:Deployment", "proxy-b", deployment("proxy-b"), __fieldManager="pulumi-2"),
            stored("kubernetes:apps/v1:Deployment", "llm", deployment("llm"), __fieldManager="pulumi-3"),
            stored("azure-native:containerservice:AgentPool", "p1", {"agentPoolName": "p1", "count": 2}),
            stored("azure-native:network:Subnet", "s", {"subnetName": "s"}),
        ]
    }
}


def test_what_stands_is_read_from_the_engines_state() -> None:
    found = standing(STATE)
    assert [(each.kind, each.name, each.manager) for each in found] == [
        ("Deployment", "proxy-a", "pulumi-1"),
        ("Deployment", "proxy-b", "pulumi-2"),
        ("Deployment", "llm", "pulumi-3"),
        ("AgentPool", "p1", ""),
    ]


def test_a_change_is_of_all_that_are_named_so() -> None:
    made = changed(standing(STATE), [Change(kind="Deployment", name="proxy-*", field=GRACE)])
    assert [each.what.name for each in made] == ["proxy-a", "proxy-b"]


def test_a_change_that_changes_nothing_is_told() -> None:
    for change in (
        Change(kind="Deployment", name="proxi-*", field=GRACE),
        Change(kind="Deployment", field=GRACE, to=86400),
        Change(kind="Deployment", field=("spec", "notThere")),
    ):
        with pytest.raises(PlaneError, match="nothing is other for it"):
            changed(standing(STATE), [change])


def test_fields_are_written_and_come_back_and_what_others_wrote_meanwhile_stays() -> None:
    before = deployment("proxy-a")
    changes = [
        Change(kind="Deployment", field=GRACE),
        Change(kind="Deployment", field=PING, to="3600"),
        Change(kind="Deployment", field=("metadata", "annotations", "new"), to="yes"),
    ]
    after = written(before, changes)
    assert after is not None
    pod = after["spec"]["template"]["spec"]
    assert "terminationGracePeriodSeconds" not in pod
    assert pod["containers"][1]["env"] == [{"name": "PING", "value": "3600"}]
    assert after["metadata"]["annotations"] == {"new": "yes"}
    assert before == deployment("proxy-a"), "the one before is left alone"
    after["spec"]["replicas"] = 7
    back = restored(after, before, changes)
    assert back["spec"] == {**before["spec"], "replicas": 7}
    assert back["metadata"]["annotations"] == {}


def test_a_change_without_a_field_takes_the_object_away() -> None:
    assert written(deployment("llm"), [Change(kind="Deployment")]) is None


# --- the list

PLACE = Place(kind="Deployment", name="proxy-*", field=GRACE)
ROW = Row(
    rung="proxy pod grace", places=(PLACE,), because="its own", scenario="config-map", red=Red(cut="proxy: its grace")
)
WAIT = ROW.model_copy(update={"rung": "wait", "red": Red(gave_up="metrics"), "without": ("guard",)})

RIGHT = """
rungs:
  - rung: one
    places: [{kind: Deployment, field: [spec]}]
    because: it is so
    scenario: config-map
    red: {cut: "proxy: gone"}
"""


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (RIGHT + "    nowhere: it is not\n", "has no places, no scenario and no red"),
        (RIGHT.replace("    because: it is so\n", ""), "places, because, scenario and red are needed, or nowhere"),
        (RIGHT + "    without: [nobody]\n", "one: there is no guard nobody"),
        (RIGHT.replace('cut: "proxy: gone"', ""), "one of cut and gave_up"),
        (RIGHT + "    scenaro: x\n", "rungs.0.scenaro: Extra inputs are not permitted"),
        (RIGHT + RIGHT.replace("rungs:", ""), "listed twice: one"),
        (RIGHT.replace("config-map", "none"), "There is no scenario none"),
    ],
)
def test_what_is_wrong_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "rungs.yaml"
    path.write_text(text)
    with pytest.raises(PlaneError) as refused:
        rows.read(path)
    assert says in str(refused.value)


def test_a_name_that_is_no_rung_is_told_with_those_that_are() -> None:
    ladder = Ladder(rungs=(ROW, Row(rung="another", nowhere="it is not ours")))
    with pytest.raises(PlaneError, match=r"is called another\. These are: proxy pod grace"):
        rows.of(ladder, ["another"])
    assert rows.of(ladder, []) == [ROW]


# --- the verdict

RED = Shown(alive=3, cuts={"proxy: its grace": 2, "proxy: lost": 1})
GREEN = Shown(alive=3)


@pytest.mark.parametrize(
    ("row", "put", "guarded", "says"),
    [
        (ROW, RED, GREEN, ""),
        (ROW, GREEN, GREEN, "put back: no cut reads 'proxy: its grace' (none)"),
        (ROW, Shown(alive=3, cuts={"proxy: lost": 1}), GREEN, "no cut reads 'proxy: its grace' (proxy: lost)"),
        (ROW, RED, RED, "not put back: red all the same (proxy: its grace)"),
        (ROW, RED, Shown(alive=3, cuts={"other: reason": 1}), "not put back: red all the same (other: reason)"),
        (ROW, RED, Shown(), "not put back: no session was alive"),
        (ROW, Shown(error="it broke\nhere"), GREEN, "put back: it broke"),
        (WAIT, Shown(alive=3, gave_up=["metrics"]), GREEN, ""),
        (WAIT, GREEN, GREEN, "put back: the process of metrics gives up was not seen"),
        (WAIT, RED, Shown(alive=3, gave_up=["metrics"]), "not put back: red all the same (metrics)"),
    ],
)
def test_both_runs_of_a_row_must_show_it(row: Row, put: Shown, guarded: Shown, says: str) -> None:
    assert says in wrong(row, put, guarded)
    assert bool(says) == bool(wrong(row, put, guarded))


# --- the page


def test_the_page_has_the_pair_what_was_seen_and_what_was_not() -> None:
    guard = Guard(what="what guards", changes=(Change(kind="Deployment"),))
    wait = WAIT.model_copy(update={"settings": {"busySigterm": "ends"}, "load": Load.model_validate({"mean": "4h"})})
    ladder = Ladder(guards={"guard": guard}, rungs=(ROW, wait, Row(rung="no", nowhere="not ours")))
    text = page.text(ladder, {ROW.rung: seen.of(RED, 60, "2026-11-28")})
    field = "Deployment `spec.template.spec.terminationGracePeriodSeconds`: taken away. its own"
    assert (
        f"| proxy pod grace | {field} |  | `config-map` |  | proxy: its grace "
        "| 2 of 3 cut, 3 alive at first (2026-11-28, factor 60) |\n"
    ) in text
    assert (
        f"| wait | {field} | guard | `config-map` | `busySigterm: ends`, mean of a session 240 min "
        "| the process of metrics gives up | not yet |\n"
    ) in text
    assert "| guard | what guards |\n" in text
    assert "| no | not ours |\n" in text


def test_what_was_seen_is_kept_and_what_has_no_row_goes(tmp_path: Path) -> None:
    path = tmp_path / "seen.yaml"
    kept = seen.of(RED, 60, "2026-11-28")
    seen.add({"proxy pod grace": kept, "old": kept}, (ROW,), path)
    seen.add({"wait": seen.of(Shown(alive=1, gave_up=["metrics"]), 60, "2026-11-29")}, (ROW, WAIT), path)
    found = seen.read(path)
    assert list(found) == ["proxy pod grace", "wait"]
    assert found["proxy pod grace"] == kept
    assert found["wait"].gave_up == ["metrics"]
