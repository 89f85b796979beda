"""The plane's one error."""


class PlaneError(Exception):
    """What could not be done, where, why, and the command that mends it, in words for the terminal."""
