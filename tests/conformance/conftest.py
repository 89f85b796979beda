"""The engine, the provider and the API server of the conformance tests.

By default the provider is the stand-in. With `SM_CONFORMANCE_REAL=1` the engine resolves the real plugin.
`SM_CONFORMANCE_KUBECONFIG` names a throw-away cluster to use in place of one started for the tests.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sandbox.plane.control_plane import ControlPlane
from sandbox.toolchain import Tools
from tests.conformance.harness import Cluster, Engine, free_port
from tests.conftest import bare_control_plane

CHECKOUT = Path(__file__).resolve().parents[2]
PLUGIN = "4.34.2"
START_SECONDS = 30.0


@pytest.fixture(scope="package")
def control_plane(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """One for all tests of this folder."""
    with bare_control_plane(tools, tmp_path_factory.mktemp("plane") / "cluster") as plane:
        yield plane


@pytest.fixture(scope="package")
def cluster(request: pytest.FixtureRequest) -> Cluster:
    given = os.environ.get("SM_CONFORMANCE_KUBECONFIG")
    if given:
        return Cluster(Path(given).read_text())
    return Cluster(request.getfixturevalue("control_plane").admin_kubeconfig())


@pytest.fixture(scope="package")
def engine(tools: Tools, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with pytest.MonkeyPatch.context() as patch:  # the Automation API looks for `pulumi` on this process's PATH
        patch.setenv("PATH", str(tools.bin), prepend=os.pathsep)
        with attached(tmp_path_factory.mktemp("conformance")) as engine, contextlib.closing(engine):
            yield engine


@contextlib.contextmanager
def attached(folder: Path) -> Iterator[Engine]:
    """The engine with the provider under test."""
    environment = {
        "PULUMI_CONFIG_PASSPHRASE": "conformance",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
    }
    if os.environ.get("SM_CONFORMANCE_REAL"):
        require_real_plugin()
        yield Engine(folder, environment)
        return
    port = free_port()
    log = (folder / "provider.log").open("w")
    child = subprocess.Popen(
        [sys.executable, "-m", "sandbox.kubernetes", "--port", str(port)], cwd=CHECKOUT, stderr=log, stdout=log
    )
    try:
        await_listening(child, port)
        yield Engine(folder, environment | {"PULUMI_DEBUG_PROVIDERS": f"kubernetes:{port}"})
    finally:
        child.terminate()
        assert child.wait(10) == 0, (folder / "provider.log").read_text()
        log.close()


def require_real_plugin() -> None:
    if "PULUMI_DEBUG_PROVIDERS" in os.environ:
        pytest.fail(
            "SM_CONFORMANCE_REAL is set, but PULUMI_DEBUG_PROVIDERS makes the engine attach to the stand-in, so this "
            "would not test the plugin. Use a shell without the sandbox's exports:\n"
            "  unset PULUMI_DEBUG_PROVIDERS PULUMI_HOME"
        )
    listed = subprocess.run(
        ["pulumi", "plugin", "ls", "--json"], capture_output=True, text=True, timeout=60, check=True
    )
    found = {(item["name"], item["kind"], item.get("version")) for item in json.loads(listed.stdout)}
    if ("kubernetes", "resource", PLUGIN) not in found:
        pytest.fail(
            f"SM_CONFORMANCE_REAL is set, but pulumi-kubernetes {PLUGIN} is not installed. Install it:\n"
            f"  pulumi plugin install resource kubernetes {PLUGIN}"
        )


def await_listening(child: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        assert child.poll() is None, "the provider ended before it listened"
        if any(c.laddr.port == port for c in psutil.Process(child.pid).net_connections() if c.status == "LISTEN"):
            return
        time.sleep(0.05)
    raise AssertionError(f"the provider did not listen on {port} within {START_SECONDS} s")
