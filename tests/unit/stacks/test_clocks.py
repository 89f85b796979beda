"""The ladder of clocks: every rung is the very field of the very object, and what is too short is named."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from stacks.clocks import Against, By, Code, Place, Rung, ladder, shortest, spoken
from stacks.load import fields, read
from stacks.schema import Settings
from tests.unit.cases import CASES, ERRORS, HAPPY, given, name
from tests.unit.graph import Change, Graph, Json, run_program, run_with, stack_config
from tests.yaml_file import read_yaml

DAY = 86400


def settings_of(stack: str, change: Change | None = None) -> Settings:
    config, flagged = stack_config(stack)
    parsed = {key: value if key in flagged else json.loads(value) for key, value in config.items()}
    if change is not None:
        change(parsed)
    text = {key: value if isinstance(value, str) else json.dumps(value) for key, value in parsed.items()}
    settings, problems = read(text, flagged)
    assert settings is not None, problems
    return settings


def case(file: str) -> Settings:
    settings, problems = read(*given(read_yaml(CASES / f"{file}.happy.yaml")))
    assert settings is not None, problems
    return settings


def smallest(**config: Any) -> Settings:
    """The smallest right configuration with more, right field by field."""
    settings, problems = fields(*given({"config": config}))
    assert settings is not None, problems
    return settings


def rung(settings: Settings, name: str) -> Rung:
    (found,) = (each for each in ladder(settings) if each.name == name)
    return found


# what stands in the objects


def object_of(graph: Graph, place: Place) -> Json:
    """The inputs of the one object of a place."""

    def called(inputs: Json) -> object:
        own = {
            "ManagedCluster": "resourceName",
            "AgentPool": "agentPoolName",
            "MaintenanceConfiguration": "configName",
        }.get(place.kind)
        return inputs[own] if own else inputs["metadata"]["name"]

    found = [
        each.inputs
        for each in graph.resources
        if each.type.rpartition(":")[2] == place.kind and called(each.inputs) == place.name
    ]
    assert len(found) == 1, place
    return found[0]


def value_at(value: Any, way: tuple[str, ...]) -> Any:
    for step in way:
        if isinstance(value, list):
            (value,) = (each for each in value if each["name"] == step)
        else:
            value = value[step]
    return value


UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


def in_seconds(place: Place, value: Any) -> float | None:
    """What a field means, in the words of whoever reads it: read here by rules of the test's own."""
    field = place.field[-1] if place.field[-1] != "value" else place.field[-2]
    if field.endswith("DEADLINE_CONFIG_JSON"):
        deadline = json.loads(value)
        if deadline["deadline_duration"] == "-1s" or deadline["log_only"]:
            return None
        value = deadline["deadline_duration"]
    if field == "SM_WEBSOCKET_CONFIG":
        return float(json.loads(value)["autoPingTimeout"])
    if field in ("upgradeChannel", "nodeOSUpgradeChannel", "durationHours"):
        return None
    if field == "drainTimeoutInMinutes" or field.endswith("tcp-idle-timeout"):
        return 60 * float(value)
    parts = re.findall(r"([0-9.]+)([smh]?)", str(value))
    assert "".join(number + unit for number, unit in parts) == str(value), (place, value)
    return sum(float(number) * UNITS[unit] for number, unit in parts)


def changed(config: Json) -> None:
    """Every clock that a key sets, at another value than its default."""
    config["sm-realtime:sessions"] = {"maxDurationSeconds": 3600}
    config["sm-realtime:ingress"] = {"idleTimeoutMinutes": 20}
    deadlines = {
        "enabled": True,
        "zombie": {"deadline_duration": "31m", "log_only": False},
        "maxDuration": {"deadline_duration": "1h30m", "log_only": False},
    }
    config["sm-realtime:proxy"] = {
        "terminationGracePeriodSeconds": 4000,
        "proxy": {"config": {"deadlines": deadlines}, "deployments": {"b": {"active": False}}},
    }
    ping = {"name": "SM_WEBSOCKET_CONFIG", "value": '{"autoPingTimeout": 200}'}
    config["sm-realtime:transcribers"] = {"transcriber": {"env": [ping]}}
    config["sm-realtime:resourceManager"] = {
        "config": {"leaseDuration": "4m", "resourceManagerConnTimeoutSecs": 800},
        "redis": {"connectionTimeout": "11m"},
        "ingress": {"zone": "manager.example.org", "api": {"enabled": True}, "flow": {"enabled": True}},
    }
    config["sm-realtime:flow"] = {
        "enabled": True,
        "terminationGracePeriodSeconds": 3700,
        "internalApp": {"enabled": True, "proxyURL": "wss://speech.example.org/v1/flow"},
        "ingress": {"enabled": True, "zone": "example.org"},
        "externalSecrets": {"enabled": True},
        "secrets": {"data": [{"secretKey": "flow-mp-api-key", "remoteRef": {"key": "mp"}}]},
        "tts": {"terminationGracePeriodSeconds": 3800},
        "llmProxy": {"llmProxyShutdownGracePeriodSec": 100},
        "vllm": {"terminationGracePeriodSeconds": 90},
    }
    config["sm-realtime:pools"]["inference"][0]["maxCount"] = 8
    config["sm-realtime:pools"]["services"][0]["maxCount"] = 8


def two_days(config: Json) -> None:
    changed(config)
    config["sm-realtime:sessions"] = {"maxDurationSeconds": 2 * DAY}
    config["sm-realtime:proxy"] = config["sm-realtime:flow"] = {}
    config["sm-realtime:flow"] = {"enabled": True}


def partly_plain(config: Json) -> None:
    """Plain Deployments, but for the transcribers and TTS."""
    changed(config)
    config["sm-realtime:global"]["sessionGroups"] = {"enabled": False}
    config["sm-realtime:transcribers"]["sessionGroups"] = {"enabled": True}
    config["sm-realtime:flow"]["tts"]["sessionGroups"] = {"enabled": True}


CONFIGURATIONS: dict[str, tuple[str, Change | None]] = {
    "sandbox": ("sandbox", None),
    "production": ("production", None),
    "changed": ("sandbox", changed),
    "two-days": ("sandbox", two_days),
    "partly-plain": ("sandbox", partly_plain),
}


@pytest.fixture(scope="module", params=CONFIGURATIONS)
def both(request: pytest.FixtureRequest) -> tuple[Settings, Graph]:
    stack, change = CONFIGURATIONS[request.param]
    return settings_of(stack, change), run_program(stack, change)


def test_every_rung_is_the_very_field_of_the_very_object(both: tuple[Settings, Graph]) -> None:
    settings, graph = both
    for each in ladder(settings):
        for place in each.places:
            assert in_seconds(place, value_at(object_of(graph, place), place.field)) == each.seconds, place.text


def clock_fields(graph: Graph) -> Iterator[str]:
    """Every field of the objects that is a clock, found without the ladder."""
    for each in graph.resources:
        kind = each.type.rpartition(":")[2]
        if kind in ("Deployment", "SessionGroup"):
            pod = each.inputs["spec"]["template"]["spec"]
            if "terminationGracePeriodSeconds" in pod:
                yield f"{kind}/{each.object_name} spec.template.spec.terminationGracePeriodSeconds"
        if kind in ("ConfigMap", "Service", "Ingress"):
            where = ("data",) if kind == "ConfigMap" else ("metadata", "annotations")
            for key in value_at(each.inputs, where[:-1]).get(where[-1]) or {}:
                if re.search("timeout|deadline", key, re.IGNORECASE):
                    yield f"{kind}/{each.object_name} {'.'.join((*where, key))}"
        if kind == "AgentPool":
            yield f"{kind}/{each.inputs['agentPoolName']} upgradeSettings.drainTimeoutInMinutes"
        if kind == "ManagedCluster":
            yield f"{kind}/{each.inputs['resourceName']} autoScalerProfile.maxGracefulTerminationSec"


def test_no_clock_of_the_objects_is_missing_in_the_ladder(both: tuple[Settings, Graph]) -> None:
    settings, graph = both
    found = set(clock_fields(graph))
    assert len(found) > 12
    assert found - {place.text for each in ladder(settings) for place in each.places} == set()


def test_the_upgrades_are_off_and_the_windows_are_set(both: tuple[Settings, Graph]) -> None:
    settings, graph = both
    rungs = {each.name: each for each in ladder(settings) if each.against is Against.CALENDAR}
    assert {name: len(each.places) for name, each in rungs.items()} == {
        "upgrades of Kubernetes by AKS": 1,
        "upgrades of the nodes' system by AKS": 1,
        "maintenance window": 3,
    }
    for each, value in zip(rungs.values(), ("none", "None", 4), strict=True):
        for place in each.places:
            assert value_at(object_of(graph, place), place.field) == value
            assert str(value) in each.guard


def test_the_autoscaler_asks_no_pod_of_the_ladder(both: tuple[Settings, Graph]) -> None:
    """What the guard of its rung says."""
    settings, graph = both
    pods = [
        place
        for each in ladder(settings)
        if each.against is Against.SESSION
        for place in each.places
        if place.field[-1] == "terminationGracePeriodSeconds"
    ]
    assert len(pods) >= 4
    for place in pods:
        annotations = object_of(graph, place)["spec"]["template"]["metadata"]["annotations"]
        assert annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"


def test_a_node_that_aks_cannot_drain_is_kept(both: tuple[Settings, Graph]) -> None:
    """What the guard of the drain's rung says."""
    settings, graph = both
    for place in rung(settings, "AKS drain timeout").places:
        assert object_of(graph, place)["upgradeSettings"]["undrainableNodeBehavior"] == "Cordon"


# what must be


SESSION_CLOCKS = {
    "ingress worker shutdown",
    "ingress controller pod grace",
    "proxy pod grace",
    "proxy deadline of a session",
    "transcriber pod grace",
    "inference server pod grace",
    "flow-service pod grace",
    "TTS pod grace",
    "autoscaler's wait for a node",
    "AKS drain timeout",
}
"""The table of the specification, with the two deadlines of the proxy's and the conversation's own limit beside it."""


def test_a_session_clock_must_be_the_longest_session_at_least() -> None:
    of = settings_of("sandbox", changed)
    found = {each.name: each for each in ladder(of) if each.against is Against.SESSION and each.least}
    assert set(found) == SESSION_CLOCKS
    least = {name: each.least.seconds for name, each in found.items() if each.least}
    # a pod of the controller takes connections for 30 s more; the autoscaler shortens the longest grace
    assert least == {**dict.fromkeys(SESSION_CLOCKS, 3600), "ingress controller pod grace": 3630,
                     "autoscaler's wait for a node": 3630}  # fmt: skip


@pytest.mark.parametrize("promised", [60, 7200, DAY, DAY + 1, 2 * DAY])
def test_no_rung_that_the_program_sets_is_too_short(promised: int) -> None:
    rungs = ladder(smallest(sessions={"maxDurationSeconds": promised}, flow={"enabled": True}))
    short = [each for each in rungs if each.short]
    assert [each.name for each in short] == (["AKS drain timeout"] if promised > DAY else [])
    for each in short:
        assert each.by is By.NOBODY
        assert each.problem is None
        assert "Cordon" in each.guard
        assert "another generation" in each.guard


def test_the_longest_session_keeps_every_limit_of_those_who_read_it() -> None:
    """nginx counts in milliseconds of 32 bits, AKS takes 1440 minutes, the preStop is shorter than its grace."""
    rungs = ladder(smallest(sessions={"maxDurationSeconds": 2 * DAY}, flow={"enabled": True}))
    for each in rungs:
        assert each.seconds is None or each.seconds * 1000 < 2**31
    (drain,) = (each for each in rungs if each.name == "AKS drain timeout")
    assert drain.seconds == 1440 * 60


@pytest.mark.parametrize("path", HAPPY, ids=name)
def test_a_configuration_that_is_right_has_no_rung_to_refuse(path: Path) -> None:
    settings, _ = read(*given(read_yaml(path)))
    assert settings is not None
    rungs = ladder(settings)
    assert [each.name for each in rungs if each.problem] == []
    lengths = [each.seconds for each in rungs if each.seconds is not None]
    assert lengths == sorted(lengths)
    assert all(each.seconds is None for each in rungs[len(lengths) :])


@pytest.mark.parametrize("path", ERRORS, ids=name)
def test_a_ladder_is_there_whenever_every_field_is_right(path: Path) -> None:
    """And the loader refuses just what the ladder refuses."""
    config, flagged = given(read_yaml(path))
    settings, _ = fields(config, flagged)
    codes = {code.value for code in Code}
    refused = [each for each in read(config, flagged)[1] if each.code in codes]
    if settings is None:
        assert refused == []
        return
    assert [each.problem for each in ladder(settings) if each.problem] == refused


def ending(deadline: str, after: str) -> Json:
    """The proxy with a deadline that ends sessions."""
    deadlines = {"enabled": True, deadline: {"deadline_duration": after, "log_only": False}}
    return {"proxy": {"proxy": {"config": {"deadlines": deadlines}}}}


ONE_TOO_SHORT: dict[str, Json] = {
    "proxy pod grace": {"proxy": {"terminationGracePeriodSeconds": DAY - 1}},
    "proxy deadline of a session": ending("maxDuration", "23h"),
    "flow-service pod grace": {"flow": {"enabled": True, "terminationGracePeriodSeconds": DAY - 1}},
    "TTS pod grace": {"flow": {"enabled": True, "tts": {"terminationGracePeriodSeconds": DAY - 1}}},
    "LLM proxy pod grace": {"flow": {"enabled": True, "llmProxy": {"backendTimeoutSec": 300}}},
    "load balancer idle timeout": {"ingress": {"idleTimeoutMinutes": 5}},
    "proxy deadline of a session in which nothing happens": ending("zombie", "299s"),
    "lease of a registration": {"resourceManager": {"config": {"leaseDuration": "30s"}}},
    "wait for Redis at the start": {"resourceManager": {"redis": {"timeoutConnection": "30s"}}},
    "wait of the resource manager": {"resourceManager": {"config": {"resourceManagerConnTimeoutSecs": 30}}},
}
"""Every rung that a key can make too short."""


@pytest.mark.parametrize("name", ONE_TOO_SHORT)
def test_a_rung_that_a_key_makes_too_short_is_refused_and_says_who_cuts(name: str) -> None:
    rungs = ladder(smallest(**ONE_TOO_SHORT[name]))
    (short,) = (each for each in rungs if each.short)
    assert (short.name, short.by) == (name, By.USER)
    assert short.problem is not None
    assert f"{short.who} after" in short.problem.reason
    assert short.least is not None
    assert short.least.why in short.problem.reason


def test_every_rung_that_a_key_can_lift_is_among_those_tried() -> None:
    settings = settings_of("sandbox", changed)
    liftable = {each.name for each in ladder(settings) if each.mend is not None}
    assert liftable == set(ONE_TOO_SHORT)


def test_what_a_deadline_only_writes_down_is_no_limit() -> None:
    def deadlines(**of: Any) -> Rung:
        return rung(smallest(proxy={"proxy": {"config": {"deadlines": of}}}), "proxy deadline of a session")

    early = {"deadline_duration": "1h", "log_only": False}
    assert deadlines(enabled=False, maxDuration=early).seconds is None
    assert deadlines(enabled=True, maxDuration={"deadline_duration": "1h"}).seconds is None
    assert deadlines(enabled=True, maxDuration=early).seconds == 3600


def test_a_session_with_sentinel_outlasts_a_fail_over() -> None:
    of = smallest(resourceManager={"redis": {"sentinel": {"enabled": True, "downAfterMilliseconds": 290000}}})
    least = rung(of, "lease of a registration").least
    # the lease is 5 minutes by default, the choice of another primary takes up to 10 s
    assert least is not None
    assert (least.seconds, least.above) == (300, True)
    assert rung(of, "lease of a registration").short


# silences


def variable(text: str) -> Json:
    return {"name": "SM_WEBSOCKET_CONFIG", "value": text}


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [variable("no JSON")],
        [variable("[300]")],
        [variable("{}")],
        [variable('{"autoPingTimeout": 0}')],
        [variable('{"autoPingTimeout": true}')],
        [{"name": "SM_WEBSOCKET_CONFIG", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}],
    ],
)
def test_a_ping_that_cannot_be_read_is_not_guessed(entries: list[Json]) -> None:
    of = smallest(transcribers={"transcriber": {"env": entries}}, ingress={"idleTimeoutMinutes": 4})
    ping = rung(of, "websocket ping")
    assert ping.seconds is None
    assert "the image's own counts" in ping.guard
    idle = rung(of, "load balancer idle timeout")
    assert idle.least is None
    assert not idle.short


def test_the_longest_ping_of_all_languages_is_the_silence() -> None:
    of = smallest(
        transcribers={
            "transcriber": {
                "env": [{"name": "SM_ON_PREM", "value": "true"}],
                "languages": {"cpuLanguages": ["cy"]},
                "processors": {
                    "gpu": {"env": [variable('{"autoPingTimeout": 100}')]},
                    "cpu": {"env": [variable('{"autoPingTimeout": 400}')]},
                },
            }
        },
        **{"global": {"transcriber": {"languages": ["en", "cy"]}}},
        ingress={"idleTimeoutMinutes": 6},
    )
    pings = {each.key: each.seconds for each in ladder(of) if each.name == "websocket ping"}
    above = "transcribers.transcriber.processors"
    assert pings == {f"{above}.gpu.env[0].value": 100, f"{above}.cpu.env[0].value": 400}
    problem = rung(of, "load balancer idle timeout").problem
    assert problem is not None
    assert "silent for 400 s" in problem.reason


def test_no_silence_is_longer_than_a_session() -> None:
    of = smallest(sessions={"maxDurationSeconds": 60}, ingress={"idleTimeoutMinutes": 4})
    assert [each.name for each in ladder(of) if each.short] == []
    least = rung(of, "ingress read timeout").least
    assert least is not None
    assert least.seconds == 60


# what is there


def test_another_controller_has_clocks_of_its_own() -> None:
    of = case("other-controller")
    names = {each.name for each in ladder(of)}
    other = rung(of, "another ingress controller")
    assert (other.seconds, other.by) == (None, By.NOBODY)
    assert "longest session" in other.guard
    graph = run_with(*given(read_yaml(CASES / "other-controller.happy.yaml")))
    controller = any(
        each.type.endswith(":Deployment") and each.object_name == "nginx-ingress" for each in graph.resources
    )
    assert ("load balancer idle timeout" in names) is controller
    assert "ingress worker shutdown" in {each.name for each in ladder(smallest())}


def test_what_is_off_has_no_rung() -> None:
    of = smallest(proxy={"enabled": False}, transcribers={"enabled": False}, ingress={"enabled": False})
    names = {each.name for each in ladder(of)}
    assert not {each for each in names if re.search("proxy|transcriber|ingress|balancer|ping|flow|LLM", each)}
    assert "AKS drain timeout" in names


def test_a_limit_that_the_operator_wants_is_told_and_not_refused() -> None:
    limit = {"enabled": True, "duration": 600}
    of = smallest(flow={"enabled": True, "config": {"ce": {"conversationLimit": limit}}})
    found = rung(of, "limit of a conversation")
    assert (found.seconds, found.short, found.who) == (600, False, "flow-service")
    assert shortest(ladder(of), Against.SESSION) == found
    usual = shortest(ladder(smallest()), Against.SESSION)
    assert usual is not None
    assert usual.seconds == DAY


def test_the_shortest_of_the_silences_is_the_balancer_and_not_the_ping_that_saves_from_it() -> None:
    found = shortest(ladder(smallest()), Against.SILENCE)
    assert found is not None
    assert (found.who, found.seconds) == ("the Azure load balancer", 1800)
    assert shortest([], Against.SILENCE) is None


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(None, "no limit"), (60, "60 s"), (120, "2 min"), (1800, "30 min"), (86400, "24 h"), (86430, "86430 s"),
     (5400, "90 min"), (0.5, "0.5 s"), (172800, "48 h")],
)  # fmt: skip
def test_lengths_are_told_as_people_say_them(seconds: float | None, text: str) -> None:
    assert spoken(seconds) == text
