"""The drill: counts the sessions an update cuts, on a plane of its own.

    python -m sandbox.drill [SCENARIO...]

What a scenario, a run and the baseline are, and which module does what: `docs/explanation/drill.md`.
"""
