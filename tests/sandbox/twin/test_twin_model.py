"""What the twin reads from SessionGroups and pods, and what it makes of a template; the numbers are the contract's."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.twin import model, template
from sandbox.twin.model import Features, RefusedError
from sandbox.twin.status import status

Json = dict[str, Any]


def container(name: str, *env: Json) -> Json:
    return {"name": name, "image": f"registry.example/{name}:1", **({"env": list(env)} if env else {})}


def registering(payload: object) -> Json:
    return {"name": "REGISTER_FEATURES", "value": payload if isinstance(payload, str) else json.dumps(payload)}


def pod_template(*containers: Json, **more: Any) -> Json:
    return {"metadata": {"labels": {"lang": "en"}}, "spec": {"containers": list(containers), **more}}


def session_group(**spec: Any) -> Json:
    return {
        "metadata": {"name": "g", "namespace": "n", "uid": "u", "resourceVersion": "7"},
        "spec": {
            "replicas": 1,
            "scaling": {"enabled": False},
            "selector": {},
            "template": pod_template(container("c")),
            **spec,
        },
    }


def pod(annotations: Json | None = None, labels: Json | None = None, phase: str = "Running", **spec: Any) -> Json:
    return {
        "metadata": {
            "name": "g-1", "uid": "p", "resourceVersion": "9", "creationTimestamp": "2026-01-02T03:04:05Z",
            "annotations": annotations or {}, "labels": labels or {},
        },
        "spec": {"containers": [container("c")], **spec},
        "status": {"phase": phase},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [("1m0s", 60.0), ("5m", 300.0), ("1.5h", 5400.0), ("90s", 90.0), ("100ms", 0.1), ("2µs", 2e-6), ("0s", 0.0)],
)
def test_a_duration_is_read_in_seconds(text: str, expected: float) -> None:
    assert model.seconds(text) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "5m ", "1d"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        model.seconds(text)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        # transcription §5.1; §12.1: en costs 16 + 8, ba 20, the shared models are not a session's own
        ({"capacity": 2, "version": "13.5.0", "model_costs": {"en": 1}}, Features(2, 1)),
        (
            {
                "capacity": 480,
                "model_costs": {
                    "*:audio_event_detection": 3, "ba:am_ba_enhanced": 0, "ba:ensemble_ba_enhanced": 20,
                    "en:am_en_enhanced": 0, "en:ensemble_en_enhanced": 16, "en:lm_en_enhanced": 8,
                },
            },
            Features(480, 24),
        ),
        ({"capacity": 1, "model_costs": {"american-female": 1, "french-female": 1}}, Features(1, 1)),
        ({"capacity": 9, "model_costs": {"*:body": 3, "*:diar": 1}}, Features(9, 4)),
        ({"capacity": 9, "model_costs": {"*:body": 30, "en:lm_en": 2}}, Features(9, 2)),
        # §12.5: standard-all has 2400, and every language but en costs 20
        (
            {
                "capacity": 2400,
                "model_costs": {
                    "*:body_standard": 0, "en:am_en_standard": 0, "en:ensemble_en_standard": 16,
                    "fr:am_fr_standard": 0, "fr:ensemble_fr_standard": 20,
                },
            },
            Features(2400, 20),
        ),
        # a custom map with both operating points: a session is at one of them
        (
            {
                "capacity": 100,
                "model_costs": {
                    "en:ensemble_en_standard": 16, "en:ensemble_en_enhanced": 16, "en:lm_en_enhanced": 8,
                },
            },
            Features(100, 24),
        ),
        ({"capacity": 3, "model_costs": {"flow-worker": 1}}, Features(3, 1)),
        ({"capacity": 4, "model_costs": {"american-female": 2, "calm": 3}}, Features(4, 3)),
    ],
)  # fmt: skip
def test_capacity_and_the_dearest_session(payload: Json, expected: Features) -> None:
    found = model.features(pod_template(container("transcriber"), container("tracker", registering(payload))))
    assert found == expected


def test_a_template_that_registers_nothing_has_no_features() -> None:
    assert model.features(pod_template(container("c", {"name": "A", "value": "1"}))) is None


@pytest.mark.parametrize(
    "payload",
    [
        "not json", "[]", "{}", {"capacity": 2}, {"capacity": 2, "model_costs": {}},
        {"capacity": -1, "model_costs": {"en": 1}}, {"capacity": 2.5, "model_costs": {"en": 1}},
        {"capacity": True, "model_costs": {"en": 1}}, {"capacity": 2, "model_costs": {"en": "1"}},
    ],
)  # fmt: skip
def test_features_no_sidecar_could_register_are_refused(payload: object) -> None:
    with pytest.raises(RefusedError, match="REGISTER_FEATURES"):
        model.features(pod_template(container("tracker", registering(payload))))


def test_features_from_elsewhere_are_refused() -> None:
    env = {"name": "REGISTER_FEATURES", "valueFrom": {"configMapKeyRef": {"name": "a", "key": "b"}}}
    with pytest.raises(RefusedError, match="literal"):
        model.features(pod_template(container("tracker", env)))


def test_absent_fields_of_a_group_have_the_defaults_of_the_crd() -> None:
    group = model.group(session_group(scaling={}))
    assert group.scaling == model.Scaling(True, 1, 2, 300.0, -1, -1.0, 10)
    assert (group.allowed_surge, group.max_create_at_once, group.recreate, group.defrag) == (1, 3, False, False)
    assert not group.deleting
    assert group.status is None


def test_a_group_says_what_its_fields_say() -> None:
    scaling = {
        "enabled": True, "minReplicas": 0, "maxReplicas": 9, "scaleDownDelay": "1m0s", "scaleOnCapacityLeft": 0,
        "scaleOnPodsLeft": 0.5, "maxPodsScaledDownAtOnce": 4,
    }  # fmt: skip
    group = model.group(
        session_group(
            replicas=3, scaling=scaling, allowedSurge=5, maxPodsCreateAtOnce=2, strategyRecreate=True,
            defrag={"enabled": True},
        )
    )  # fmt: skip
    assert group.scaling == model.Scaling(True, 0, 9, 60.0, 0, 0.5, 4)
    assert (group.replicas, group.allowed_surge, group.max_create_at_once) == (3, 5, 2)
    assert group.recreate
    assert group.defrag


@pytest.mark.parametrize(("text", "sessions"), [("0", 0), ("3", 3), ("", 1), ("many", 1), ("-1", 1), ("1.5", 1)])
def test_sessions_that_cannot_be_read_are_live(text: str, sessions: int) -> None:
    assert model.pod(pod({model.SESSIONS: text})).sessions == sessions


def test_a_pod_whose_containers_have_ended_holds_no_session() -> None:
    failed = model.pod(pod({model.SESSIONS: "2"}, phase="Failed"))
    assert (failed.sessions, failed.counts) == (0, False)
    lost = model.pod(pod({model.SESSIONS: "2"}), lost=True)
    assert (lost.sessions, lost.counts) == (2, False)


@pytest.mark.parametrize(("ready", "lost"), [("True", False), ("False", True), ("Unknown", True), (None, False)])
def test_a_node_whose_ready_condition_is_not_true_is_lost(ready: str | None, lost: bool) -> None:
    conditions = [{"type": "MemoryPressure", "status": "False"}]
    conditions += [] if ready is None else [{"type": "Ready", "status": ready}]
    assert model.node_lost({"status": {"conditions": conditions}}) is lost


@pytest.mark.parametrize(("label", "version"), [("4", 4), ("", 0), ("x", 0)])
def test_a_pod_without_a_readable_version_is_of_none(label: str, version: int) -> None:
    assert model.pod(pod(labels={model.VERSION_LABEL: label})).version == version


def test_the_three_variables_come_last_in_every_container() -> None:
    mine = {"name": "A", "value": "1"}
    completed = template.complete(
        pod_template(container("c", mine), container("bare"), initContainers=[container("worker-proxy", mine)]), "g"
    )
    expected = [
        ("SM_DEPLOYMENT_NAME", "g"),
        ("SM_NODE_NAME", "spec.nodeName"),
        ("SM_SPEC_VERSION", "metadata.labels['speechmatics.com/spec-version']"),
    ]
    spec = completed["spec"]
    for each in [*spec["containers"], *spec["initContainers"]]:
        last = [(e["name"], e.get("value") or e["valueFrom"]["fieldRef"]["fieldPath"]) for e in each["env"][-3:]]
        assert last == expected, each["name"]
    assert spec["containers"][0]["env"][0] == mine


def test_variables_that_are_there_are_left_alone() -> None:
    own = {"name": "SM_NODE_NAME", "value": "mine"}
    env = template.complete(pod_template(container("c", own)), "g")["spec"]["containers"][0]["env"]
    assert [e["name"] for e in env] == ["SM_NODE_NAME", "SM_DEPLOYMENT_NAME", "SM_SPEC_VERSION"]
    assert env[0] == own


def test_the_hash_sees_content_not_order_nor_what_is_injected() -> None:
    one = pod_template(container("c", {"name": "A", "value": "1"}))
    digest = template.spec_hash(one, "g")
    assert len(digest) == 32
    assert int(digest, 16) >= 0
    turned = {key: one[key] for key in reversed(one)}
    assert template.spec_hash(turned, "g") == digest
    assert template.spec_hash(template.complete(one, "g"), "g") == digest
    other = copy.deepcopy(one)
    other["spec"]["containers"][0]["env"][0]["value"] = "2"
    assert template.spec_hash(other, "g") != digest


def test_hashing_leaves_the_template_as_it_is() -> None:
    one = pod_template(container("c"))
    before = copy.deepcopy(one)
    template.spec_hash(one, "g")
    assert one == before


def with_status(**fields: Any) -> model.Group:
    return model.group({**session_group(), "status": {"specHash": "a", "specVersion": 4, **fields}})


def test_the_version_starts_at_one_and_grows_with_the_hash() -> None:
    assert template.spec_version(model.group(session_group()), "a", []) == 1
    assert template.spec_version(with_status(), "a", []) == 4
    assert template.spec_version(with_status(), "b", []) == 5


def test_a_lost_status_never_reuses_a_version() -> None:
    pods = [model.pod(pod(labels={model.VERSION_LABEL: "6"}))]
    assert template.spec_version(model.group(session_group()), "a", pods) == 7


def test_a_pod_is_the_template_the_version_and_the_owner() -> None:
    group = model.group(session_group())
    manifest = template.pod_manifest(group, 3, "g-abcde")
    assert manifest["metadata"]["labels"] == {"lang": "en", "speechmatics.com/spec-version": "3"}
    assert manifest["metadata"]["ownerReferences"] == [
        {
            "apiVersion": "speechmatics.com/v1", "kind": "SessionGroup", "name": "g", "uid": "u",
            "controller": True, "blockOwnerDeletion": True,
        }
    ]  # fmt: skip
    assert manifest["spec"] == template.complete(group.template, "g")["spec"]


def test_a_preference_for_nodes_is_added_to_what_the_template_prefers() -> None:
    own = {"weight": 1, "preference": {"matchExpressions": [{"key": "zone", "operator": "Exists"}]}}
    preferred = "preferredDuringSchedulingIgnoredDuringExecution"
    affinity = {"podAntiAffinity": {"a": 1}, "nodeAffinity": {"required": {"b": 2}, preferred: [own]}}
    parsed = model.group(session_group(template=pod_template(container("c"), affinity=affinity)))
    assert template.pod_manifest(parsed, 1, "g-abcde")["spec"]["affinity"] == affinity
    hosts = {"key": "kubernetes.io/hostname", "operator": "In", "values": ["n1", "n2"]}
    made = template.pod_manifest(parsed, 1, "g-abcde", ["n1", "n2"])
    assert made["spec"]["affinity"] == {
        "podAntiAffinity": {"a": 1},
        "nodeAffinity": {
            "required": {"b": 2},
            preferred: [own, {"weight": 100, "preference": {"matchExpressions": [hosts]}}],
        },
    }


def test_pod_names_start_with_the_group_and_differ() -> None:
    names = {template.pod_name("rt-transcriber-en") for _ in range(50)}
    assert len(names) == 50
    assert all(name.startswith("rt-transcriber-en-") and len(name) == len("rt-transcriber-en-") + 5 for name in names)


pods = st.lists(
    st.builds(
        model.Pod,
        name=st.just("p"),
        uid=st.just("u"),
        terminating=st.booleans(),
        lost=st.booleans(),
        sessions=st.integers(0, 5),
        features=st.builds(Features, capacity=st.integers(0, 500), session_cost=st.integers(0, 30)),
    ),
    max_size=5,
)


@given(pods)
def test_all_seven_fields_are_always_there_and_no_session_is_overlooked(pods: list[model.Pod]) -> None:
    written = status(pods, "hash", 2)
    assert set(written) == {
        "activeSessions", "capacity", "replicas", "specHash", "specVersion", "totalSessions", "usage"
    }  # fmt: skip
    assert written["activeSessions"] == sum(p.sessions for p in pods)
    assert written["replicas"] <= len(pods)
    if any(p.sessions and p.features.session_cost for p in pods):
        assert written["usage"] > 0


def test_the_status_of_two_inference_servers_with_three_sessions() -> None:
    features = Features(capacity=480, session_cost=24)
    busy = model.Pod("a", "1", sessions=2, features=features)
    leaving = model.Pod("b", "2", sessions=1, terminating=True, features=features)
    written = status([busy, leaving], "h", 1)
    assert (written["usage"], written["activeSessions"]) == (72, 3)
    assert (written["capacity"], written["totalSessions"], written["replicas"]) == (480, 20, 1)
