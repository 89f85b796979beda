"""`resourceManager.reconciliation`: it gives capacity back when pods were killed (seed: `….reconciliation.*`)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from stacks.schema.base import DnsLabel, GoDuration, Section, shaped
from stacks.schema.control_plane_service import LabelledService, requests
from stacks.schema.workload import Resources, over

RECONCILIATION = requests("100m", "100Mi")
"""Default (contract: control plane 4.3)."""


class PodSelectorConfigMap(Section):
    """Where reconciliation reads which pods it looks after."""

    enabled: bool = Field(True, description="Read config values for pod_selector_list from configMap.")
    name: DnsLabel | None = Field(None, description="A ConfigMap of your own with that key; unset is the release's.")


class Repopulation(Section):
    """Filling an empty Redis from a database."""

    enabled: bool = Field(False, description="Enable repopulation of sessions from database.")
    pause_duration: GoDuration = Field("2s", description="How long the controller pauses for it.")


NodeLabel = Annotated[
    str, shaped(r"^[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?=([-A-Za-z0-9_.]*)$", "a node's label as key=value")
]
"""A label of a node as `key=value`."""


class NodeMonitor(Section):
    """Marks nodes that are busy for too long."""

    enabled: bool = Field(False, description="Watch the CPU of nodes. Its account gets the controller's rights.")
    cpu_threshold: int = Field(90, ge=1, le=100, description="CPU in per cent from which a node counts as busy.")
    condition_duration: GoDuration = Field("5m", description="How long, before the node is marked.")
    filter_labels: tuple[NodeLabel, ...] | None = Field(
        None, min_length=1, description="Labels of the nodes; unset is the transcriber and the inference pool."
    )


class ReconciliationSettings(LabelledService):
    """The service that gives capacity back when pods were killed."""

    enabled: bool = Field(True, description="Reconcile Redis when pods are killed without returning capacity.")
    resources: Annotated[Resources, over(RECONCILIATION)] = Field(RECONCILIATION, description="CPU and memory.")
    reconciliation_interval: int = Field(15, gt=0, description="Seconds between two runs.")
    dry_run: bool = Field(False, description="Only log what would be given back.")
    pod_selector_config_map: PodSelectorConfigMap = Field(
        default_factory=PodSelectorConfigMap, description="The list from the ConfigMap: everything deployed."
    )
    pod_selector_list: tuple[DnsLabel, ...] = Field((), description="The list, when it is not from the ConfigMap.")
    repopulation: Repopulation = Field(default_factory=Repopulation, description="Filling an empty Redis.")
    node_monitor: NodeMonitor = Field(default_factory=NodeMonitor, description="Marks busy nodes.")
