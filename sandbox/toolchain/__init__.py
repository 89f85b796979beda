"""The programs of the local plane: the machine's own where they are recent enough, else built once per user."""

from sandbox.toolchain.errors import ToolchainError
from sandbox.toolchain.report import Report, report
from sandbox.toolchain.tools import Tools, ensure

__all__ = ["Report", "ToolchainError", "Tools", "ensure", "report"]
