"""Clocks that run against the length of a session: graces, deadlines, what the autoscaler and AKS wait for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from components.azure.cluster import graceful_termination
from components.azure.node_pool import DRAIN_MINUTES, pool_name
from components.cluster.ingress_controller import (
    CONFIG_MAP,
    PRE_STOP_SECONDS,
    WORKER_SHUTDOWN,
    configuration,
    entry_grace,
)
from components.cluster.ingress_rights import NAME as ENTRY
from components.speech.disruption import AUTOSCALER_VETO, session_pod
from components.speech.proxy_maps import MAX_DURATION
from components.speech.transcriber_languages import speeches
from stacks.clocks.deadline import deadline
from stacks.clocks.rung import Against, By, Code, Least, Mend, Place, Rung
from stacks.problem import remove_command, set_command
from stacks.schema import Settings
from stacks.schema.base import seconds

POD = ("spec", "template", "spec", "terminationGracePeriodSeconds")
"""Where Deployments and session groups have the grace of their pods."""

KUBELET = "the kubelet"
DEADLINE = "proxy.proxy.config.deadlines.maxDuration.deadline_duration"
CONVERSATION = "flow.config.ce.conversationLimit.duration"

ELSEWHERE = "its own: workers and pods that are told to stop must live as long as the longest session"


def session_clocks(settings: Settings) -> Iterator[Rung]:
    """All of them, from the client to the last pod, then the nodes."""
    promised = settings.sessions.max_duration_seconds
    least = Least(promised, f"{promised} s are promised (sessions.maxDurationSeconds)")
    yield from _entry(settings, least)
    yield from _proxy(settings, least)
    yield from _speech(settings, least)
    yield from _flow(settings, least)
    yield from _nodes(settings, least)


def _entry(settings: Settings, least: Least) -> Iterator[Rung]:
    promised = settings.sessions.max_duration_seconds
    if settings.ingress.enabled:
        yield Rung(
            "ingress worker shutdown",
            seconds(configuration(promised)[WORKER_SHUTDOWN]),
            Against.SESSION,
            least,
            cut="the connections of a worker that was told to stop are closed by",
            who="nginx in the ingress controller",
            by=By.PROGRAM,
            places=(Place("ConfigMap", CONFIG_MAP, ("data", WORKER_SHUTDOWN)),),
        )
        why = f"its workers are told to stop after {PRE_STOP_SECONDS} s, and then have {promised} s"
        yield _grace(
            "ingress controller", session_pod(promised, entry_grace(promised)).grace_seconds,
            Least(promised + PRE_STOP_SECONDS, why), ("Deployment", (ENTRY,)),
        )  # fmt: skip
    if settings.proxy.enabled and settings.proxy.ingress.enabled and not settings.our_ingress:
        yield Rung(
            "another ingress controller",
            None,
            Against.SESSION,
            least,
            cut="a connection is closed by",
            who="the controller of the class " + settings.proxy.ingress.ingress_class_name,
            by=By.NOBODY,
            key="proxy.ingress.ingressClassName",
            guard=ELSEWHERE,
        )


def _proxy(settings: Settings, least: Least) -> Iterator[Rung]:
    proxy, promised = settings.proxy, settings.sessions.max_duration_seconds
    if not proxy.enabled:
        return
    path, own = "proxy.terminationGracePeriodSeconds", proxy.termination_grace_period_seconds
    pods = tuple(f"{proxy.fullname_override}-{key}" for key in proxy.proxy.deployments)
    yield _grace(
        "proxy", session_pod(promised, own).grace_seconds, least, ("Deployment", pods),
        path=path, mend=remove_command(path),
    )  # fmt: skip
    mend = Mend(DEADLINE, Code.SESSION, set_command(DEADLINE, f"{promised}s"))
    yield from deadline(settings, MAX_DURATION, what="a session", against=Against.SESSION, least=least, mend=mend)


def _speech(settings: Settings, least: Least) -> Iterator[Rung]:
    grace = session_pod(settings.sessions.max_duration_seconds).grace_seconds
    everywhere = settings.global_.session_groups.enabled
    spoken = [(each.grouped, each.name) for each in speeches(settings.transcribers, settings.global_)]
    if spoken:
        yield _grace("transcriber", grace, least, *_of_kinds(spoken))
    servers = [
        (each.session_groups.used(everywhere), each.fullname_override)
        for each in settings.inference_servers.values()
        if each.enabled
    ]
    if servers:
        yield _grace("inference server", grace, least, *_of_kinds(servers))


def _flow(settings: Settings, least: Least) -> Iterator[Rung]:
    flow, promised = settings.flow, settings.sessions.max_duration_seconds
    if not flow.enabled:
        return
    everywhere = settings.global_.session_groups.enabled
    parts = [("flow", flow.fullname_override, flow.termination_grace_period_seconds, flow.session_groups)]
    if flow.tts.enabled:
        tts = flow.tts
        parts.append(("flow.tts", tts.name, tts.termination_grace_period_seconds, tts.session_groups))
    for key, name, own, groups in parts:
        path, grace = f"{key}.terminationGracePeriodSeconds", session_pod(promised, own).grace_seconds
        called = "flow-service" if key == "flow" else "TTS"
        of = _of_kinds([(groups.used(everywhere), name)])
        yield _grace(called, grace, least, *of, path=path, mend=set_command(path, promised))
    limit = flow.config.ce.conversation_limit
    if limit.enabled:
        yield Rung(
            "limit of a conversation",
            limit.duration,
            Against.SESSION,
            None,
            cut="a conversation is ended by",
            who="flow-service",
            by=By.USER,
            key=CONVERSATION,
            guard="wanted by the operator, and announced to the client before",
        )


def _of_kinds(parts: Sequence[tuple[bool, str]]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Names by the kind of object: session groups, and plain Deployments in their place."""
    for kind, grouped in (("SessionGroup", True), ("Deployment", False)):
        names = tuple(name for is_group, name in parts if is_group is grouped)
        if names:
            yield kind, names


def _nodes(settings: Settings, least: Least) -> Iterator[Rung]:
    promised, azure = settings.sessions.max_duration_seconds, settings.azure
    longest = entry_grace(promised)
    yield Rung(
        "autoscaler's wait for a node",
        int(graceful_termination(longest)),
        Against.SESSION,
        Least(longest, f"the longest grace of a session is {longest} s, and this shortens it"),
        cut="the pods of a node that is taken away are killed by",
        who="the cluster autoscaler",
        by=By.PROGRAM,
        places=(Place("ManagedCluster", azure.cluster_name, ("autoScalerProfile", "maxGracefulTerminationSec")),),
        guard=f'every pod that holds sessions has {AUTOSCALER_VETO}: "false"; AKS documents no maximum',
    )
    drain, field = DRAIN_MINUTES * 60, ("upgradeSettings", "drainTimeoutInMinutes")
    pools = tuple(pool_name(pool, generation, azure.network.node_subnet) for pool, generation in settings.pools.each())
    yield Rung(
        "AKS drain timeout",
        drain,
        Against.SESSION,
        least,
        cut="the upgrade of a node is given up by",
        who="AKS",
        by=By.PROGRAM if drain >= promised else By.NOBODY,
        places=tuple(Place("AgentPool", name, field) for name in pools),
        guard=(
            "at most 1440 minutes; when they are over the upgrade fails and the node is kept (undrainable behaviour "
            "Cordon). No pool with sessions is upgraded in place: another version is another generation"
        ),
    )


def _grace(
    part: str,
    grace: int | None,
    least: Least,
    *of: tuple[str, tuple[str, ...]],
    path: str | None = None,
    mend: str = "",
) -> Rung:
    """The grace of a part's pods, by the kinds of the objects that have them."""
    return Rung(
        f"{part} pod grace",
        grace,
        Against.SESSION,
        least,
        cut=f"a stopping pod of the {part} is killed by",
        who=KUBELET,
        by=By.USER if path else By.PROGRAM,
        places=tuple(Place(kind, name, POD) for kind, names in of for name in names),
        key=path,
        mend=Mend(path, Code.SESSION, mend) if path else None,
    )
