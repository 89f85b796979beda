"""The pure parts of the node stand-in: images, pull credentials, commands, logs, statuses."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.nodes import commands, images, pulls, status
from sandbox.nodes.clock import Backoff, spoken
from sandbox.nodes.commands import Inside
from sandbox.nodes.dependencies import patience
from sandbox.nodes.environment import expand, service_variables
from sandbox.nodes.images import VENDOR, Registry
from sandbox.nodes.logs import Log, Options
from sandbox.nodes.probes import resolve_port
from sandbox.nodes.volumes import files_of
from sandbox.nodes.world import Addresses, sessions

DIGEST = "sha256:" + "0" * 64
RIGHT = hashlib.sha256(b"user:right").hexdigest()


# --- images


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("redis", "docker.io/library/redis:latest"),
        ("redis:7.4", "docker.io/library/redis:7.4"),
        ("nginx/nginx-ingress:5.5.4", "docker.io/nginx/nginx-ingress:5.5.4"),
        ("docker.io/library/redis:7", "docker.io/library/redis:7"),
        (f"redis@{DIGEST}", f"docker.io/library/redis@{DIGEST}"),
        (f"{VENDOR}/worker-proxy:1-2@{DIGEST}", f"{VENDOR}/worker-proxy:1-2@{DIGEST}"),
        ("localhost:5000/redis:7", "localhost:5000/redis:7"),
    ],
)
def test_references(text: str, full: str) -> None:
    found = images.parse(text)
    assert found is not None
    assert found.full == full


@pytest.mark.parametrize(
    "text", ["", "Redis:7", "redis:", "redis:7@sha256:12", "redis:a b", ":7", f"redis:{'x' * 129}"]
)
def test_what_is_no_reference(text: str) -> None:
    assert images.parse(text) is None


def test_known_images() -> None:
    assert images.of(f"{VENDOR}/rt-asr-transcriber-en:13.5.0") is not None
    assert images.of(f"{VENDOR}/rt-asr-transcriber-cmn_en:13.5.0") is not None
    for unknown in ("rt-asr-transcriber-xx:13.5.0", "rt-asr-transcriber-en", "rt-asr-transcriber:13.5.0", "redis:7"):
        assert images.of(f"{VENDOR}/{unknown}") is None, unknown


@pytest.mark.parametrize("setting", ["mirror.example", "other.example,mirror.example", f"mirror.example={RIGHT}"])
def test_a_mirror_has_copies_of_known_images_alone(setting: str) -> None:
    there = {**images.REGISTRIES, **images.mirrors(setting)}
    accounts = [secret({"mirror.example": auth("user:right")})]
    copy = pulls.check("mirror.example/speech/rt-asr-transcriber-en:13.5.0", accounts, there)
    assert images.find(copy) is images.of(f"{VENDOR}/rt-asr-transcriber-en:13.5.0")
    assert pulls.check("mirror.example/worker-proxy:1.34.6", accounts, there).original == f"{VENDOR}/worker-proxy"
    for unknown in ("rt-asr-transcriber-xx:13.5.0", "worker-proxy", "strangers/worker:1"):
        with pytest.raises(pulls.PullError, match="not found"):
            pulls.check(f"mirror.example/{unknown}", accounts, there)


def test_a_mirror_that_no_setting_names_or_whose_password_is_another_gives_nothing() -> None:
    image, account = "mirror.example/worker-proxy:1.34.6", secret({"mirror.example": auth("user:wrong")})
    with pytest.raises(pulls.PullError, match="no such host"):
        pulls.check(image, [account])
    with pytest.raises(pulls.PullError, match="401 Unauthorized"):
        pulls.check(image, [account], images.mirrors(f"mirror.example={RIGHT}"))


@pytest.mark.parametrize(
    ("image", "container", "variables", "port"),
    [
        ("vllm/vllm-openai:v0.7.3", {"args": ["--port=8002", "--host=x"]}, {}, 8002),
        (f"{VENDOR}/inference-sidecar:1", {}, {"SM_METRICS_PORT": "8018"}, 8018),
        (f"{VENDOR}/readiness-tracker:1", {}, {"READINESS_TRACKER_HEALTH_CHECK_PORT": "8012"}, 8012),
        ("vllm/vllm-openai:v0.7.3", {"args": ["--port", "8002"]}, {}, 8002),
        ("redis:7", {"command": ["sh", "/scripts/start-sentinel.sh"]}, {}, 26379),
        ("redis:7", {"command": ["redis-sentinel", "/conf"]}, {}, 26379),
        ("redis:7", {"command": ["redis-server", "/conf"], "args": ["--sentinel"]}, {}, 26379),
        ("redis:7", {"command": ["redis-server"], "args": ["--replicaof", "sentinel-master-0", "6379"]}, {}, 6379),
        ("redis:7", {"args": ["--save", "", "--port", "6380"]}, {}, 6380),
        (f"{VENDOR}/llm-proxy:1", {"ports": [{"containerPort": 8090}]}, {}, 8080),
    ],
)
def test_what_moves_the_port_of_a_process(
    image: str, container: dict[str, Any], variables: dict[str, str], port: int
) -> None:
    known = images.of(image)
    assert known is not None
    moved = images.listening(known, container, variables)
    assert moved.keys() - known.ports.keys() == {port} - known.ports.keys()
    assert len(moved) == len(known.ports)
    assert port in moved


@pytest.mark.parametrize(
    ("image", "port", "paths"),
    [
        (f"{VENDOR}/flow-service:0.27.4-1305499", 3001, ("/api/health", "/api/ready", "/api/active_sessions")),
        (f"{VENDOR}/sm-tts-inference-server:1.1.0", 8000, ()),
        (f"{VENDOR}/llm-proxy:1.34.6-1307912", 8080, ()),
        ("vllm/vllm-openai:v0.7.3", 8000, ("/health", "/metrics")),
    ],
)
def test_where_flow_listens(image: str, port: int, paths: tuple[str, ...]) -> None:
    """Contract: flow 2.2, 2.3, 3.1, 4.2, 5.1."""
    found = images.of(image)
    assert found is not None
    assert found.ports[port] == paths


def test_a_process_that_is_given_no_number_for_its_port_listens_nowhere() -> None:
    known = images.of(f"{VENDOR}/inference-sidecar:1")
    assert known is not None
    assert 8008 not in images.listening(known, {}, {"SM_METRICS_PORT": "abc"})


def test_there_is_a_transcriber_for_each_of_the_contracts_languages() -> None:
    assert len(images.LANGUAGES - {"es-bilingual-en"}) == 58


@pytest.mark.parametrize(
    ("repository", "asked", "seconds"),
    [
        ("resource-manager-metrics", None, 10),
        ("resource-manager-reconciliation", None, 10),
        ("resource-manager-metrics", "10m", 600),
        ("resource-manager-reconciliation", "1m30s", 90),
        ("resource-manager-reconciliation", "soon", 10),
        ("resource-manager", None, None),
        ("resource-manager", "10m", 600),
        ("readiness-tracker", "10m", None),
    ],
)
def test_how_long_a_process_waits_for_redis(repository: str, asked: str | None, seconds: float | None) -> None:
    image = images.of(f"{VENDOR}/{repository}:1.34.6-1307912")
    assert image is not None
    assert patience(image, {"REDIS_SETUP_TIMEOUT_DURATION": asked} if asked else {}) == seconds


def test_the_shorter_of_two_waits_for_redis_counts() -> None:
    image = images.of(f"{VENDOR}/resource-manager:1.34.6-1307912")
    assert image is not None
    own, given = {"SM_RESOURCE_MANAGER_CONN_TIMEOUT_SECS": "900"}, {"REDIS_SETUP_TIMEOUT_DURATION": "10m"}
    assert patience(image, own) == 900
    assert patience(image, own | given) == 600
    assert patience(image, given | {"SM_RESOURCE_MANAGER_CONN_TIMEOUT_SECS": "30"}) == 30


def test_the_printed_table_has_every_image() -> None:
    rows = images.table()
    assert {name for name, _, _ in rows} == set(images.IMAGES)
    assert all(start > 0 and stop > 0 for _, start, stop in rows)


# --- pull credentials

ACCEPTED = {VENDOR: Registry(RIGHT)}
IMAGE = f"{VENDOR}/worker-proxy:1"


def secret(auths: Any, kind: str = "kubernetes.io/dockerconfigjson") -> dict[str, Any]:
    key = ".dockerconfigjson" if kind.endswith("json") else ".dockercfg"
    content = {"auths": auths} if kind.endswith("json") else auths
    return {"type": kind, "data": {key: base64.b64encode(json.dumps(content).encode()).decode()}}


def auth(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    "given_secret",
    [
        secret({VENDOR: auth("user:right")}),
        secret({f"https://{VENDOR}": auth("user:right")}),
        secret({f"https://{VENDOR}/v2/": auth("user:right")}),
        secret({"*.azurecr.io": auth("user:right")}),
        secret({f"{VENDOR}/worker-proxy": auth("user:right")}),
        secret({VENDOR: {"username": "user", "password": "right"}}),
        secret({VENDOR: auth("user:right")}, "kubernetes.io/dockercfg"),
        secret({"registry.example": auth("other:one"), VENDOR: auth("user:right")}),
    ],
)
def test_credentials_that_work(given_secret: dict[str, Any]) -> None:
    assert pulls.check(IMAGE, [given_secret], ACCEPTED).repository == "worker-proxy"


@pytest.mark.parametrize(
    "given_secret",
    [
        secret({VENDOR: auth("user:wrong")}),
        secret({VENDOR: auth("right")}),
        secret({"azurecr.io": auth("user:right")}),
        secret({f"{VENDOR}/other": auth("user:right")}),
        {**secret({VENDOR: auth("user:right")}), "type": "Opaque"},
        {"type": "kubernetes.io/dockerconfigjson", "data": {".dockerconfigjson": "bm8ganNvbg=="}},
        {"type": "kubernetes.io/dockerconfigjson", "data": {}},
        secret([VENDOR]),
    ],
)
def test_credentials_that_do_not(given_secret: dict[str, Any]) -> None:
    with pytest.raises(pulls.PullError, match="401 Unauthorized"):
        pulls.check(IMAGE, [given_secret], ACCEPTED)


def test_the_hub_needs_no_credentials_and_bears_wrong_ones() -> None:
    hub = secret({"https://index.docker.io/v1/": auth("user:wrong")})
    registries = {"docker.io": Registry()}
    assert pulls.check("redis:7", [], registries).name == "docker.io/library/redis"
    assert pulls.check("redis:7", [hub], registries).name == "docker.io/library/redis"


# --- commands

INSIDE = Inside(
    env={"A": "1", "B": "two words"},
    hostname="pod",
    address="10.244.3.7",
    files={"/etc/config/languages": b"en\n", "/license.json": b"{}"},
    folders=frozenset({"/etc/config", "/data"}),
    programs=frozenset({"redis-cli", "grep", "bash", "netstat"}),
    listening=(6379,),
    connections=((6379, 2),),
    redis=True,
)


@pytest.mark.parametrize(
    ("command", "code", "out"),
    [
        (["env"], 0, "A=1\nB=two words\n"),
        (["printenv", "A"], 0, "1\n"),
        (["printenv", "C"], 1, ""),
        (["/usr/bin/env"], 0, "A=1\nB=two words\n"),
        (["hostname"], 0, "pod\n"),
        (["cat", "/license.json"], 0, "{}"),
        (["ls", "/"], 0, "data\netc\nlicense.json\n"),
        (["ls", "/data"], 0, ""),
        (["ls", "-1", "/etc"], 0, "config\n"),
        (["sh", "-c", "cat /etc/config/languages | grep -c en"], 0, "1\n"),
        (["sh", "-c", "redis-cli -h 127.0.0.1 -p 6379 ping | grep -qE 'PONG|LOADING|MASTERDOWN'"], 0, ""),
        (["sh", "-c", "redis-cli ping | grep -q NOPE"], 1, ""),
        (["/bin/bash", "-c", "echo 'a | b'"], 0, "a | b\n"),
    ],
)
def test_commands(command: list[str], code: int, out: str) -> None:
    done = commands.run(command, INSIDE)
    assert (done.code, done.out.decode()) == (code, out)


@pytest.mark.parametrize(
    "command",
    [
        ["touch", "/x"],
        ["ls", "-la", "/"],
        ["redis-cli", "FLUSHALL"],
        ["env", "A=2", "sh"],
        ["sh", "-c", "true; true"],
        ["sh", "-c", "true && true"],
        ["sh", "-c", "echo $A"],
        ["sh", "-c", "echo `hostname`"],
        ["sh", "-c", "echo x > /x"],
        ["sh", "-c", "true\ntouch /x"],
        ["sh", "-c", "| true"],
        ["sh", "script"],
        ["netstat", "-x"],
        ["python3", "-c", "1"],
        [],
    ],
)
def test_what_is_not_simulated_is_refused(command: list[str]) -> None:
    done = commands.run(command, INSIDE)
    assert done.code in (commands.NOT_SIMULATED, commands.NOT_FOUND)
    assert not done.out
    assert done.error


def test_programs_are_those_of_the_image() -> None:
    bare = replace(INSIDE, programs=frozenset())
    for command in (["redis-cli", "ping"], ["netstat", "-tan"], ["bash", "-c", "true"]):
        assert commands.run(command, bare).code == commands.NOT_FOUND


def test_netstat_shows_listeners_and_connections() -> None:
    lines = commands.run(["netstat", "-tan"], INSIDE).out.decode().splitlines()[2:]
    assert [line.split()[-1] for line in lines] == ["LISTEN", "ESTABLISHED", "ESTABLISHED"]
    assert all(":6379 " in line for line in lines)
    established = commands.run(["netstat", "-tn"], INSIDE).out.decode()
    assert "LISTEN" not in established
    assert established.count("ESTABLISHED") == 2


def test_the_kernels_table() -> None:
    rows = [line.split() for line in commands.proc_net_tcp(INSIDE).decode().splitlines()]
    assert rows[1][1:4] == ["00000000:18EB", "00000000:0000", "0A"]
    assert [row[1] for row in rows[2:]] == ["0703F40A:18EB"] * 2
    assert len({row[2] for row in rows[2:]}) == 2, "each client has a port of its own"


@given(st.lists(st.text(), max_size=4))
def test_no_command_fails_the_stand_in(command: list[str]) -> None:
    assert isinstance(commands.run(command, INSIDE).code, int)


@given(st.text())
def test_no_script_fails_the_stand_in(script: str) -> None:
    assert isinstance(commands.run(["sh", "-c", script], INSIDE).code, int)


# --- environment, mounts, probes, logs, clocks


def test_expansion() -> None:
    assert expand("http://$(HOST):$(PORT)/$$(HOST)$(", {"HOST": "h"}) == "http://h:$(PORT)/$(HOST)$("


def test_services_are_in_the_environment() -> None:
    def service(namespace: str, name: str, address: str) -> dict[str, Any]:
        port = {"port": 6379, "protocol": "TCP", "name": "tcp-redis"}
        return {"metadata": {"namespace": namespace, "name": name}, "spec": {"clusterIP": address, "ports": [port]}}

    found = service_variables(
        [service("n", "my-redis", "10.0.0.5"), service("n", "headless", "None"), service("o", "other", "10.0.0.6"),
         service("default", "kubernetes", "10.0.0.1")], "n", links=True,
    )  # fmt: skip
    assert found["MY_REDIS_SERVICE_HOST"] == "10.0.0.5"
    assert found["MY_REDIS_SERVICE_PORT_TCP_REDIS"] == "6379"
    assert found["KUBERNETES_SERVICE_HOST"] == "10.0.0.1"
    assert not any(name.startswith(("HEADLESS", "OTHER")) for name in found)
    assert set(service_variables([service("n", "my-redis", "10.0.0.5")], "n", links=False)) == set()


def test_a_sub_path_that_is_missing_becomes_a_folder() -> None:
    volumes = {"license": {"license.json": b"{}"}}

    def mounted(sub_path: str) -> tuple[dict[str, bytes], set[str]]:
        mount = {"name": "license", "mountPath": "/license.json", "subPath": sub_path}
        return files_of({"volumeMounts": [mount]}, volumes)

    assert mounted("license.json") == ({"/license.json": b"{}"}, set())
    assert mounted("licence.json") == ({}, {"/license.json"})


@pytest.mark.parametrize(("port", "number"), [(8001, 8001), ("health-port", 8001), ("8002", 8002)])
def test_ports_of_probes(port: int | str, number: int) -> None:
    assert resolve_port(port, {"ports": [{"name": "health-port", "containerPort": 8001}]}) == number


def test_log_options() -> None:
    log = Log()
    log.begin()
    for text in ("one", "two", "three"):
        log.say(text)
    assert log.current is not None
    lines = list(log.current.lines)
    assert [text for _, text in Options(tail=2).wanted(lines)] == ["two", "three"]
    assert Options(tail=0).wanted(lines) == []
    assert len(Options(tail=9).wanted(lines)) == 3
    assert Options(since=lines[-1][0] + 1).wanted(lines) == []
    assert Options.of({"tailLines": "3", "follow": "true"}) == Options(tail=3, follow=True)
    with pytest.raises(ValueError, match="invalid literal"):
        Options.of({"tailLines": "many"})


def test_back_offs_grow_to_their_longest() -> None:
    backoff = Backoff(10, 300)
    assert [backoff.next() for _ in range(7)] == [10, 20, 40, 80, 160, 300, 300]
    backoff.reset()
    assert backoff.next() == 10
    assert [spoken(seconds) for seconds in (0.5, 10, 160, 300)] == ["0.5s", "10s", "2m40s", "5m0s"]


def test_addresses_are_given_once_and_again_when_free() -> None:
    addresses = Addresses()
    addresses.hold("a", "old", "10.244.5.2")
    assert addresses.take("a", "old") == "10.244.5.2"
    assert addresses.take("a", "new") == "10.244.5.3"
    assert addresses.take("b", "other") == "10.244.0.2"
    addresses.free("old")
    assert addresses.take("a", "third") == "10.244.5.2"
    addresses.forget("a")
    assert addresses.take("c", "fourth") == "10.244.1.2"
    for uid in ("third", "new"):
        addresses.free(uid)


@pytest.mark.parametrize(("text", "count"), [("3", 3), ("", 0), ("-1", 0), ("many", 1)])
def test_sessions_of_a_pod(text: str, count: int) -> None:
    assert sessions({"metadata": {"annotations": {"sandbox.sm-realtime/sessions": text}}}) == count


# --- status


def entry(name: str, state: dict[str, Any], last: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return {"name": name, "state": state, "lastState": last or {}, "ready": False, "started": False, **more}


RUNNING: dict[str, Any] = {"running": {}}
WAITING: dict[str, Any] = {"waiting": {"reason": "X"}}


def ended(code: int) -> dict[str, Any]:
    return {"terminated": {"exitCode": code}}


@pytest.mark.parametrize(
    ("policy", "states", "over", "phase"),
    [
        ("Always", [WAITING, RUNNING], False, "Pending"),
        ("Always", [RUNNING, RUNNING], False, "Running"),
        ("Always", [ended(1), ended(1)], False, "Running"),
        ("Never", [ended(0), ended(0)], False, "Succeeded"),
        ("Never", [ended(0), ended(1)], False, "Failed"),
        ("OnFailure", [ended(0), ended(1)], False, "Running"),
        ("Never", [ended(0), RUNNING], False, "Running"),
        ("Always", [ended(0), ended(0)], True, "Succeeded"),
        ("Always", [ended(143), ended(0)], True, "Failed"),
        ("Always", [WAITING, WAITING], True, "Failed"),
    ],
)
def test_phases(policy: str, states: list[dict[str, Any]], over: bool, phase: str) -> None:
    containers = [entry(f"c{i}", state) for i, state in enumerate(states)]
    pod = {"metadata": {}, "spec": {"restartPolicy": policy, "containers": []}}
    seen = status.Seen(pod, [], containers, "10.244.0.2", "10.224.0.4", True, "", over)
    assert status.phase(seen) == phase


def test_a_crashed_container_does_not_bring_its_pod_back_to_pending() -> None:
    pod: dict[str, Any] = {"metadata": {}, "spec": {"containers": []}}
    crashed = entry("c", WAITING, ended(1))
    assert status.phase(status.Seen(pod, [], [crashed], "10.244.0.2", "", True, "")) == "Running"


# --- the command


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    arguments = ["--kubeconfig", str(tmp_path / "none"), "--socket", str(tmp_path / "s"), "--kubelet-port", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "sandbox.nodes", *arguments, "--home", str(tmp_path)],
        capture_output=True, text=True, timeout=60, check=False, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 2
    assert "cannot be read" in done.stderr
    assert "python -m sandbox status" in done.stderr
    assert "Traceback" not in done.stderr
