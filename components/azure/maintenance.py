"""When AKS may touch the cluster on its own. A window limits when, it never saves a session."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import containerservice as aks

from stacks.schema.azure import MaintenanceWindow

CONFIGURATIONS = ("default", "aksManagedAutoUpgradeSchedule", "aksManagedNodeOSUpgradeSchedule")
"""The three that AKS knows: its own weekly patches, Kubernetes upgrades, node image upgrades."""


def window(settings: MaintenanceWindow) -> aks.MaintenanceWindowArgs:
    """A weekly window (the only kind `default` accepts)."""
    return aks.MaintenanceWindowArgs(
        schedule=aks.ScheduleArgs(
            weekly=aks.WeeklyScheduleArgs(day_of_week=settings.day_of_week.value, interval_weeks=1)
        ),
        start_time=settings.start_time,
        utc_offset=settings.utc_offset,
        duration_hours=settings.duration_hours,
    )


@dataclass(frozen=True)
class MaintenanceArgs:
    """What the windows need."""

    resource_group: pulumi.Output[str]
    cluster_name: pulumi.Output[str]
    window: MaintenanceWindow


class Maintenance(pulumi.ComponentResource):
    """The same window for everything AKS does on its own."""

    configurations: pulumi.Output[list[str]]

    def __init__(self, name: str, args: MaintenanceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("sm-realtime:azure:Maintenance", name, {}, opts)
        made = [
            aks.MaintenanceConfiguration(
                f"{name}-{configuration}",
                resource_group_name=args.resource_group,
                resource_name_=args.cluster_name,
                config_name=configuration,
                maintenance_window=window(args.window),
                opts=pulumi.ResourceOptions(parent=self),
            )
            for configuration in CONFIGURATIONS
        ]
        self.configurations = pulumi.Output.all(*[each.name for each in made])
        self.register_outputs({"configurations": self.configurations})
