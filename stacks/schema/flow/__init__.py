"""`flow`: one module for each component, and one for the file flow-service reads."""

from stacks.schema.flow.service import FlowSettings

__all__ = ["FlowSettings"]
