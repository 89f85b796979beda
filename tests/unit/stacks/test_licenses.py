"""Which license Secret each component reads, which are made here, and that another license rolls what reads it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from components.cluster.license import LICENSE_ANNOTATION
from stacks.licenses import created, existing, fetched, made
from stacks.secrets import expiry_warning
from tests.unit.graph import Graph, Json, Resource, run_program
from tests.unit.stacks.test_existing import settings
from tests.unit.variants import talking

SECRET = "kubernetes:core/v1:Secret"
SESSION_GROUP = "kubernetes:speechmatics.com/v1:SessionGroup"

OWN = {"transcribers": {"transcriber": {"licensing": {"secretName": "own"}}}}
OWN_MADE = {"transcribers": {"transcriber": {"licensing": {"createSecret": True, "secretName": "own"}}}}
SERVER_MADE = {"inferenceServerEnhancedRecipe1": {"tritonServer": {"licensing": {"createSecret": True}}}}
POOLS = {"inference": [{"number": 1, "state": "active", "kubernetesVersion": "1.35.4", "maxCount": 8}]}


def with_flow(**licensing: Any) -> Json:
    """Flow with Secrets of its own, in a pool that holds it."""
    own, voices = ({"secretName": name} | licensing for name in ("talk", "voice"))
    return {"pools": POOLS, "flow": {"enabled": True, "licensing": own, "tts": {"licensing": voices}}}


FLOW_OWN, FLOW_MADE = with_flow(), with_flow(createSecret=True)
GLOBAL_MADE = {"global": {"licensing": {"createSecret": True}}}
EVERYBODYS = "speechmatics-license"
AT_FLOW, AT_TTS = "flow.licensing.secretName", "flow.tts.licensing.secretName"
AT_GLOBAL, AT_OWN = "global.licensing.secretName", "transcribers.transcriber.licensing.secretName"


@pytest.mark.parametrize(
    ("config", "made", "there"),
    [
        ({}, (), {EVERYBODYS: AT_GLOBAL}),
        (GLOBAL_MADE, (EVERYBODYS,), {}),
        (SERVER_MADE, (EVERYBODYS,), {}),
        (GLOBAL_MADE | SERVER_MADE, (EVERYBODYS,), {}),
        (OWN, (), {"own": AT_OWN, EVERYBODYS: AT_GLOBAL}),
        (OWN_MADE, ("own",), {EVERYBODYS: AT_GLOBAL}),
        (GLOBAL_MADE | OWN_MADE, (EVERYBODYS, "own"), {}),
        (FLOW_OWN, (), {EVERYBODYS: AT_GLOBAL, "talk": AT_FLOW, "voice": AT_TTS}),
        (FLOW_MADE, ("talk", "voice"), {EVERYBODYS: AT_GLOBAL}),
        (GLOBAL_MADE | {"flow": FLOW_MADE["flow"] | {"enabled": False}}, (EVERYBODYS,), {}),
    ],
)
def test_each_is_made_once_or_there_already(config: Json, made: tuple[str, ...], there: dict[str, str]) -> None:
    secrets = {"licenseJson": "{}"} if made else {}
    found = settings(config, **secrets)
    assert (created(found), existing(found)) == (made, there)


STORE = {"externalSecrets": {"enabled": True}}
STORED = {"transcribers": STORE | OWN_MADE["transcribers"]}
IN_STORE = {"transcribers": STORE | {"transcriber": {"licensing": {"secretKey": "mine"}}}}


@pytest.mark.parametrize(
    ("config", "stored"),
    [
        (OWN_MADE, {}),
        (STORED, {"own": "speechmatics-license"}),
        ({"transcribers": STORE} | SERVER_MADE, {EVERYBODYS: "speechmatics-license"}),
        # what `global` asks for is the transcribers' object
        (GLOBAL_MADE | IN_STORE, {EVERYBODYS: "mine"}),
        (
            {"global": {"licensing": {"createSecret": True, "secretKey": "all"}}} | STORED,
            {EVERYBODYS: "all", "own": "all"},
        ),
    ],
)
def test_what_a_store_has_is_made_by_nobody_here(config: Json, stored: dict[str, str]) -> None:
    found = settings(config, **({} if stored else {"licenseJson": "{}"}))
    assert {name: each.reference.remote_ref.key for name, each in fetched(found).items()} == stored
    assert not set(made(found)) & stored.keys()
    assert not existing(found).keys() & stored.keys()
    assert set(made(found)) | stored.keys() == set(created(found))


@pytest.mark.parametrize(("provider", "part"), [("azure", None), ("vault", "license")])
def test_a_license_is_a_part_of_its_entry_in_vault_only(provider: str, part: str | None) -> None:
    store = {"enabled": True, "provider": provider}
    found = fetched(settings(GLOBAL_MADE | {"transcribers": {"externalSecrets": store}}))
    assert found[EVERYBODYS].reference.remote_ref.property == part


def flow_in_store(**changed: Json) -> Json:
    return FLOW_MADE | {"flow": FLOW_MADE["flow"] | {"externalSecrets": {"enabled": True}} | changed}


@pytest.mark.parametrize(
    ("config", "stored", "made_here"),
    [
        (flow_in_store(), {"talk": ("flow.externalSecrets", "speechmatics-license", None)}, ("voice",)),
        # the chart has no store for the voices' own, and the transcribers' is not flow's
        (FLOW_MADE | {"transcribers": STORE}, {}, ("talk", "voice")),
        (
            flow_in_store(
                externalSecrets={"enabled": True, "provider": "vault"},
                licensing={"createSecret": True, "secretName": "talk", "secretKey": "mine", "secretProperty": "text"},
            ),
            {"talk": ("flow.externalSecrets", "mine", "text")},
            ("voice",),
        ),
        # one Secret for all from the transcribers' store, which flow's own says the same of
        (
            GLOBAL_MADE | {"transcribers": STORE} | flow_in_store(licensing={"createSecret": True}),
            {
                EVERYBODYS: ("transcribers.externalSecrets", "speechmatics-license", None),
            },
            ("voice",),
        ),
    ],
)
def test_the_license_of_flow_comes_from_flows_own_store(
    config: Json, stored: dict[str, tuple[str, str, str | None]], made_here: tuple[str, ...]
) -> None:
    found = settings(config, **({"licenseJson": "{}"} if made_here else {}))
    refs = {name: (each.path, each.reference.remote_ref) for name, each in fetched(found).items()}
    assert {name: (path, ref.key, ref.property) for name, (path, ref) in refs.items()} == stored
    assert made(found) == made_here


def test_one_that_several_ask_for_is_one_object() -> None:
    """Two ask outright, the others say outright that it is there: it is made once, and each reads that one."""
    one = {"createSecret": True}
    there = {"createSecret": False}

    def change(config: Json) -> None:
        talking(config)
        config["sm-realtime:global"]["licensing"] = one
        config["sm-realtime:transcribers"] = {"transcriber": {"licensing": one}}
        config["sm-realtime:inferenceServerEnhancedRecipe1"] = {"tritonServer": {"licensing": there}}
        config["sm-realtime:flow"] |= {"licensing": one, "tts": {"licensing": there}}

    graph = run_program("sandbox", change)
    licenses = [each for each in graph.of(SECRET) if "license.json" in each.inputs.get("data", {})]
    assert [each.object_name for each in licenses] == [EVERYBODYS]
    for name in ("rt-transcriber-en", "inference-server-enhanced-recipe1", "flow-service", "tts"):
        assert mounted_by(graph, name) == [EVERYBODYS]


def licensed(text: str, change: Json | None = None) -> Graph:
    def with_license(config: Json) -> None:
        config["sm-realtime:licenseJson"] = text
        config |= {f"sm-realtime:{key}": value for key, value in (change or {}).items()}

    return run_program("sandbox", with_license)


def told(graph: Graph) -> dict[str, str]:
    groups = graph.of(SESSION_GROUP)
    return {g.object_name: g.inputs["spec"]["template"]["metadata"]["annotations"][LICENSE_ANNOTATION] for g in groups}


def spec_without(resource: Resource) -> Json:
    spec: Json = json.loads(json.dumps(resource.inputs))
    spec["spec"]["template"]["metadata"]["annotations"].pop(LICENSE_ANNOTATION)
    return spec


def test_another_license_is_another_version_of_what_reads_it_and_of_nothing_else() -> None:
    first, second = licensed('{"id": "1"}'), licensed('{"id": "2"}')
    before = {each.urn: each for each in first.resources}
    changed = {each.name for each in second.resources if each.inputs != before[each.urn].inputs}
    assert changed == {"credentials-license", "transcribers-en", "inference-recipe1-group"}
    for each in second.of(SESSION_GROUP):
        assert spec_without(each) == spec_without(before[each.urn])


def test_the_same_license_in_base64_changes_nothing() -> None:
    first, second = licensed('{"id": "1"}'), licensed("eyJpZCI6ICIxIn0K")
    assert told(first) == told(second)
    assert first.one(SECRET, EVERYBODYS).inputs == second.one(SECRET, EVERYBODYS).inputs


def test_one_that_exists_is_told_apart_as_the_same_made_here_would_be(graphs: dict[str, Graph]) -> None:
    """The Secret of `secrets_api` holds `{}`: who hands the Secret over rolls nothing."""
    assert set(told(graphs["production"]).values()) == set(told(licensed("{}")).values())


def test_a_component_mounts_its_own() -> None:
    own = {"transcribers": OWN_MADE["transcribers"]}
    graph = licensed("{}", own)
    mounted = {
        each.object_name: volume["secret"]["secretName"]
        for each in graph.of(SESSION_GROUP)
        for volume in each.inputs["spec"]["template"]["spec"]["volumes"]
        if "secret" in volume
    }
    assert mounted == {"rt-transcriber-en": "own", "inference-server-enhanced-recipe1": EVERYBODYS}
    assert graph.one(SECRET, "own").inputs["data"] == graph.one(SECRET, EVERYBODYS).inputs["data"]


def mounted_by(graph: Graph, name: str) -> list[str]:
    volumes = graph.one(SESSION_GROUP, name).inputs["spec"]["template"]["spec"]["volumes"]
    return [volume["secret"]["secretName"] for volume in volumes if "secret" in volume]


def test_flow_and_its_voices_mount_their_own_and_another_license_is_another_version_of_them() -> None:
    def talking(text: str) -> Graph:
        def change(config: Json) -> None:
            config["sm-realtime:licenseJson"] = text
            config["sm-realtime:flow"] = FLOW_MADE["flow"]
            config["sm-realtime:pools"]["inference"][0]["maxCount"] = 8

        return run_program("sandbox", change)

    first, second = talking('{"id": "1"}'), talking('{"id": "2"}')
    assert mounted_by(first, "flow-service") == ["talk"]
    assert mounted_by(first, "tts") == ["voice"]
    for name in ("flow-service", "tts"):
        assert told(first)[name] != told(second)[name]
    content = first.one(SECRET, EVERYBODYS).inputs["data"]
    assert [first.one(SECRET, name).inputs["data"] for name in ("talk", "voice")] == [content, content]


def test_the_fingerprint_is_no_secret_and_the_content_stays_one(sandbox: Graph) -> None:
    assert sandbox.one(SECRET, EVERYBODYS).secret_paths == {"data"}
    for each in sandbox.of(SESSION_GROUP):
        assert each.secret_paths == frozenset()


def test_what_pods_use_stays_in_the_cluster_when_the_program_drops_it(sandbox: Graph) -> None:
    for name in (EVERYBODYS, "speechmatics-registry"):
        assert sandbox.one(SECRET, name).retain_on_delete


def test_an_end_is_reported_with_the_command_and_without_the_license() -> None:
    text = '{"id": "made-up", "metadata": {"request": {"notValidAfter": "2026-12-01"}}}'
    now = datetime(2026, 11, 27, tzinfo=UTC)
    said = expiry_warning({"sm-realtime:licenseJson": text}, now)
    assert said is not None
    assert "sm-realtime:licenseJson  [license-ends]  the license ends on 2026-12-01" in said
    assert "pulumi config set --secret licenseJson < license.json" in said
    assert "made-up" not in said
    assert expiry_warning({"sm-realtime:licenseJson": text}, datetime(2026, 6, 1, tzinfo=UTC)) is None
    assert expiry_warning({}, now) is None
