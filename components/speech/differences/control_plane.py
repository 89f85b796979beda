"""Differences of the resource manager's services and the maps of the release."""

from __future__ import annotations

from components.speech.differences.difference import NOTHING, Added, Difference, Made

_REDIS_WAIT = (
    "The README gives 10 minutes to wait for Redis, under a key that the chart never reads; here it does what "
    "it says. Without it metrics and reconciliation crash again and again while Redis starts."
)
_OWN_PODS = (
    "The vendor's fall-back matches no pod or node of this platform: its transcribers are `rt-transcriber-…`, and "
    "its nodes carry labels of their own. A monitor that finds nothing is silent."
)


def _without_tts(listed: str) -> str:
    return ",".join(name for name in listed.split(",") if name != "tts")


CONTROL_PLANE: tuple[Difference, ...] = (
    Difference(
        "Deployment/*resource-manager-reconciliation",
        "spec.strategy.type",
        Added("Recreate"),
        "Two of them give capacity back twice; the default strategy lets two overlap during an update.",
    ),
    Difference(
        "Deployment/*resource-manager Deployment/*resource-manager-metrics "
        "Deployment/*resource-manager-reconciliation Deployment/sessiongroups-controller",
        "spec.template.spec.containers[*].env[REDIS_SETUP_TIMEOUT_DURATION]",
        Added({"name": "REDIS_SETUP_TIMEOUT_DURATION", "value": "10m"}),
        _REDIS_WAIT,
    ),
    Difference(
        "Service/*resource-manager-metrics",
        "",
        NOTHING,
        "With metrics off the chart keeps a Service without pods; an update waits for its endpoints and fails.",
        where={"resourceManager.metrics.enabled": False},
    ),
    Difference(
        "Deployment/*resource-manager-metrics",
        "spec.template.spec.containers[metrics].env[SM_WORKER_MONITOR_POD_NAME_PREFIX].value",
        "rt-transcriber-",
        _OWN_PODS,
    ),
    Difference(
        "Deployment/*resource-manager-metrics",
        "spec.template.spec.containers[metrics].env[SM_WORKER_MONITOR_CONTAINER_NAME].value",
        "batch-asr-transcriber",
        "The vendor's fall-back is the container of real time whatever the mode; in batch its name is another, and a "
        "monitor that finds nothing is silent.",
        where={"transcribers.transcriber.mode": "batch"},
    ),
    Difference(
        "Deployment/*resource-manager-metrics",
        "spec.template.spec.containers[metrics].env[SM_WORKER_MONITOR_NODE_LABEL_SELECTOR].value",
        "sm-realtime/pool=transcribers",
        _OWN_PODS,
    ),
    Difference(
        "Deployment/*resource-manager-reconciliation",
        "spec.template.spec.containers[reconciliation].env[SM_NODE_MONITOR_NODE_LABELS].value",
        '["sm-realtime/pool=inference","sm-realtime/pool=transcribers"]',
        _OWN_PODS,
    ),
    Difference(
        "Deployment/*resource-manager",
        "spec.template.spec.containers[resource-manager].env[SM_FLOW_USE_LOCAL_TRANSCRIBER].value",
        "false",
        "The chart takes an explicit false for a missing value and falls back to the global one; here false is false.",
        where={"resourceManager.config.flowUseLocalTranscriber": False},
    ),
    Difference(
        "Service/sessiongroups-controller",
        "spec.ports",
        [{"name": "api", "port": 8025, "targetPort": 8025}, {"name": "http", "port": 80, "targetPort": 8025}],
        "Reconciliation is told the controller's address without a port, which is 80, and the chart's Service has "
        "8025 only; with repopulation it has both.",
        where={"resourceManager.reconciliation.repopulation.enabled": True},
    ),
    Difference(
        "ConfigMap/*",
        "data.pod_selector_list",
        Made("the same without tts", _without_tts),
        "The chart lists `tts` although Flow is off and no such pod exists; only what is deployed is listed.",
        where={"flow.enabled": NOTHING},
    ),
)
"""The differences."""
