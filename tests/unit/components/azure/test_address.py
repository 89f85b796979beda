"""The address clients know."""

from __future__ import annotations

from tests.unit.graph import Graph

IP = "azure-native:network:PublicIPAddress"


def test_it_is_static_and_standard(sandbox: Graph) -> None:
    address = sandbox.one(IP).inputs
    assert address["publicIPAllocationMethod"] == "Static"
    assert address["sku"] == {"name": "Standard", "tier": "Regional"}
    assert address["zones"] == ["1", "2", "3"]


def test_a_silent_session_is_not_dropped_before_its_ping(graph: Graph) -> None:
    """The transcriber pings every 300 seconds (autoPingTimeout); the load balancer drops what is silent for longer."""
    assert graph.one(IP).inputs["idleTimeoutInMinutes"] * 60 > 300


def test_it_is_locked_and_the_lock_goes_before_the_role(graph: Graph) -> None:
    """A lock also forbids removing role assignments in its scope."""
    lock = graph.one("azure-native:authorization:ManagementLockByScope")
    assert lock.inputs["level"] == "CanNotDelete"
    assert lock.inputs["scope"] == "address-ip-id"
    roles = {
        e.urn for e in graph.of("azure-native:authorization:RoleAssignment") if e.inputs["scope"] == "address-ip-id"
    }
    assert roles
    assert roles <= lock.dependencies
