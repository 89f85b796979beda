"""What Azure refuses for its meaning, beyond names and types: pure functions, one module per kind of resource.

Each raises `ArmError` for the first thing Azure would refuse, and `NotPlayedError` for what Azure would do and the
stand-in does not.
"""
