"""The windows."""

from __future__ import annotations

from tests.unit.graph import Graph


def test_everything_azure_does_on_its_own_has_the_window(graph: Graph) -> None:
    made = graph.of("azure-native:containerservice:MaintenanceConfiguration")
    assert {each.inputs["configName"] for each in made} == {
        "default", "aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule",
    }  # fmt: skip
    for each in made:
        assert each.inputs["maintenanceWindow"] == {
            "schedule": {"weekly": {"dayOfWeek": "Sunday", "intervalWeeks": 1}},
            "startTime": "02:00",
            "utcOffset": "+00:00",
            "durationHours": 4,
        }
