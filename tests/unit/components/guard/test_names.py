"""The hooks' names, written out: they are in users' states, and a changed one locks their deletes."""

from __future__ import annotations

import pytest

from components.guard.names import Kind, Step, hook_name, kind_of

FOR_EVER = {
    "sm-realtime/guard/session-group/before-delete",
    "sm-realtime/guard/session-group/before-update",
    "sm-realtime/guard/node-pool/before-delete",
    "sm-realtime/guard/workload/before-delete",
    "sm-realtime/guard/cluster-object/before-delete",
    "sm-realtime/guard/azure/before-delete",
    "sm-realtime/guard/gate/before-delete",
}


def test_every_name_ever_used_still_exists() -> None:
    assert {hook_name(kind, step) for kind in Kind for step in Step} >= FOR_EVER


@pytest.mark.parametrize(
    ("resource_type", "kind"),
    [
        ("kubernetes:speechmatics.com/v1:SessionGroup", Kind.SESSION_GROUP),
        ("azure-native:containerservice:AgentPool", Kind.NODE_POOL),
        ("azure-native:containerservice:ManagedCluster", Kind.AZURE),
        ("kubernetes:core/v1:ConfigMap", Kind.WORKLOAD),
        ("kubernetes:core/v1:Namespace", Kind.CLUSTER_OBJECT),
        ("sm-realtime:guard:Gate", Kind.GATE),
        ("sm-realtime:speech:Transcriber", None),
        ("pulumi:providers:kubernetes", None),
        ("pulumi:pulumi:Stack", None),
    ],
)
def test_kind_of_a_type(resource_type: str, kind: Kind | None) -> None:
    assert kind_of(resource_type) is kind
