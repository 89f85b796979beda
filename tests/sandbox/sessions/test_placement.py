"""Where new sessions go, and why they are turned away."""

from __future__ import annotations

import dataclasses
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.sessions.model import Hop, Kind, Refused, Role
from sandbox.sessions.placement import place
from sandbox.sessions.rows import FRIENDLY, HOSTILE, Rows
from sandbox.sessions.view import View
from tests.sandbox.sessions import objects
from tests.sandbox.sessions.views import (
    endpoint_slice,
    including,
    nodes,
    pod,
    transcriber,
    whole,
    without,
    workload,
)


def path(view: View, load: dict[str, int] | None = None, language: str = "en", rows: Rows = FRIENDLY) -> list[str]:
    found = place(view, load or {}, Kind.TRANSCRIPTION, language, rows)
    assert not isinstance(found, Refused), found.reason
    return [hop.pod for hop in found]


def refused(
    view: View,
    load: dict[str, int] | None = None,
    kind: Kind = Kind.TRANSCRIPTION,
    language: str = "en",
    rows: Rows = FRIENDLY,
) -> str:
    found = place(view, load or {}, kind, language, rows)
    assert isinstance(found, Refused), found
    return found.reason


def test_a_session_takes_the_whole_path_and_what_it_costs() -> None:
    found = place(whole(transcriber("t1")), {}, Kind.TRANSCRIPTION, "en", FRIENDLY)
    assert not isinstance(found, Refused)
    # 16 + 8: ensemble and language model of English (transcription 5.2)
    assert [(hop.role, hop.pod, hop.cost) for hop in found] == [
        (Role.INGRESS, "ingress", 1), (Role.PROXY, "proxy-a", 1), (Role.TRANSCRIBER, "t1", 1),
        (Role.INFERENCE, "triton", 24),
    ]  # fmt: skip


def test_the_fullest_transcriber_with_room_is_filled_first() -> None:
    view = whole(transcriber("t1"), transcriber("t2"), transcriber("t3"))
    assert path(view, {"uid-t2": 1})[2] == "t2"
    assert path(view, {"uid-t2": 2, "uid-t3": 1})[2] == "t3"
    assert refused(view, {"uid-t1": 2, "uid-t2": 2, "uid-t3": 2}) == "no transcriber for en has room"


@pytest.mark.parametrize(
    ("strategy", "used", "idle"),
    [
        ("", "some", "large"),
        ("0", "some", "large"),
        ("1", "none", "large"),
        ("2", "some", "small"),
        ("3", "none", "small"),
    ],
)
def test_the_resource_managers_strategy(strategy: str, used: str, idle: str) -> None:
    """The most or the least used; of equal ones the higher or the lower capacity (contract: control plane 4.1)."""
    manager = pod("rm", objects.resource_manager(selection=strategy))
    view = whole(transcriber("some", capacity=3), transcriber("none", capacity=3), manager)
    assert path(view, {"uid-some": 1})[2] == used
    view = whole(transcriber("large", capacity=3), transcriber("small", capacity=2), manager)
    assert path(view)[2] == idle


def test_the_proxy_is_a_ready_endpoint_of_the_service_the_ingress_leads_to() -> None:
    view = whole(transcriber("t1"), pod("proxy-b", objects.proxy(), labels={"app": "proxy"}))
    assert path(view)[1] == "proxy-a"
    flipped = dataclasses.replace(view, slices=[endpoint_slice("proxy", "proxy-b"), endpoint_slice("idle", "proxy-a")])
    assert path(flipped)[1] == "proxy-b"
    unready = dataclasses.replace(view, slices=[endpoint_slice("proxy", "proxy-a", ready=False)])
    assert refused(unready) == "no proxy pod is a ready endpoint of a Service that an Ingress leads to"
    no_ingress = dataclasses.replace(view, ingresses=[])
    assert refused(no_ingress) == refused(unready)


def test_both_proxies_of_a_service_share_the_sessions() -> None:
    second = pod("proxy-b", objects.proxy())
    view = whole(transcriber("t1"), second, slices=[endpoint_slice("proxy", "proxy-a", "proxy-b")])
    assert path(view, {"uid-proxy-a": 5, "uid-proxy-b": 4})[1] == "proxy-b"


def test_pods_that_stop_or_are_not_ready_get_nothing() -> None:
    stopping = ("2026-11-27T12:00:00Z", 30)
    assert refused(whole(transcriber("t1", stopping=stopping))) == "no transcriber for en has room"
    assert refused(whole(transcriber("t1", ready=False))) == "no transcriber for en has room"
    entrance = pod("ingress", objects.ingress_controller("speech"), stopping=stopping)
    assert refused(whole(transcriber("t1"), entrance)) == "no pod of the ingress controller is Ready"
    assert refused(whole(transcriber("t1"), nodes=nodes("n1", lost=("n1",)))) == refused(whole(entrance))


def test_a_language_needs_a_group_a_transcriber_and_an_inference_server() -> None:
    view = whole(transcriber("t1"), transcriber("d1", "de"))
    assert refused(view, language="de") == "no transcriber is deployed for de"
    german = workload("SessionGroup", "group-de", objects.transcriber("de"), "de")
    view = dataclasses.replace(view, workloads={**view.workloads, german.uid: german})
    assert refused(view, language="de") == "no inference server for de of version 13.5.0 has room"
    recipe = pod("triton-de", objects.inference(de__ensemble=20))
    assert path(including(view, recipe), language="de")[2:] == ["d1", "triton-de"]
    assert refused(including(view, recipe), {"uid-triton-de": 461}, language="de").endswith("has room")
    assert path(including(view, recipe), {"uid-triton-de": 460}, language="de")[3] == "triton-de"


def test_a_language_with_a_domain_uses_the_models_of_its_first_part() -> None:
    spec = objects.transcriber("es-bilingual-en")
    view = whole(
        pod("t", spec, labels={"lang": "es-bilingual-en"}),
        pod("triton-es", objects.inference(es__ensemble=20)),
        workloads={"g": workload("SessionGroup", "g", spec, "es-bilingual-en")},
    )
    assert path(view, language="es-bilingual-en")[2:] == ["t", "triton-es"]


def test_transcriber_and_inference_server_are_of_one_version() -> None:
    view = whole(transcriber("t1", tag="13.6.0"))
    assert refused(view) == "no inference server for en of version 13.6.0 has room"
    assert path(including(view, transcriber("t2")), {"uid-t1": 1})[2] == "t2", "though t1 is fuller"


def test_without_the_resource_manager_or_redis_nobody_is_placed() -> None:
    view = whole(transcriber("t1"))
    assert refused(without(view, "rm")) == "no resource manager is Ready"
    redis = workload("StatefulSet", "redis", objects.redis())
    view = dataclasses.replace(view, workloads={**view.workloads, redis.uid: redis})
    assert refused(view) == "no Redis answers"
    assert path(including(view, pod("redis-0", objects.redis())))[2] == "t1"


def test_row_busy_old_pod() -> None:
    view = whole(transcriber("old", version=1), transcriber("new", version=2), version=2)
    assert path(view, {"uid-old": 1}, rows=FRIENDLY)[2] == "new"
    assert path(view, {"uid-old": 1}, rows=HOSTILE)[2] == "old"
    assert path(view)[2] == "new", "of idle ones the new"
    assert path(without(view, "new"))[2] == "old", "an idle old one serves until it is replaced"
    assert refused(without(view, "new"), {"uid-old": 1}) == "no transcriber for en has room"


def test_row_cordoned_pod() -> None:
    view = whole(
        transcriber("t1", node="n2"), transcriber("t2"), nodes=nodes("n1", "n2", cordoned=("n2",))
    )  # fmt: skip
    assert path(view, {"uid-t1": 1}, rows=FRIENDLY)[2] == "t2"
    assert path(view, {"uid-t1": 1}, rows=HOSTILE)[2] == "t1"
    assert path(dataclasses.replace(view, nodes=nodes("n1", "n2", cordoned=("n1", "n2"))), rows=HOSTILE)[1] == "proxy-a"


def conversation(view: View, load: dict[str, int] | None = None) -> tuple[Hop, ...]:
    found = place(view, load or {}, Kind.FLOW, "en", FRIENDLY)
    assert not isinstance(found, Refused), found.reason
    return found


def test_a_conversation_goes_over_what_of_flow_is_deployed() -> None:
    view = whole()
    assert refused(view, kind=Kind.FLOW) == "no flow-service is deployed"
    service = workload("SessionGroup", "flow-service", objects.flow_service())
    view = including(
        view, pod("flow-1", objects.flow_service()), workloads={**view.workloads, service.uid: service}
    )  # fmt: skip
    assert [hop.pod for hop in conversation(view)] == ["ingress", "proxy-a", "flow-1"]
    assert refused(view, {"uid-flow-1": 1}, Kind.FLOW) == "no flow-service has room"
    images = {
        "tts": f"{objects.VENDOR}/sm-tts-inference-server:1.1.0",
        "llm-proxy": f"{objects.VENDOR}/llm-proxy:1.34.6",
        "llm": "vllm/vllm-openai:v0.7.3",
    }
    deployed = {name: workload("Deployment", name, objects.one(image)) for name, image in images.items()}
    view = dataclasses.replace(view, workloads={**view.workloads, **deployed})
    assert refused(view, kind=Kind.FLOW) == "no tts is a ready endpoint of a Service"
    view = including(view, *(pod(f"{name}-1", objects.one(image)) for name, image in images.items()))
    assert refused(view, kind=Kind.FLOW) == "no tts is a ready endpoint of a Service"
    slices = [*view.slices, *(endpoint_slice(name, f"{name}-1") for name in images)]
    found = conversation(dataclasses.replace(view, slices=slices))
    assert [hop.role for hop in found] == [
        Role.INGRESS, Role.PROXY, Role.FLOW, Role.TTS, Role.LLM_PROXY, Role.VLLM
    ]  # fmt: skip


@given(
    st.lists(st.integers(1, 4), min_size=1, max_size=6),
    st.lists(st.integers(24, 100), min_size=1, max_size=3),
    st.integers(0, 40),
)
def test_no_pod_is_ever_given_more_than_it_has_room_for(
    transcribers: list[int], servers: list[int], arrivals: int
) -> None:
    """As many are placed as there is room for, and no pod is opened while another one that is open has room."""
    pods = [transcriber(f"t{n}", capacity=capacity) for n, capacity in enumerate(transcribers)]
    tritons = [pod(f"g{n}", objects.inference(capacity)) for n, capacity in enumerate(servers)]
    view = without(whole(*pods, *tritons), "triton")
    load: Counter[str] = Counter()
    placed = 0
    for _ in range(arrivals):
        found = place(view, load, Kind.TRANSCRIPTION, "en", FRIENDLY)
        if not isinstance(found, Refused):
            placed += 1
            load.update({hop.uid: hop.cost for hop in found})
    room = min(sum(transcribers), sum(capacity // 24 for capacity in servers))
    assert placed == min(arrivals, room)
    limits = {f"uid-t{n}": (c, 1) for n, c in enumerate(transcribers)}
    limits |= {f"uid-g{n}": (c, 24) for n, c in enumerate(servers)}
    assert all(load[uid] <= capacity for uid, (capacity, _) in limits.items())
    for letter in "tg":
        own = {uid: limit for uid, limit in limits.items() if uid.startswith(f"uid-{letter}")}
        partly = [uid for uid, (capacity, cost) in own.items() if 0 < load[uid] <= capacity - cost]
        assert len(partly) <= 1, "packed"
