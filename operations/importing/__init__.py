"""`import-values`: a values file of the chart becomes a stack file."""

from operations.importing.command import command

__all__ = ["command"]
