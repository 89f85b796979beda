"""Mending a stack whose update was killed: the plan, by itself, and whose lock is removed."""

from __future__ import annotations

import copy
import json
import os
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox import recover
from sandbox.home import Home
from sandbox.interrupted import Found, cut_off, entered, holder, with_inputs
from sandbox.plane.errors import PlaneError

Json = dict[str, Any]


def urn(kind: str, name: str) -> str:
    return f"urn:pulumi:sandbox::sm-realtime::{kind}::{name}"


def resource(kind: str, name: str, **more: Any) -> Json:
    return {"urn": urn(kind, name), "type": kind, "custom": True, "inputs": {"given": name}, **more}


def creating(kind: str, name: str) -> Json:
    return {"type": "creating", "resource": resource(kind, name, parent="p", provider="k::1")}


SET, POOL = "kubernetes:apps/v1:StatefulSet", "azure-native:containerservice:AgentPool"
STACK = resource("pulumi:pulumi:Stack", "sm-realtime-sandbox")
DEPLOYMENT: Json = {
    "manifest": {"version": "v3"},
    "resources": [STACK, resource(SET, "other", id="ns/other")],
    "pending_operations": [
        creating(SET, "redis"),
        creating(POOL, "gpu"),
        creating(SET, "never"),
        {"type": "updating", "resource": resource(SET, "other", id="ns/other")},
    ],
}
FOUND = {urn(SET, "redis"): Found("ns/redis", {"__fieldManager": "m"}), urn(POOL, "gpu"): Found("/pools/gpu", {})}


def named(deployment: Json) -> dict[str, Json]:
    return {each["urn"].rsplit("::", 1)[1]: each for each in deployment["resources"]}


# --- the plan


def test_only_creations_are_asked_for() -> None:
    assert [each["urn"].rsplit("::", 1)[1] for each in cut_off(DEPLOYMENT)] == ["redis", "gpu", "never"]


def test_what_exists_is_entered_and_the_rest_forgotten() -> None:
    before = copy.deepcopy(DEPLOYMENT)
    after = entered(DEPLOYMENT, FOUND)
    assert before == DEPLOYMENT, "the plan changes nothing it is given"
    assert "pending_operations" not in after
    assert set(named(after)) == {"sm-realtime-sandbox", "other", "redis", "gpu"}
    redis, gpu = named(after)["redis"], named(after)["gpu"]
    assert (redis["id"], redis["outputs"], redis["parent"]) == ("ns/redis", {"__fieldManager": "m"}, "p")
    assert redis["inputs"] == {"given": "redis"}, "what is secret in them marks what is read"
    assert gpu["inputs"] == {}, "read as one to import"
    assert list(named(after))[-2:] == ["redis", "gpu"], "after all that they depend on"


def test_what_was_read_gets_the_inputs_of_the_program() -> None:
    read = entered(DEPLOYMENT, FOUND)
    for each in read["resources"]:
        each |= {"outputs": {"live": True}, "inputs": each["inputs"] | {"added": "by the cloud"}}
    after = named(with_inputs(read, DEPLOYMENT))
    assert after["redis"]["inputs"] == {"given": "redis"}
    assert after["gpu"]["inputs"] == {"given": "gpu"}
    assert after["gpu"]["outputs"] == {"live": True}
    assert "added" in after["other"]["inputs"], "not cut off"


def test_a_replacement_takes_the_place_of_what_was_deleted_first() -> None:
    deployment = copy.deepcopy(DEPLOYMENT)
    deployment["resources"].append(resource(SET, "redis", id="ns/redis", pendingReplacement=True))
    redis = [each for each in entered(deployment, FOUND)["resources"] if each["urn"] == urn(SET, "redis")]
    assert [each.get("pendingReplacement") for each in redis] == [None]


def test_a_replacement_beside_the_old_one_leaves_that_to_be_deleted() -> None:
    deployment = copy.deepcopy(DEPLOYMENT)
    deployment["resources"].append(resource(POOL, "gpu", id="/pools/old"))
    pools = [each for each in entered(deployment, FOUND)["resources"] if each["urn"] == urn(POOL, "gpu")]
    assert [(each["id"], each.get("delete")) for each in pools] == [("/pools/old", True), ("/pools/gpu", None)]


# --- the lock


def lock(home: Home, pid: int, *, host: str = "", age: float = 0.0) -> Path:
    path = home.backend / ".pulumi" / "locks" / "organization" / "sm-realtime" / "sandbox" / f"{pid}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    since = (datetime.now(UTC) - timedelta(seconds=age)).isoformat()
    written = {"pid": pid, "username": "x", "hostname": host or socket.gethostname(), "timestamp": since}
    path.write_text(json.dumps(written))
    return path


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def ended() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_the_lock_of_a_dead_process_is_removed_and_told(home: Home) -> None:
    said: list[str] = []
    path = lock(home, ended())
    recover.free_lock(home, "sandbox", said.append)
    assert not path.exists()
    assert [line.partition(" (")[0] for line in said] == ["The lock of an update that is dead is removed"]


def test_a_stranger_with_the_id_of_the_dead_does_not_hold_the_stack(home: Home) -> None:
    path = lock(home, os.getpid(), age=7 * 24 * 3600)
    recover.free_lock(home, "sandbox", print)
    assert not path.exists()


def test_another_stacks_lock_is_left_alone(home: Home) -> None:
    path = lock(home, ended())
    recover.free_lock(home, "sand", print)
    assert path.exists()


def test_a_living_update_is_waited_for_and_named(home: Home) -> None:
    said: list[str] = []
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        path, heard = lock(home, process.pid), threading.Event()

        def say(text: str) -> None:
            said.append(text)
            heard.set()

        waiting = threading.Thread(target=recover.free_lock, args=(home, "sandbox", say))
        waiting.start()
        assert heard.wait(30)
        assert path.exists()
        assert waiting.is_alive()
        path.unlink()  # as the engine does at its end
        waiting.join(30)
        assert not waiting.is_alive()
        process.communicate(b"\n")
    (line,) = said
    assert f"process {process.pid}" in line
    assert "waiting" in line


def test_a_lock_from_another_machine_is_no_ones_to_remove(home: Home) -> None:
    path = lock(home, ended(), host="elsewhere")
    with pytest.raises(PlaneError, match=r"x@elsewhere(.|\n)*pulumi cancel"):
        recover.free_lock(home, "sandbox", print)
    assert path.exists()


@pytest.mark.parametrize("text", ["", "[]", '{"pid": "x"}', '{"pid": 1}'])
def test_a_lock_that_says_nothing_has_no_holder(text: str) -> None:
    assert holder(text) is None


# --- files of the engine

ATTRIBUTES = '{"user.content_type":"text/plain; charset=utf-8","md5":"zbh4AuW+vr3LmXr7P3E/rA=="}'


@pytest.fixture
def state(home: Home) -> Path:
    """The state of a stack as the engine keeps it, with its copy of one step before."""
    path = home.backend / ".pulumi" / "stacks" / "sm-realtime" / "sandbox.json"
    path.parent.mkdir(parents=True)
    for name, text in (("sandbox.json", '{"step": 2}'), ("sandbox.json.bak", '{"step": 1}')):
        (path.parent / name).write_text(text)
        (path.parent / f"{name}.attrs").write_text(ATTRIBUTES)
    return path


def beside(state: Path, suffix: str) -> Path:
    return state.with_name(state.name + suffix)


def test_whole_files_are_left_as_they_are(home: Home, state: Path) -> None:
    before = {path.name: path.read_text() for path in state.parent.iterdir()}
    recover.whole_files(home, "sandbox", pytest.fail)
    assert {path.name: path.read_text() for path in state.parent.iterdir()} == before


def test_torn_attributes_go_and_the_state_stays(home: Home, state: Path) -> None:
    beside(state, ".attrs").write_text("")
    recover.whole_files(home, "sandbox", print)
    assert not beside(state, ".attrs").exists()
    assert beside(state, ".bak.attrs").exists()
    assert state.read_text() == '{"step": 2}'


def test_a_torn_state_is_taken_from_the_copy_before_it(home: Home, state: Path) -> None:
    state.write_text('{"st')
    recover.whole_files(home, "sandbox", print)
    assert state.read_text() == '{"step": 1}'
    assert not beside(state, ".attrs").exists(), "they were those of the other text"


def test_a_state_without_a_whole_copy_is_said_to_be_lost(home: Home, state: Path) -> None:
    state.write_text("")
    beside(state, ".bak").write_text("")
    with pytest.raises(PlaneError, match=r"sandbox\.json and(.|\n)*make down"):
        recover.whole_files(home, "sandbox", print)


# --- what is there


async def test_what_a_provider_still_makes_is_waited_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The request of a killed engine arrives after the first look; one that never comes is given up."""
    monkeypatch.setattr(recover, "ON_ITS_WAY_SECONDS", 3.0)
    looks: dict[str, int] = {}

    async def there(_: Home, inputs: Json) -> Found | None:
        name = inputs["given"]
        looks[name] = looks.get(name, 0) + 1
        return FOUND[urn(SET, "redis")] if name == "redis" and looks[name] > 1 else None

    monkeypatch.setattr(recover, "_object", there)
    found = await recover._find(Home(tmp_path), [resource(SET, "redis"), resource(SET, "never"), STACK])
    assert found == {urn(SET, "redis"): FOUND[urn(SET, "redis")]}
    assert looks["redis"] == 2
    assert looks["never"] > 2
