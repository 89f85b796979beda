"""Every rung of the ladder of clocks put back, and the scenario that is red then (docs/explanation/drill.md)."""
