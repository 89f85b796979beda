"""The toolchain's one error."""


class ToolchainError(Exception):
    """Why a program is not to be had, and the command that shows or mends it, in words for the terminal."""
