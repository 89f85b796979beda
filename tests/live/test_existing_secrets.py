"""Secrets that somebody else makes, on a plane of its own: refused while they are not there, then taken as they are."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from components.cluster.certificate import hosts_of
from stacks.schema.proxy_secrets import PROXY_SECRET_KEYS
from tests.live.conftest import Json, Platform, started
from tests.yaml_file import read_yaml

LICENSE, LOGIN = "speechmatics-license", "speechmatics-registry"
BYTES = "the-bytes-of-a-secret"
SECONDS = 30.0
"""A refused update takes less once the cluster stands: three times what a whole run of the program took on a machine
with three times as much to do as it has cores, 6 to 10 s. One that waited for pods would take 10 minutes."""


def by_hand(config: Json) -> None:
    """The smallest platform whose Secrets are not made here: no transcriber, no inference server."""
    config["sm-realtime:global"] = {"licensing": {"createSecret": False}}
    del config["sm-realtime:pullSecret"], config["sm-realtime:licenseJson"], config["sm-realtime:registryPassword"]
    config["sm-realtime:transcribers"] = {"enabled": False}
    config["sm-realtime:inferenceServerEnhancedRecipe1"] = {"enabled": False}


@pytest.fixture(scope="module")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """A started plane with nothing on it."""
    with started(tmp_path_factory.mktemp("secrets")) as plane:
        yield plane


@pytest.fixture(scope="module")
def password(plane: Platform) -> str:
    """The one the registry takes, which the stack file of the sandbox holds encrypted."""
    return plane.pulumi("config", "get", "registryPassword").strip()


@pytest.fixture(scope="module")
def small(plane: Platform, password: str) -> Platform:
    """The plane with the stack file changed."""
    assert password
    plane.configure(by_hand)
    return plane


def refused(small: Platform, *command: str) -> str:
    """What a refused command tells: one error, and nothing of Python's."""
    said = small.pulumi(*command, fails=True)
    told = said[said.index("Diagnostics:") :]  # above it the engine shows what is under way, the first line among it
    assert told.count("error:") == 1, said
    assert re.search(r"error: (A Secret|\d+ Secrets) must be made first;", told), said
    assert "unhandled" not in said
    return told


def contents(small: Platform) -> dict[str, Json]:
    """Data of the Secrets that the program made once, by name."""
    secrets = {s["metadata"]["name"]: s["data"] for s in small.objects("secrets")}
    return {name: data for name, data in secrets.items() if name.endswith("-made-here")}


def held_in_clear(small: Platform) -> set[str]:
    """What of the Secrets made by the program nobody may see, as it is written in them: certificates aside."""
    made = [s for s in small.objects("secrets") if s["metadata"]["name"].endswith(("-made-here", "nginx-default-tls"))]
    return {value for s in made for key, value in s["data"].items() if key != "tls.crt"}


def registered(small: Platform) -> set[str]:
    """Kinds of every object in the state that lives in the cluster."""
    resources = [r for r in small.state().get("resources", []) if r["type"].startswith("kubernetes:")]
    return {r["type"].rpartition(":")[2] for r in resources}


def secrets_in_the_state(small: Platform) -> set[str]:
    """Names of the Secrets that are the program's."""
    resources = [r for r in small.state()["resources"] if r["type"] == "kubernetes:core/v1:Secret"]
    return {r["inputs"]["metadata"]["name"] for r in resources}


def logs(small: Platform) -> str:
    """Every log of the plane: Azure's, the API server's, the nodes', the provider's."""
    files = sorted((small.checkout / ".sandbox").rglob("*.log"))
    assert any(file.name == "kubernetes.log" for file in files), files
    return "\n".join(file.read_text(errors="replace") for file in files)


def test_a_preview_before_the_first_update_looks_up_nothing(small: Platform) -> None:
    assert "made first" not in small.pulumi("preview")


def test_the_first_update_makes_the_namespace_and_stops_with_every_command(small: Platform) -> None:
    said = refused(small, "up", "--yes", "--skip-preview")
    (namespace,) = (n for n in small.objects("namespaces") if n["metadata"]["name"] == "speechmatics")
    made = datetime.fromisoformat(namespace["metadata"]["creationTimestamp"])
    assert (datetime.now(UTC) - made).total_seconds() < SECONDS
    assert "2 Secrets must be made first" in said
    assert f"kubectl create secret generic {LICENSE} --namespace speechmatics --from-file=license.json" in said
    assert f"kubectl create secret docker-registry {LOGIN} --namespace speechmatics" in said
    assert "Namespace" in registered(small)
    assert not {"DaemonSet", "Deployment", "StatefulSet", "SessionGroup"} & registered(small)
    assert small.pending() == []


def test_again_it_stops_within_seconds_and_a_preview_says_the_same(small: Platform) -> None:
    started = time.monotonic()
    refused(small, "up", "--yes", "--skip-preview")
    assert time.monotonic() - started < SECONDS
    refused(small, "preview")
    assert small.pending() == []


def test_one_of_the_wrong_kind_is_found(small: Platform) -> None:
    small.kubectl("create", "secret", "generic", LICENSE, "-n", "speechmatics", f"--from-literal=license={BYTES}")
    small.kubectl(
        "create", "secret", "generic", LOGIN, "-n", "speechmatics", f"--from-literal=.dockerconfigjson={BYTES}"
    )
    said = refused(small, "preview")
    assert "global.licensing.secretName  [secret-without-key]" in said
    assert "global.imagePullSecrets[0].name  [secret-of-wrong-type]" in said
    assert f"kubectl delete secret {LOGIN} --namespace speechmatics && kubectl create secret docker-registry" in said
    assert BYTES not in said
    small.kubectl("delete", "secret", LICENSE, LOGIN, "-n", "speechmatics")


def test_with_the_secrets_made_the_next_update_goes_on(small: Platform, password: str) -> None:
    small.kubectl("create", "secret", "generic", LICENSE, "-n", "speechmatics", f"--from-literal=license.json={BYTES}")
    login = (
        "--docker-server=speechmaticspublic.azurecr.io",
        "--docker-username=sandbox",
        f"--docker-password={password}",
    )
    small.kubectl("create", "secret", "docker-registry", LOGIN, "-n", "speechmatics", *login)
    said = small.pulumi("up", "--yes", "--skip-preview")
    assert {"Deployment", "StatefulSet", "ConfigMap"} <= registered(small)
    for text in (said, json.dumps(small.state())):
        assert BYTES not in text
        assert password not in text
    assert small.pending() == []
    small.pulumi("preview", "--expect-no-changes")


def test_the_bytes_of_a_secret_made_here_are_in_no_output(small: Platform, password: str) -> None:
    """Every way a preview can be shown, and the update that makes the Secrets."""

    def make_here(config: Json) -> None:
        config["sm-realtime:global"] = {
            "licensing": {"createSecret": True, "secretName": "license-made-here"},
            "imagePullSecrets": [{"name": "login-made-here"}],
        }
        config["sm-realtime:pullSecret"] = {"createSecret": True, "username": "sandbox"}

    small.configure(make_here)
    small.keep_secrets({"licenseJson": json.dumps({"id": BYTES}), "registryPassword": password})
    file = small.checkout / "stacks" / "Pulumi.sandbox.yaml"
    assert set(read_yaml(file)["config"]["sm-realtime:licenseJson"]) == {"secure"}
    assert BYTES not in file.read_text()
    shown = [small.pulumi("preview", *how) for how in ((), ("--json",), ("--diff", "--show-sames"))]
    shown.append(small.pulumi("up", "--yes", "--skip-preview", "--diff"))
    held = held_in_clear(small)
    assert len(held) == 3
    for text in (*shown, json.dumps(small.state()), logs(small)):
        for value in (BYTES, password, *held):
            assert value not in text


def test_a_secret_handed_over_under_its_own_name_is_not_deleted(small: Platform) -> None:
    """`createSecret` off with the same name: out of the program and its state, still in the cluster, same contents."""
    before = contents(small)

    def hand_over(config: Json) -> None:
        config["sm-realtime:global"]["licensing"]["createSecret"] = False
        config["sm-realtime:pullSecret"]["createSecret"] = False
        del config["sm-realtime:licenseJson"], config["sm-realtime:registryPassword"]

    small.configure(hand_over)
    small.pulumi("up", "--yes", "--skip-preview")
    assert contents(small) == before
    assert secrets_in_the_state(small) == {"nginx-default-tls"}
    assert small.pending() == []
    small.pulumi("preview", "--expect-no-changes")


def test_and_is_taken_back_once_it_is_out_of_the_way(small: Platform, password: str) -> None:
    """The provider overwrites nothing that it did not make: the update stops, and deletes nothing."""

    def take_back(config: Json) -> None:
        config["sm-realtime:global"]["licensing"]["createSecret"] = True
        config["sm-realtime:pullSecret"]["createSecret"] = True

    small.configure(take_back)
    small.keep_secrets({"licenseJson": json.dumps({"id": f"{BYTES}-renewed"}), "registryPassword": password})
    before = contents(small)
    said = small.pulumi("up", "--yes", "--skip-preview", fails=True)
    # both are made at once, and the engine begins nothing more after the first refusal
    assert re.search(r'secrets "(license|login)-made-here" already exists', said), said
    assert contents(small) == before
    assert small.pending() == []
    small.kubectl("delete", "secret", *before, "-n", "speechmatics")
    small.pulumi("up", "--yes", "--skip-preview")
    text = base64.b64decode(contents(small)["license-made-here"]["license.json"]).decode()
    assert json.loads(text) == {"id": f"{BYTES}-renewed"}
    small.pulumi("preview", "--expect-no-changes")


def test_another_host_renews_the_certificate_in_place(small: Platform) -> None:
    def certificate() -> tuple[str, frozenset[str]]:
        (secret,) = (s for s in small.objects("secrets") if s["metadata"]["name"] == "nginx-default-tls")
        text = base64.b64decode(secret["data"]["tls.crt"]).decode()
        return secret["metadata"]["uid"], hosts_of(text)

    def moved(config: Json) -> None:
        config["sm-realtime:proxy"] = {"ingress": {"url": "moved.example.org"}}

    uid, hosts = certificate()
    assert hosts == {"speechmatics.example.com"}
    pods = {pod["metadata"]["uid"] for pod in small.objects("pods")}
    small.configure(moved)
    before = held_in_clear(small)
    done, said = small.update("--diff")
    steps = {urn.rpartition("::")[2]: op for urn, op in done.items()}
    assert steps.pop("ingress-controller-certificate") == "update"
    assert steps.pop("proxy-ingress-ingress") == "update"
    assert set(steps.values()) <= {"update"}, steps
    assert certificate() == (uid, frozenset({"moved.example.org"}))
    (renewed,) = held_in_clear(small) - before
    for text in (said, json.dumps(small.state()), logs(small)):
        assert renewed not in text
    assert {pod["metadata"]["uid"] for pod in small.objects("pods")} == pods
    small.pulumi("preview", "--expect-no-changes")


def test_everything_the_proxy_reads_from_secrets_stands(small: Platform) -> None:
    """Made from flat keys, and its pods and the cache's are Ready: the node refuses a variable without its key."""

    def everything(config: Json) -> None:
        config["sm-realtime:proxy"] = {
            "events": {"enabled": True},
            "storage": {"enabled": True},
            "livekit": {"enabled": True},
            "database": {"createSecret": True},
            "agentAPI": {"useLocal": False, "useRemote": True, "remoteURL": "https://agents.example.org"},
            "proxyCache": {"enabled": True},
            "proxy": {
                "customDict": {"enabled": True, "data": {"words.txt": "gnocchi"}},
                "config": {"customDictionaryCapture": {"enabled": True}, "quotaCaching": {"enabled": True}},
            },
        }

    keys = [key for key in PROXY_SECRET_KEYS if key != "proxyRedisConnString"]
    small.keep_secrets({key: f"{BYTES}-{key}" for key in keys})
    small.configure(everything)
    small.pulumi("up", "--yes", "--skip-preview")
    held = [s for s in small.objects("secrets") if s["metadata"]["name"].startswith("proxy-")]
    found = {base64.b64decode(value).decode() for secret in held for value in secret["data"].values()}
    assert found == {f"{BYTES}-{key}" for key in keys}
    assert BYTES not in json.dumps(small.state())
    ready = {d["metadata"]["name"]: d["status"].get("readyReplicas") for d in small.objects("deployments")}
    assert (ready["proxy-a"], ready["proxy-cache"]) == (1, 1)
    assert small.pending() == []
    small.pulumi("preview", "--expect-no-changes")
