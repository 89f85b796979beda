"""What `make up` does after an update was killed: it says what was cut off, takes over what exists, and goes on.

One plane; the tests run from top to bottom, each killing what the next one has to mend. Clocks of the stand-ins run
slowly until the last of them, so that the moment to kill at cannot be missed.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psutil
import pytest

from sandbox.azure.catalogue import MANAGED_CLUSTER
from sandbox.home import Home
from sandbox.plane.record import Record
from tests.live.conftest import Json, Platform, copied_checkout, plain_environment, shell_exports, take_down

WITHIN = 300.0
"""Seconds until the moment to kill at must have come."""


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A plane that runs and has nothing on it yet."""
    checkout = copied_checkout(tmp_path_factory.mktemp("killed"))
    bare = Platform(checkout, plain_environment(), "")
    try:
        bare.sandbox("start")
        bare.sandbox("set", "timeFactor", "0.2")
        yield Platform(checkout, shell_exports(bare.run("make", "--silent", "env")), "")
    finally:
        take_down(bare)


class Up:
    """A `make up` under way."""

    def __init__(self, plane: Platform) -> None:
        self._process = subprocess.Popen(
            ["make", "up"],
            cwd=plane.checkout,
            env=plain_environment(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for a moment of the update. Fails when the update ends before it comes."""
        deadline = time.monotonic() + WITHIN
        while not condition():
            assert self._process.poll() is None, f"it ended too early:\n{self.said()}"
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def updates(self) -> bool:
        """Whether the engine runs: the plane is up then, and what an earlier crash left is undone."""
        return self._updating() is not None

    def _updating(self) -> psutil.Process | None:
        below = psutil.Process(self._process.pid).children(recursive=True)
        for each in below:
            with suppress(psutil.NoSuchProcess):  # an earlier command of the engine that has just ended
                if each.name() == "pulumi" and "up" in each.cmdline():
                    return each
        return None

    def kill_engine(self) -> None:
        engine = self._updating()
        assert engine is not None
        engine.kill()

    def end(self) -> None:
        """However the test has gone."""
        if self._process.returncode is None:
            make = psutil.Process(self._process.pid)
            for each in (*make.children(recursive=True), make):
                with suppress(psutil.NoSuchProcess):  # it went with its parent
                    each.kill()
            self._process.communicate()

    def said(self) -> str:
        """All that it printed, once it has ended."""
        out, _ = self._process.communicate(timeout=900)
        assert "Traceback" not in out, out
        return out

    @property
    def failed(self) -> bool:
        return bool(self._process.returncode)


@contextmanager
def up(plane: Platform) -> Iterator[Up]:
    running = Up(plane)
    try:
        yield running
    finally:
        running.end()


def clusters(plane: Platform) -> list[str]:
    """The provisioning states of the managed clusters."""
    path = Home(plane.checkout / ".sandbox").azure
    resources: list[Json] = json.loads(path.read_text())["resources"] if path.exists() else []
    return [each["state"]["provisioningState"] for each in resources if each["token"] == MANAGED_CLUSTER.token]


def unready_redis(plane: Platform) -> bool:
    found = subprocess.run(
        ["kubectl", "get", "statefulsets", "-A", "-o", "jsonpath={.items[*].status.replicas}"],
        env=plane.environment, text=True, capture_output=True, check=False,
    )  # fmt: skip
    return bool(found.stdout.strip())


def begun(plane: Platform) -> list[str]:
    """What the killed engine has noted as under way; it may have torn a file that its own export needs."""
    (path,) = Home(plane.checkout / ".sandbox").backend.rglob("stacks/*/sandbox.json")
    latest: Json = json.loads(path.read_text())["checkpoint"]["latest"]
    return [each["resource"]["urn"] for each in latest["pending_operations"]]


def test_the_plane_is_killed_while_a_cluster_is_created(plane: Platform) -> None:
    with up(plane) as first:
        first.until(lambda: clusters(plane) == ["Creating"])
        supervisor = Record(Home(plane.checkout / ".sandbox").plane).supervisor
        assert supervisor is not None
        psutil.Process(supervisor.pid).kill()
        said = first.said()
        assert first.failed
        assert "`make up` goes on from here" in said


def test_the_engine_is_killed_while_a_cluster_is_created(plane: Platform) -> None:
    with up(plane) as second:
        second.until(lambda: second.updates() and clusters(plane) == ["Creating"])
        second.kill_engine()
        second.said()
        assert second.failed
    assert [urn.rsplit("::", 1)[1] for urn in begun(plane)] == ["cluster-aks"]


def test_the_engine_is_killed_while_a_workload_is_created(plane: Platform) -> None:
    with up(plane) as third:
        third.until(lambda: third.updates() and unready_redis(plane))
        third.kill_engine()
        said = third.said()
        assert third.failed
    assert "ManagedCluster cluster-aks: it exists, and is taken over" in said
    assert any(urn.rsplit("::", 2)[1].endswith("apps/v1:StatefulSet") for urn in begun(plane))


def test_two_at_once_mend_it_one_after_the_other_and_nothing_is_left_to_do(plane: Platform) -> None:
    plane.sandbox("set", "timeFactor", "1")
    with up(plane) as one, up(plane) as other:
        texts = sorted([one.said(), other.said()], key=lambda text: "Another `make up`" in text)
        assert not one.failed, texts
        assert not other.failed, texts
    assert "StatefulSet" in texts[0]
    assert "it exists, and is taken over" in texts[0]
    assert "Another `make up` runs on this plane; waiting for it" in texts[1]
    assert "Nothing changed" in texts[1]
    assert plane.pending() == []
    plane.pulumi("preview", "--expect-no-changes")
    plane.pulumi("preview", "--expect-no-changes", "--refresh")


def test_an_object_taken_over_is_still_its_makers(plane: Platform) -> None:
    """Applied under another name than the one it was made with, each of its fields would be a conflict later."""
    for resource in plane.state()["resources"]:
        if resource["type"].endswith("apps/v1:StatefulSet"):
            meta = resource["outputs"]["metadata"]
            (live,) = [each for each in plane.objects("statefulsets", "--show-managed-fields")
                       if each["metadata"]["name"] == meta["name"]]  # fmt: skip
            managers = {entry["manager"] for entry in live["metadata"]["managedFields"]}
            assert resource["outputs"]["__fieldManager"] in managers
