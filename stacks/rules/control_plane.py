"""Rules of the resource manager and what stands beside it: switches that would have no effect, budgets that block."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from stacks.misplaced import closest
from stacks.problem import Problem, set_command
from stacks.rules.plain import parts
from stacks.schema import Settings


def monitors(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A monitor runs inside a service; without the service nothing monitors."""
    metrics, reconciliation = settings.resource_manager.metrics, settings.resource_manager.reconciliation
    for wanted, runs, path, service in (
        (metrics.worker_monitor.enabled, metrics.enabled, "metrics.workerMonitor", "metrics"),
        (reconciliation.node_monitor.enabled, reconciliation.enabled, "reconciliation.nodeMonitor", "reconciliation"),
    ):
        if wanted and not runs:
            switch = f"resourceManager.{service}.enabled"
            reason = f"it runs inside {service}, and {switch} is off"
            path = f"resourceManager.{path}.enabled"
            yield Problem(path, "without-effect", reason, set_command(switch, "true"))


def pod_selectors(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Reconciliation looks after the pods of one list: the ConfigMap's or the configured one."""
    reconciliation = settings.resource_manager.reconciliation
    path = "resourceManager.reconciliation.podSelectorList"
    switch = "resourceManager.reconciliation.podSelectorConfigMap.enabled"
    given, from_map = reconciliation.pod_selector_list, reconciliation.pod_selector_config_map.enabled
    if given and from_map:
        reason = f"the list is read from the ConfigMap while {switch} is on"
        yield Problem(path, "without-effect", reason, set_command(switch, "false"))
    if reconciliation.enabled and not given and not from_map:
        reason = f"{switch} is off and no list is given; no capacity of a killed pod would ever be given back"
        yield Problem(path, "missing", reason, set_command(switch, "true"))


def known_selectors(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Reconciliation looks after the pods whose names begin like this; of an unknown name there are none."""
    reconciliation = settings.resource_manager.reconciliation
    known = list(settings.pod_selectors)
    if not reconciliation.enabled or not known:
        return
    for index, each in enumerate(reconciliation.pod_selector_list):
        if each not in known:
            path = f"resourceManager.reconciliation.podSelectorList[{index}]"
            reason = f"no enabled part has this name; there is {', '.join(known)}"
            yield Problem(path, "unknown-target", reason, set_command(path, closest(each, known) or known[0]))


def budget(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """A budget that lets no pod go stops every drain of its node, and AKS refuses upgrades because of it."""
    manager = settings.resource_manager
    least = manager.pdb.min_available
    if manager.pdb.enabled and manager.replicas <= least:
        reason = (
            f"with {least} of {manager.replicas} always available no pod may ever be moved; no node could be drained"
        )
        path = "resourceManager.pdb.minAvailable"
        yield Problem(path, "budget-blocks", reason, set_command("resourceManager.replicas", least + 1))


def controller(settings: Settings, _: Collection[str]) -> Iterator[Problem]:
    """Without the controller nothing makes a session group's pods, nothing pauses, and no role is there to borrow."""
    manager = settings.resource_manager
    if manager.session_groups.enabled:
        return
    switch, everywhere = "resourceManager.sessionGroups.enabled", settings.global_.session_groups.enabled
    flow = settings.flow
    enabled = {**{key: part.enabled for key, part in settings.data_plane.items()}, "flow": flow.enabled}
    enabled["flow.tts"] = flow.enabled and flow.tts.enabled
    made = [key for key, part in parts(settings).items() if enabled[key] and part.session_groups.used(everywhere)]
    if made:
        reason = f"nothing would make the pods of the session groups of {', '.join(made)}"
        yield Problem(switch, "missing", reason, set_command(switch, "true"))
    beside = manager.reconciliation
    for wanted, part, why in (
        (beside.node_monitor.enabled, "nodeMonitor", "marks nodes by the rights of the controller, which is off"),
        (beside.repopulation.enabled, "repopulation", "asks the controller to wait meanwhile, and it is off"),
    ):
        if beside.enabled and wanted:
            path = f"resourceManager.reconciliation.{part}.enabled"
            yield Problem(path, "missing", f"it {why}", set_command(switch, "true"))
